"""Builds the site: every page of every board, from the repository's files alone; and serves it.

The same repository gives the same bytes: no clock, no randomness. Pages are written into a new folder that
takes the old one's place at the end. Links are relative, so that it works from a disk and under any path.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import suite
from suite.board.define.board import Board, file_name
from suite.board.entry import PER_SAMPLE, SUBMISSION, VERIFICATION, AcceptedEntry, read_model
from suite.board.rank.state import State, belongs, pair_result, read_prices, stale_entries, state_of
from suite.board.repository.remote_bundle import BUNDLE, REFERENCE, Reference
from suite.board.repository.shelves import Shelf
from suite.board.site.board_data import data_json, entries_csv, rows, script_rows
from suite.board.site.entry_samples import EntrySamples, write_samples
from suite.board.site.page_templates import render, resource
from suite.board.site.page_words import events_of, name
from suite.board.site.pair_facts import different, pair_page, pairs_of
from suite.errors import ConfigError, SuiteError
from suite.report.local_site import replaced_folder
from suite.report.viewer.embedding import viewer_script, viewer_style

ROWS = 100  # of one page


@dataclass(frozen=True)
class Built:
    """What was made. pages: HTML pages. warnings: for whoever runs the board."""

    folder: Path
    boards: int
    entries: int
    pages: int
    warnings: tuple[str, ...]


def build_site(shelves: Sequence[Shelf], out: Path, *, url: str = "") -> Built:
    """Write the site of some boards into a folder, replacing what an earlier build left there.

    url: where it will stand, for the feed. Raises ConfigError if the folder holds something else, DataError
    for entries that cannot be shown.
    """
    if url and not url.startswith("https://"):
        raise ConfigError(f"{url!r} is no https address", fix="--site-url https://example.org/board/")
    with replaced_folder(out, MARK) as part:
        built = _write(shelves, part, url and url.removesuffix("/") + "/")
    return replace(built, folder=out)


MARK = ".suite-board-site"


def _write(shelves: Sequence[Shelf], root: Path, url: str) -> Built:
    pages = entries = 0
    warnings: list[str] = []
    states = []
    single = len(shelves) == 1
    for shelf in shelves:
        folder = root if single else root / shelf.board.id
        prices = read_prices(None if shelf.folder is None else shelf.folder / "prices.yaml")
        found = shelf.entries()
        older = [old for old in shelf.history if any(belongs(old, one) for one in found)]
        versions = [(old.version, f"v/{old.version}/index.html") for old in older]
        state = state_of(shelf.board, found, prices)
        warnings += [f"{place}: {why}" for place, why in stale_entries(shelf.board, found).items()]
        site = _Site(state, folder, versions, "" if single else "../index.html", url if single else "")
        frozen = [
            _Site(state_of(old, found, prices), folder / "v" / old.version, now=shelf.board) for old in older
        ]
        pages += sum(one.write() for one in (site, *frozen))
        entries += len(found)
        warnings += site.warnings
        states.append(state)
    if not single:
        (root / "assets").mkdir(exist_ok=True)
        for file in ("board.css", "icon.svg"):
            (root / "assets" / file).write_text(resource(f"static/{file}"), "utf-8")
        page = render("boards.html.j2", root="", suite=suite.__version__, states=states)
        (root / "index.html").write_text(page, "utf-8")
        pages += 1
    return Built(root, len(shelves), entries, pages, tuple(warnings))


@dataclass
class _Site:
    """The pages of one version of one board. versions: (version, address) of the frozen ones. now: of a
    frozen one, the board as it is.
    """

    state: State
    folder: Path
    versions: Sequence[tuple[str, str]] = ()
    up: str = ""
    url: str = ""
    now: Board | None = None
    pages: int = 0
    warnings: list[str] = field(default_factory=list)
    samples: dict[str, EntrySamples] = field(default_factory=dict)

    def write(self) -> int:
        """Write everything; how many pages."""
        assets = {file: resource(f"static/{file}") for file in ("board.css", "samples.js", "icon.svg")}
        assets["board.js"] = resource("static/ranking.js") + resource("static/sortable.js")
        assets |= {"viewer.js": viewer_script(), "viewer.css": viewer_style()}
        for file, text in assets.items():
            self._put(f"assets/{file}", text)
        self._tables()
        self._tasks()
        self._entries()
        self._pairs()
        board, events = self.state.board, events_of(self.state)
        self._page("history.html", "history.html.j2", "", events=events)
        self._put("data.json", data_json(self.state).decode() + "\n")
        self._put("entries.csv", entries_csv(self.state))
        self._put("feed.xml", render("feed.xml.j2", board=board, events=events, url=self.url) + "\n")
        return self.pages

    def _put(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (self.folder / path).open("w", encoding="utf-8", newline="") as file:
            file.write(text)

    def _page(self, path: str, template: str, root: str, **values: object) -> None:
        board, now = self.state.board, self.now
        common = {"versions": self.versions, "up": self.up, "now": now, "suite": suite.__version__}
        self._put(path, render(template, root=root, state=self.state, board=board, **common, **values))
        self.pages += 1

    def _tables(self) -> None:
        for table, first, more, script in (
            (self.state.standard, "index.html", "page-{}.html", "rows.js"),
            (self.state.custom, "custom.html", "custom-{}.html", "custom-rows.js"),
        ):
            found = rows(self.state, table)
            if table.kind == "custom" and not found:
                continue
            self._put(script, script_rows(found))
            names = [first, *(more.format(number + 1) for number in range(1, -(-len(found) // ROWS)))]
            for number, path in enumerate(names):
                start = number * ROWS
                told = {"table": table, "page": number + 1, "names": names, "rows_file": script}
                told |= {"first": start, "rows": found[start : start + ROWS]}
                self._page(path, "board.html.j2", "", **told)

    def _tasks(self) -> None:
        tasks = self.state.board.tasks
        for item in tasks:
            path = f"tasks/{file_name(item.name)}.html"
            self._page(path, "task.html.j2", "../", item=item)
        if len(tasks) > 1:
            self._page("tasks/overall.html", "task.html.j2", "../", item=None)
        self._page("tasks/index.html", "tasks.html.j2", "../")

    def _pairs(self) -> None:
        """The leading entries of each class against each other."""
        columns = [(item.name, item.shown) for item in self.state.board.tasks]
        shown = columns if len(columns) == 1 else [("", "Overall"), *columns]
        for table in self.state.tables:
            for one, two in pairs_of(table):
                results = [(key, title, pair_result(table, one, two, key)) for key, title in shown]
                both = [table.ranked[place] for place in (one, two)]
                samples = [self.samples[each.entry.id] for each in both]
                told = {"table": table, "one": one, "two": two, "results": results, "samples": samples}
                told["apart"] = different(both, samples)
                path = f"pairs/{pair_page(table, one, two)}"
                self._page(path, "pair.html.j2", "../", only=shown[0][0], **told)
        self._page("pairs/index.html", "pairs.html.j2", "../", only=shown[0][0])

    def _entries(self) -> None:
        for one in self.state.entries.values():
            downloads, urls = self._files(one.entry)
            samples = write_samples(self.state.board, one.entry, self.folder / "samples")
            self.samples[one.entry.id] = samples
            self.warnings += [samples.broken] if samples.broken else []
            told = {"listed": one, "downloads": downloads, "urls": urls, "samples": samples}
            self._page(f"entries/{one.entry.short}.html", "entry.html.j2", "../", **told)

    def _files(self, entry: AcceptedEntry) -> tuple[list[tuple[str, str]], list[str]]:
        """Copies what can be downloaded; (links, addresses of the bundle elsewhere)."""
        target = self.folder / "entries" / entry.short
        target.mkdir(parents=True, exist_ok=True)
        files = [SUBMISSION, VERIFICATION]
        if self.state.board.publish.per_sample:  # a bundle holds every value
            files += [BUNDLE, PER_SAMPLE]
        found = []
        for file in files:
            source = entry.folder / file
            if source.is_file() and not source.is_symlink():
                shutil.copyfile(source, target / file)
                found.append((f"{entry.short}/{file}", file))
        reference, urls = entry.folder / REFERENCE, list[str]()
        if reference.is_file() and not reference.is_symlink():
            try:
                urls = list(read_model(reference, Reference).urls)
            except SuiteError as error:
                self.warnings.append(f"{name(entry.folder.name)}: {error}")
        return found, urls
