"""Every file of the site by its path, made when it is asked for: what is served is what is exported.

index.html, runs/KEY.html, compare/KEY--KEY.html (the last run is what others are compared with; `.anyway`
before `.html` compares what is not comparable), samples/NAME/part-0.js, assets/. Samples are made once for a
state of a run's files, in a folder of our own; nothing is ever written into a run's.
"""

import itertools
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files as resources
from pathlib import Path

import suite
from suite.errors import ConfigError, SuiteError
from suite.journal.run import Run
from suite.report.html import Linked, html_report, page
from suite.report.html_blocks import Drawer, environment, resource
from suite.report.local_site import put_files, replaced_folder
from suite.report.rows import withheld
from suite.report.viewer.embedding import script_files, trouble_script, viewer_script, viewer_style
from suite.report.viewer.source import ViewSource
from suite.secrets import scrub
from suite.view.run_rows import RunListing, RunRow

MARK = ".suite-view"
MOST_PAIRED = 10  # runs of which every pair is compared unasked
SCRIPTS = ("table.js", "picks.js", "updates.js", "start.js")
ASSETS = ("style.css", "viewer.js", "runs.js")
_ROOM = resources("suite.view")


@dataclass
class ViewSite:
    """The files of a site. scratch: a folder for samples. texts: False leaves out those that a licence lets
    nobody pass on. compared: keys of each comparison that there is; None: it is served, and makes all.
    note: on the list, what it lacks."""

    listing: RunListing
    scratch: Path
    texts: bool = True
    compared: Sequence[Sequence[str]] | None = None
    note: str = ""
    _sources: dict[str, RunRow] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _drawing: threading.Lock = field(default_factory=threading.Lock)

    def files(self, path: str) -> bytes | None:
        """A file's bytes, None where there is none."""
        room, _, name = path.partition("/")
        if path == "index.html":
            return self._page("index", "", site=self, rows=self.listing.rows())
        if room == "assets":
            return _asset(name)
        if room == "samples":
            return self._samples(*name.partition("/")[::2])
        keys = re.sub(r"(\.anyway)?\.html$", "", name).split("--") if name.endswith(".html") else []
        rows = [row for key in dict.fromkeys(keys) if (row := self.listing.row(key))]
        fits = len(rows) == 1 if room == "runs" else room == "compare" and len(rows) > 1
        with self._drawing:  # plots are drawn one at a time
            return self._made(rows, ".anyway." in name) if fits and len(rows) == len(keys) else None

    def pieces(self) -> Iterator[tuple[str, bytes]]:
        """All files with their paths; samples come after the pages that name them were made."""
        paths = [f"runs/{row.key}.html" for row in self.listing.rows()]
        paths += [f"compare/{'--'.join(keys)}.html" for keys in self.compared or ()]
        for path in ("index.html", *(f"assets/{name}" for name in ASSETS), *paths):
            if (body := self.files(path)) is None:
                raise ConfigError(f"{path} names no two of the runs that are shown")
            yield path, body
        for name in self._sources:
            yield f"samples/{name}/index.js", self._samples(name, "index.js") or b""
            for file in (self.scratch / name / name).glob("part-*.js"):
                yield f"samples/{name}/{file.name}", self._samples(name, file.name) or b""

    def _page(self, template: str, root: str = "../", **values: object) -> bytes:
        made = environment().from_string((_ROOM / f"templates/{template}.html.j2").read_text("utf-8"))
        given = values | {"version": suite.__version__}
        return _bytes(page(made, viewer=bool(root), linked=Linked(root), base="", **given))

    def _made(self, rows: Sequence[RunRow], anyway: bool) -> bytes:
        """The page of a run, or of a comparison."""
        from suite.comparisons.comparison import ComparisonWanted, compare_runs
        from suite.comparisons.sections import sections

        try:
            if bad := next((row for row in rows if row.trouble), None):
                raise SuiteError(f"{bad.folder.name}: {bad.trouble}" if len(rows) > 1 else bad.trouble)
            left = {name for row in rows if not self.texts for name in withheld(Run(row.folder))}
            if len(rows) > 1:
                places = [str(row.folder.absolute()) for row in rows]
                found = compare_runs(places, ComparisonWanted(baseline=places[-1], examples=0, anyway=anyway))
                parts = {"site": self, "rows": rows, "left": left, "anyway": anyway, "drawer": Drawer()}
                return self._page("comparison", "../", found=found, sections=sections(found), **parts)
            note = "Questions and answers are left out: a licence lets nobody pass them on." if left else ""
            if rows[0].running:
                note = f"This run is being written: {rows[0].running}. Load the page again to see more."
            return _bytes(html_report(rows[0].folder, linked=Linked("../", self.source(rows[0]), note)))
        except Exception as error:  # torn meanwhile, not comparable, a task that is not here
            told = str(error) if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
            again = self.compared is None and "--anyway" in told
            return self._page("trouble", rows=rows, lines=told.splitlines(), again=again)

    def source(self, row: RunRow) -> str:
        """What a run's samples, as they are now, are called."""
        name = row.key if self.compared is not None else f"{row.key}-{row.digest}"
        self._sources.setdefault(name, row)
        return name

    def _samples(self, name: str, file: str) -> bytes | None:
        with self._lock:
            if (row := self._sources.get(name)) is None or not re.fullmatch(r"(index|part-\d+)\.js", file):
                return None
            place = self.scratch / name
            if not place.is_dir():
                run = Run(row.folder)
                source = ViewSource(run, texts=self.texts or not withheld(run), label=row.folder.name)
                with replaced_folder(place, MARK) as part:
                    try:
                        put_files(part, script_files(name, source))
                    except SuiteError as error:  # of a damaged journal; the page says it in their place
                        put_files(part, [trouble_script(name, error.what)])
                for old in [one for one in self._sources if self._sources[one].key == row.key][:-2]:
                    del self._sources[old]  # of a state before the last: no page of it is given out any more
                    shutil.rmtree(self.scratch / old, ignore_errors=True)
        return (place / name / file).read_bytes() if (place / name / file).is_file() else None


def write_site(
    listing: RunListing, out: Path, compared: Sequence[Sequence[str]], *, texts: bool
) -> tuple[int, str]:
    """Write the site as static files; how many, and what it lacks. compared: keys; none: every pair of up to
    ten runs.

    Raises ConfigError for a folder that holds something else, and where there are no runs.
    """
    keys, note = [row.key for row in listing.rows() if not row.trouble], ""
    if not keys:
        raise ConfigError(f"{listing.folder} holds no run that can be shown", fix="suite eval … makes one")
    if not compared and len(keys) <= MOST_PAIRED:
        compared = list(itertools.combinations(keys, 2))
    elif not compared:
        note = f"No comparison is written: every pair of {len(keys):,} runs is too much"
        note += f" (at most {MOST_PAIRED} runs). Name those that matter: --compare A,B"
    pairs = [(one, last) for *others, last in compared for one in others]  # a page of several leads to them
    compared = list(dict.fromkeys(map(tuple, [*compared, *pairs])))
    with replaced_folder(out, MARK) as part, tempfile.TemporaryDirectory() as scratch:
        return put_files(part, ViewSite(listing, Path(scratch), texts, compared, note).pieces()), note


def _bytes(pieces: Iterator[str]) -> bytes:
    return scrub("".join(pieces)).encode()


def _asset(name: str) -> bytes | None:
    style, *scripts = ((_ROOM / "static" / one).read_text("utf-8") for one in ("view.css", *SCRIPTS))
    made = (resource("report.css") + viewer_style() + style, viewer_script(), "".join(scripts))
    return made[ASSETS.index(name)].encode() if name in ASSETS else None
