"""A run as one HTML file that opens offline: no request leaves it, no text in it can become markup.

The page carries its own Content-Security-Policy: nothing may load, and only this page's style and script,
by their hashes, apply. It is written piece by piece, so that memory does not grow with its size.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from suite.blocks import Block
from suite.journal.pairs import Key
from suite.journal.run import Run
from suite.report.hostile_text import clean
from suite.report.html_blocks import Drawer, definitions, grid_table
from suite.report.html_results import task_view
from suite.report.html_samples import draw_sample, pretty
from suite.report.matrix import Grid, calls_grid, happened_grid
from suite.report.numbers import plain
from suite.report.plugin_sections import own_views, plugin_sections
from suite.report.run_list import attempts_grid
from suite.report.sample_choice import Choice, Picked, pick
from suite.report.summary import Summary, summarise

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_SAMPLES = 200
MOST_BYTES = 20_000_000


@cache
def _resource(name: str) -> str:
    return (files("suite.report") / "templates" / name).read_text("utf-8")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=False,
    )


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy of a page with this style and this script, and nothing else."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def html_report(
    folder: Path, scoring: str = "", *, most_samples: int = MOST_SAMPLES, most_bytes: int = MOST_BYTES
) -> Iterator[str]:
    """The page in pieces. Raises RunError if the folder holds no run.

    most_samples: how many samples can be browsed. most_bytes: where the page stops taking more of them.
    """
    run = Run(folder, scoring)
    summary = summarise(run)
    choice = pick(run, most_samples)
    views, why = own_views(run, choice.picked)
    drawer = Drawer()
    labels = _labels(summary)
    style, script = _resource("report.css"), _resource("report.js")
    written = [0]
    own = {one.key: views.get(one.key, ()) for one in choice.picked}
    samples = _samples(run, choice.picked, labels, own, drawer, written, most_bytes)
    pieces = (
        _environment()
        .get_template("report.html.j2")
        .generate(
            policy=Markup(policy(style, script)),  # of hashes and quotes: nothing in it to escape
            style=Markup(style),
            script=Markup(script),
            summary=summary,
            tasks=[task_view(task, summary.level, drawer) for task in summary.tasks],
            sections=[drawer.section(one) for one in plugin_sections(run)],
            happened=[(grid.title, grid_table(grid)) for grid in _happened(run, summary)],
            seconds=f"{summary.seconds:,.1f} seconds of running so far." if summary.seconds else "",
            shown_note=shown_note(choice),
            views_note=f"The tasks' own views of samples are left out: {why}" if why else "",
            outcomes=_outcomes(choice),
            labels=list(labels.items()),
            samples=samples,
            facts=definitions(_facts(run)),
            manifests=list(_manifests(run)),
            version=run.manifest.suite,
        )
    )
    for piece in map(clean, pieces):  # once more over everything: whatever came here uncleaned ends here
        written[0] += len(piece.encode())
        yield piece


def _labels(summary: Summary) -> dict[str, str]:
    several = len(summary.tasks) > 1
    return {
        cell.id: " · ".join(filter(None, (task.name if several or not cell.label else "", cell.label)))
        for task in summary.tasks
        for cell in task.cells
    }


def _samples(
    run: Run,
    picked: Sequence[Picked],
    labels: dict[str, str],
    own: dict[Key, Sequence[Block]],
    drawer: Drawer,
    written: list[int],
    most_bytes: int,
) -> Iterator[Markup]:
    """Samples until the page is full; first their calls are left out, then the samples."""
    room = most_bytes - 500_000  # for what follows
    for number, one in enumerate(picked):
        if written[0] > room:
            yield Markup('<p class="cut">The page is full: {:,} samples are left out.</p>').format(
                len(picked) - number
            )
            return
        drawn = draw_sample(run, one, labels.get(one.key.cell, ""), own[one.key], drawer)
        if len(drawn.encode()) > max(room // 10, 100_000):
            drawn = draw_sample(run, one, labels.get(one.key.cell, ""), own[one.key], drawer, traced=False)
        yield drawn


def shown_note(choice: Choice) -> str:
    """How many of how many samples can be browsed, and how they were chosen."""
    shown = len(choice.picked)
    if not choice.total:
        return "There are no outputs yet."
    if shown == choice.total:
        return f"All {shown:,}." if shown > 1 else "The only one."
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(choice.kinds.items()))
    return (
        f"{shown:,} of {choice.total:,}, chosen so that every cell and every kind of outcome is among them "
        f"(in all: {kinds}); within a kind by the hash of the id, so the same in every cell."
    )


def _outcomes(choice: Choice) -> list[str]:
    found = {one.outcome for one in choice.picked}
    found |= {one.output.output.finish for one in choice.picked if one.output.output.finish != "stop"}
    return sorted(found)


def _happened(run: Run, summary: Summary) -> Iterator[Grid]:
    yield happened_grid(summary.tasks)
    if summary.calls:
        yield calls_grid(summary.calls)
    attempts = attempts_grid(run)
    if attempts.rows:
        yield attempts


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    names = ("created", "suite", "seed", "trials", "limit", "mini", "shard", "prompts", "plan_sha256")
    manifest = msgspec.to_builtins(run.manifest)
    for name in names:
        if manifest[name] is not None:
            yield name, plain(manifest[name])
    for name in ("data", "versions", "hardware"):
        for key, value in manifest[name].items():
            yield f"{name}: {key}", plain(value)


def _manifests(run: Run) -> Iterator[tuple[str, str]]:
    yield "manifest.json", pretty(msgspec.to_builtins(run.manifest), 200_000)
    if run.scoring:
        judged = msgspec.to_builtins(run.scoring_manifest)
        yield f"scorings/{run.scoring}/manifest.json", pretty(judged, 200_000)
