"""Builds the site: every page of every board, from the repository's files alone; and serves it here.

The same repository gives the same bytes: no clock, no randomness. Pages are written into a new folder that
takes the old one's place at the end. Links are relative, so that it works from a disk and under any path. The
small server keeps to the loopback, says the pages' own policy in a header too, and lists nothing.
"""

import functools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import msgspec

import suite
from suite.board.define.board import Board
from suite.board.entry.accepted_entry import PER_SAMPLE, SUBMISSION, VERIFICATION, AcceptedEntry
from suite.board.rank.state import State, RankTable, belongs, listed, read_prices, state_of
from suite.board.repository.shelves import Shelf
from suite.board.site import board_data
from suite.board.site.entry_pages import entry_page, events_of, history_page
from suite.board.site.markup import POLICY, name, render, resource
from suite.board.site.ranking_table import first_standing, heads, html_rows, rows, script_rows
from suite.board.site.task_pages import first_of, item_page, overall_page, sentence, tasks_list
from suite.board.site.words import CANNOT_SHOW, SEEN, board_facts, method_notes
from suite.errors import ConfigError, SuiteError
from suite.report.numbers import percent

ROWS = 100  # of one page
BUNDLES = ("bundle.suite.zip",)


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
    _check_target(out)
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        built = _write(shelves, part, url if not url or url.endswith("/") else url + "/")
        (part / MARK).write_text("written by suite board build\n", "utf-8")
        if out.exists():
            shutil.rmtree(out)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return replace(built, folder=out)


MARK = ".suite-board-site"


def _check_target(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise ConfigError(f"{out} is no folder", fix="name a folder: -o site")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise ConfigError(
            f"{out} holds something that no build of a site wrote", fix="name a new or empty folder: -o site"
        )


def _write(shelves: Sequence[Shelf], root: Path, url: str) -> Built:
    pages = entries = 0
    warnings: list[str] = []
    overview = []
    single = len(shelves) == 1
    for shelf in shelves:
        folder = root if single else root / shelf.board.id
        found = shelf.entries()
        site = _Site(
            shelf, shelf.board, found, folder, "" if single else "../index.html", url if single else ""
        )
        pages += site.write()
        entries += len(found)
        warnings += site.warnings
        for old in shelf.history:
            if any(belongs(old, one) for one in found):
                frozen = _Site(shelf, old, found, folder / "v" / old.version, "", "", frozen=True)
                pages += frozen.write()
        overview.append(_overview(site.state))
    if not single:
        (root / "assets").mkdir(exist_ok=True)
        for file in ("board.css", "icon.svg"):
            (root / "assets" / file).write_text(resource(f"static/{file}"), "utf-8")
        page = render("boards.html.j2", root="", suite=suite.__version__, rows=overview)
        (root / "index.html").write_text(page, "utf-8")
        pages += 1
    return Built(root, len(shelves), entries, pages, tuple(warnings))


def _overview(state: State) -> dict[str, object]:
    ranking = state.standard.ranking
    return {
        "href": f"{state.board.id}/index.html",
        "title": state.board.title,
        "version": state.board.version,
        "count": f"{len(state.standard.rows) + len(state.custom.rows):,}",
        "first": first_of(state.standard, None if ranking is None else ranking.overall),
    }


class _Site:
    """The pages of one version of one board."""

    def __init__(
        self,
        shelf: Shelf,
        board: Board,
        entries: Sequence[AcceptedEntry],
        folder: Path,
        up: str,
        url: str,
        *,
        frozen: bool = False,
    ) -> None:
        self._prices = read_prices(None if shelf.folder is None else shelf.folder / "prices.yaml")
        self.state = state_of(board, entries, self._prices)
        self.warnings: list[str] = []
        self._folder, self._up, self._url, self._frozen = folder, up, url, frozen
        self._pages = 0
        self._by_id = {one.id: one for one in self.state.entries}
        self._versions = [] if frozen else [
            (old.version, f"v/{old.version}/index.html")
            for old in shelf.history
            if any(belongs(old, one) for one in entries)
        ]  # fmt: skip

    def write(self) -> int:
        """Write everything; how many pages."""
        for name_ in ("assets", "tasks", "entries"):
            (self._folder / name_).mkdir(parents=True, exist_ok=True)
        for file in ("board.css", "board.js", "icon.svg"):
            self._put(f"assets/{file}", resource(f"static/{file}"))
        self._tables()
        self._tasks()
        self._entries()
        events = events_of(self.state)
        self._page("history.html", "history.html.j2", "", **history_page(self.state, self._versions))
        self._put("data.json", msgspec.json.encode(board_data.board_data(self.state)).decode() + "\n")
        self._put("entries.csv", board_data.entries_csv(self.state))
        self._put("feed.xml", board_data.feed(self.state, events, self._url))
        return self._pages

    def _put(self, path: str, text: str) -> None:
        with (self._folder / path).open("w", encoding="utf-8", newline="") as file:
            file.write(text)

    def _page(self, path: str, template: str, root: str, **values: object) -> None:
        counts = {
            "standard": f"{len(self.state.standard.rows):,}",
            "custom": f"{len(self.state.custom.rows):,}" if self.state.custom.rows else "",
            "tasks": len(self.state.board.tasks),
        }
        common = {
            "root": root,
            "board": self.state.board,
            "suite": suite.__version__,
            "counts": counts,
            "versions": self._versions,
            "up": self._up,
            "frozen": self._frozen,
        }
        self._put(path, render(template, **common, **values))
        self._pages += 1

    def _tables(self) -> None:
        board = self.state.board
        for table, first, more, script in (
            (self.state.standard, "index.html", "page-{}.html", "rows.js"),
            (self.state.custom, "custom.html", "custom-{}.html", "custom-rows.js"),
        ):
            found = rows(self.state, table)
            if table.kind == "custom" and not found:
                continue
            columns = heads(self.state, table)
            self._put(script, script_rows(found))
            count = max(1, -(-len(found) // ROWS))

            def page_name(number: int, first: str = first, more: str = more) -> str:
                return first if number == 1 else more.format(number)

            for number in range(1, count + 1):
                shown = found[(number - 1) * ROWS : number * ROWS]
                self._page(
                    page_name(number),
                    "board.html.j2",
                    "",
                    kind=table.kind,
                    page=number,
                    pages=count,
                    page_name=page_name,
                    total=len(found),
                    first=(number - 1) * ROWS,
                    heads=columns,
                    rows=html_rows(shown, columns),
                    rows_file=script,
                    caption=self._caption(len(found), number, count),
                    leaders=self._leaders(table.kind, number),
                    level=percent(board.uncertainty.level),
                    warning=self._warning(table),
                    seen=SEEN,
                    cannot=CANNOT_SHOW,
                    notes=method_notes(board, table.ranking),
                    asked=board_facts(board),
                )

    def _caption(self, total: int, number: int, count: int) -> str:
        if total <= 1:
            return "The only entry."
        here = f"Entries {(number - 1) * ROWS + 1:,} to {min(number * ROWS, total):,} of {total:,}. "
        return here if count > 1 else f"All {total:,} entries."

    def _warning(self, table: RankTable) -> str:
        """What must be known of the intervals, as a sentence."""
        standing = first_standing(self.state, table)
        return "" if standing is None else sentence(standing.note)

    def _leaders(self, kind: str, number: int) -> str:
        table = self.state.standard if kind == "standard" else self.state.custom
        standing = first_standing(self.state, table)
        if number > 1 or standing is None:
            return ""
        if len(table.rows) == 1:
            return f"So far the only entry: {name(table.rows[0].entry.submission.model.display_name, 40)}."
        many = "Statistically tied for first" if len(standing.tied_for_first) > 1 else "First"
        return f"{many}: {first_of(table, standing)}."

    def _tasks(self) -> None:
        pages = [item_page(self.state, item) for item in self.state.board.tasks]
        if len(pages) > 1:
            pages.append(overall_page(self.state))
        for page in pages:
            self._page(str(page.pop("file")), "task.html.j2", "../", **page)
        rows, asked = tasks_list(self.state), board_facts(self.state.board)
        self._page("tasks/index.html", "tasks.html.j2", "../", rows=rows, asked=asked)

    def _entries(self) -> None:
        known = {
            one.entry.id: one for table in (self.state.standard, self.state.custom) for one in table.rows
        }
        for entry in self.state.entries:
            downloads, urls = self._files(entry)
            one = known.get(entry.id) or listed(self.state.board, entry, self._prices)
            values = entry_page(self.state, one, self._by_id, downloads)
            self._page(f"entries/{entry.short}.html", "entry.html.j2", "../", urls=urls, **values)

    def _files(self, entry: AcceptedEntry) -> tuple[list[tuple[str, str]], list[str]]:
        """Copies what can be downloaded; (links, addresses of the bundle elsewhere)."""
        target = self._folder / "entries" / entry.short
        target.mkdir(exist_ok=True)
        files = [SUBMISSION, VERIFICATION, *BUNDLES]
        if self.state.board.publish.per_sample:
            files.append(PER_SAMPLE)
        found = []
        for file in files:
            source = entry.folder / file
            if source.is_file() and not source.is_symlink():
                shutil.copyfile(source, target / file)
                found.append((f"{entry.short}/{file}", file))
        return found, self._elsewhere(entry)

    def _elsewhere(self, entry: AcceptedEntry) -> list[str]:
        path = entry.folder / "bundle.ref.yaml"
        if not path.is_file() or path.is_symlink():
            return []
        from suite.board.repository.remote_bundle import read_reference

        try:
            return list(read_reference(path).urls)
        except SuiteError as error:
            self.warnings.append(f"{name(entry.folder.name)}: {error}")
            return []


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".csv": "text/csv; charset=utf-8",
        ".svg": "image/svg+xml",
        ".xml": "application/atom+xml",
        "": "application/octet-stream",
    }

    def end_headers(self) -> None:
        """The policy, and nothing guessed about types."""
        self.send_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def list_directory(self, path: object) -> BytesIO | None:
        """No listings."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)
        return None

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Quiet."""


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of a folder on the loopback. Raises ConfigError if the port is taken."""
    handler = functools.partial(_Handler, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise ConfigError(
            f"port {port} is not to be had: {error.strerror}", fix="another one: --port 0"
        ) from error
