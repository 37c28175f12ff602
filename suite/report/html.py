"""A run as one HTML file that opens offline: no request leaves it, no text in it can become markup.

The page carries its own Content-Security-Policy: nothing may load, and only this page's style and script,
by their hashes, apply. It is written piece by piece, so that memory does not grow with its size. Where there
are too many samples for one file they lie in a folder of scripts beside it, which the policy then allows.
"""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from suite.errors import ConfigError
from suite.journal.run import Run
from suite.report.hostile_text import clean
from suite.report.html_blocks import Drawer, environment, resource
from suite.report.local_site import POLICY
from suite.report.matrix import calls_grid, happened_grid, sweep_plot
from suite.report.plugin_sections import plugin_sections
from suite.report.run_facts import fact_lines, parameter_rows, run_facts
from suite.report.run_list import attempts_grid
from suite.report.summary import summarise
from suite.report.traces import pretty
from suite.report.viewer.embedding import OPENING, inline, viewer_script, viewer_style
from suite.report.viewer.source import ViewSource

if TYPE_CHECKING:
    from jinja2 import Template


MOST_INLINE = 10_000  # answers that one file holds


def policy(style: str, script: str, beside: bool = False) -> str:
    """The Content-Security-Policy of a page with this style and this script, and nothing else.

    beside: whether scripts may be loaded from where the page is.
    """
    own = "'self' file: " if beside else ""  # to Firefox a file is of no origin, and 'self' is nothing
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {own}{_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class Linked(NamedTuple):
    """Where a page of a site finds what it shares: style and script in `assets/`, samples in `samples/`.
    root: the way to the site's top, such as "../". source: of the run's samples. note: on them."""

    root: str
    source: str = ""
    note: str = ""


def html_report(
    folder: Path,
    scoring: str = "",
    *,
    linked: Linked | None = None,
    base: str = "",
    source: ViewSource | None = None,
) -> Iterator[str]:
    """The page in pieces, whole in itself or one of a site. Raises RunError if the folder holds no run.

    base: the folder beside the page that holds the samples, as scripts of the source "run"; "" puts them into
    the page. source: the run's, where it was made before.
    """
    if source is None and linked is None:
        source = ViewSource(Run(folder, scoring))
    if not base and source is not None and len(source) > MOST_INLINE:
        what = f"a page of {len(source):,} answers has a folder beside it"
        raise ConfigError(what, fix="write it to a file: suite report show RUN --html page.html")
    run = Run(folder, scoring) if source is None else source.run
    summary, told = summarise(run) if source is None else source.summary, run_facts(run)
    drawer = Drawer()
    grids = happened_grid(summary.tasks), calls_grid(summary.calls), attempts_grid(run)
    manifests = [("manifest.json", pretty(run.manifest, 200_000))]
    if run.scoring:
        manifests.append((f"scorings/{run.scoring}/manifest.json", pretty(run.scoring_manifest, 200_000)))
    return page(
        "report.html.j2", viewer=True, linked=linked, base=base, summary=summary, ran=list(fact_lines(told)),
        parameters=parameter_rows(told),
        plots=[plot and drawer.block(plot) for plot in (sweep_plot(t, summary.level) for t in summary.tasks)],
        sections=[drawer.section(one) for one in plugin_sections(run)],
        happened=[one for one in grids if one.rows],
        samples=() if source is None or base else inline("run", source),
        manifests=manifests,
        version=run.manifest.suite,
    )  # fmt: skip


def page(
    template: "str | Template",
    *,
    viewer: bool = False,
    linked: Linked | None = None,
    base: str = "",
    **values: object,
) -> Iterator[str]:
    """A page in pieces, with the reports' style and its own policy.

    viewer: whether it browses samples. base: the folder beside it that they are loaded from.
    """
    style, script = resource("report.css"), ""
    if viewer:
        style, script = style + viewer_style(), viewer_script()
    allowed = POLICY if linked else policy(style, script, bool(base))
    ours = {"policy": Markup(allowed), "style": Markup(style), "script": Markup(script)}  # nothing to escape
    pieces = environment().get_template(template).generate(linked=linked, base=base, **ours, **values)
    # once more over everything: whatever came here uncleaned ends here; samples were cleaned and then packed
    return (piece if piece.startswith(OPENING) else clean(piece) for piece in pieces)
