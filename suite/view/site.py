"""Every file of the site by its path, made when it is asked for: what is served is what is exported.

    index.html, runs/KEY.html, compare/KEY--KEY.html, samples/NAME/part-0.js, assets/…

The first key of a comparison is the run that the others are compared with; `.anyway` before `.html` compares
what is not comparable. Samples are made once for a state of a run's files, in a folder of our own; nothing is
ever written into a run's.
"""

import itertools
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files as resources
from pathlib import Path

from markupsafe import Markup

import suite
from suite.errors import ConfigError, SuiteError
from suite.journal.run import Run
from suite.report.html import Linked, html_report, page
from suite.report.html_blocks import Drawer, environment, resource
from suite.report.local_site import replaced_folder
from suite.report.viewer.embedding import script_files, viewer_script, viewer_style
from suite.report.viewer.source import view_source
from suite.secrets import scrub
from suite.view.run_rows import RunListing, RunRow

MOST_PAIRED = 10  # runs of which every pair is compared unasked
SCRIPTS = ("table", "picks", "updates", "start")
_PAGE = re.compile(r"(runs|compare)/([a-z0-9-]+)(\.anyway)?\.html")


class ViewSite:
    """The files of a site. scratch: a folder for samples. texts: False leaves out those that a licence lets
    nobody pass on. compared: keys of each comparison that there is; None: it is served, and makes all."""

    def __init__(
        self,
        listing: RunListing,
        scratch: Path,
        *,
        texts: bool = True,
        compared: Sequence[Sequence[str]] | None = None,
    ) -> None:
        self.listing, self.texts, self.compared = listing, texts, compared
        self._scratch, self._sources = scratch, dict[str, RunRow]()
        self._page_of = lru_cache(32)(self._made)
        self._lock = threading.Lock()

    def files(self, path: str) -> bytes | None:
        """A file's bytes, None where there is none. Raises RunError for samples that cannot be read."""
        room, _, name = path.partition("/")
        if path == "index.html":
            return self._page("index", "", site=self, rows=self.listing.rows())
        if room == "assets":
            return asset(name)
        if room == "samples":
            return self._samples(*name.partition("/")[::2])
        if (found := _PAGE.fullmatch(path)) is None:
            return None
        rows = [self.listing.row(key) for key in found[2].split("--" if room == "compare" else "\n")]
        known = tuple(row._replace(html=Markup()) for row in rows if row is not None)
        if len({row.key for row in known}) < len(rows) or len(rows) != max(
            len(rows), 1 + (room == "compare")
        ):
            return None
        return self._page_of(known, found[3] is not None)

    def paths(self) -> Iterator[str]:
        """All paths; those of samples come after the pages that name them were made."""
        yield from ("index.html", *(f"assets/{name}" for name in ("style.css", "viewer.js", "runs.js")))
        yield from (f"runs/{row.key}.html" for row in self.listing.rows())
        yield from (f"compare/{'--'.join(keys)}.html" for keys in self.compared or ())
        for name in list(self._sources):
            self._samples(name, "index.js")
            yield from (f"samples/{name}/{one.name}" for one in (self._scratch / name).glob("*"))

    def _page(self, template: str, root: str = "../", **values: object) -> bytes:
        text = (resources("suite.view") / "templates" / f"{template}.html.j2").read_text("utf-8")
        made = environment().from_string(text)
        return _bytes(page(made, viewer=bool(root), linked=Linked(root), version=suite.__version__, **values))

    def _made(self, rows: Sequence[RunRow], anyway: bool) -> bytes:
        """The page of a run, or of a comparison. Cached for a state of the runs."""
        try:
            if trouble := next((row.trouble for row in rows if row.trouble), ""):
                raise SuiteError(trouble)
            left = sorted({name for row in rows for name in self._withheld(row)})
            if len(rows) > 1:
                return self._comparison(rows, left, anyway)
            note = (
                "Questions and answers are left out: a licence does not let them be passed on."
                if left
                else ""
            )
            if rows[0].running:
                note = f"This run is being written: {rows[0].running}. Load the page again to see more."
            return _bytes(html_report(rows[0].folder, linked=Linked("../", self._source(rows[0]), note)))
        except Exception as error:  # torn meanwhile, not comparable, a task that is not here
            told = str(error) if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
            again = self.compared is None and "--anyway" in told
            return self._page("trouble", rows=rows, lines=told.splitlines(), again=again)

    def _comparison(self, rows: Sequence[RunRow], left: Sequence[str], anyway: bool) -> bytes:
        from suite.comparisons.comparison import ComparisonWanted, compare_runs
        from suite.comparisons.sections import sections

        asked = ComparisonWanted(baseline=rows[0].folder.name, examples=0, anyway=anyway)
        found = compare_runs([str(row.folder.absolute()) for row in rows], asked)
        places = [{cell.cell: at for at, cell in enumerate(one.run.manifest.cells)} for one in found.runs]
        sources = [self._source(row) for row in rows]
        return self._page(
            "comparison", rows=rows, left=left, anyway=anyway, drawer=Drawer(), found=found, places=places,
            sources=sources, parts=sections(found),
        )  # fmt: skip

    def _withheld(self, row: RunRow) -> list[str]:
        from suite.report.rows import withheld

        return [] if self.texts else withheld(Run(row.folder))

    def _source(self, row: RunRow) -> str:
        name = row.key if self.compared is not None else f"{row.key}-{row.digest}"
        self._sources.setdefault(name, row)
        return name

    def _samples(self, name: str, file: str) -> bytes | None:
        place = self._scratch / name
        with self._lock:
            row = self._sources.get(name)
            if row is None or not re.fullmatch(r"[a-z0-9-]+\.js", file):
                return None
            if not place.is_dir():
                alike = sum(one.model == row.model for one in self.listing.rows())
                label = row.model if alike == 1 else row.folder.name
                source = view_source(Run(row.folder), texts=not self._withheld(row), label=label)
                part = self._scratch / "new"
                shutil.rmtree(part, ignore_errors=True)
                (part / name).mkdir(parents=True)
                for path, body in script_files(name, source):
                    (part / path).write_bytes(body)
                (part / name).replace(place)
                for old in [one for one in self._sources if self._sources[one].key == row.key][:-2]:
                    del self._sources[old]  # of a state before the last: no page of it is given out any more
                    shutil.rmtree(self._scratch / old, ignore_errors=True)
        return (place / file).read_bytes() if (place / file).is_file() else None


def write_site(
    listing: RunListing, out: Path, compared: Sequence[Sequence[str]] = (), *, texts: bool = False
) -> int:
    """Write the site as static files; how many. compared: else every pair of up to ten runs.

    Raises ConfigError for a folder that holds something else, and where there are no runs.
    """
    keys = [row.key for row in listing.rows() if not row.trouble]
    if not keys:
        raise ConfigError(f"{listing.folder} holds no run that can be shown", fix="suite eval … makes one")
    if not compared and len(keys) <= MOST_PAIRED:
        compared = list(itertools.combinations(keys, 2))
    with replaced_folder(out, ".suite-view") as part, tempfile.TemporaryDirectory() as scratch:
        site = ViewSite(listing, Path(scratch), texts=texts, compared=compared)
        count = 0
        for path in site.paths():
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            (part / path).write_bytes(site.files(path) or b"")
            count += 1
    return count


def _bytes(pieces: Iterator[str]) -> bytes:
    return scrub("".join(pieces)).encode()


@cache
def asset(name: str) -> bytes | None:
    """A style or script that pages share."""
    static = resources("suite.view") / "static"
    if name == "style.css":
        return (resource("report.css") + viewer_style() + (static / "view.css").read_text("utf-8")).encode()
    if name == "viewer.js":
        return viewer_script().encode()
    own = "\n".join((static / f"{one}.js").read_text("utf-8") for one in SCRIPTS)
    return f"(() => {{\n{own}}})();\n".encode() if name == "runs.js" else None
