"""A run as one HTML file that opens offline: no request leaves it, no text in it can become markup.

The page carries its own Content-Security-Policy: nothing may load, and only this page's style and script,
by their hashes, apply. It is written piece by piece, so that memory does not grow with its size.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from markupsafe import Markup

from suite.blocks import Block
from suite.journal.pairs import Key
from suite.journal.run import Run
from suite.report.hostile_text import clean
from suite.report.html_blocks import Drawer, environment, part, resource
from suite.report.matrix import calls_grid, happened_grid, sweep_plot
from suite.report.plugin_sections import own_views, plugin_sections
from suite.report.run_facts import fact_lines, parameter_rows, run_facts
from suite.report.run_list import attempts_grid
from suite.report.sample_choice import Choice, Picked, pick
from suite.report.summary import Summary, summarise
from suite.report.traces import parts_grid, pretty, traces, value_text

MOST_SAMPLES = 200
MOST_BYTES = 20_000_000


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
    summary, told = summarise(run), run_facts(run)
    choice = pick(run, most_samples)
    views, why = own_views(run, choice.picked)
    drawer = Drawer()
    labels = _labels(summary)
    written = [0]
    own = {one.key: views.get(one.key, ()) for one in choice.picked}
    pieces = page(
        "report.html.j2",
        script=resource("report.js"),
        summary=summary,
        ran=list(fact_lines(told)),
        parameters=parameter_rows(told),
        plots=[plot and drawer.block(plot) for plot in (sweep_plot(t, summary.level) for t in summary.tasks)],
        sections=[drawer.section(one) for one in plugin_sections(run)],
        happened=[
            one
            for one in (happened_grid(summary.tasks), calls_grid(summary.calls), attempts_grid(run))
            if one.rows
        ],
        shown_note=shown_note(choice),
        views_note=why,
        outcomes=sorted(
            {t for one in choice.picked for t in (one.outcome, one.output.output.finish)} - {"stop"}
        ),
        labels=list(labels.items()),
        samples=_samples(run, choice.picked, labels, own, drawer, written, most_bytes),
        manifests=_manifests(run),
        version=run.manifest.suite,
    )
    for piece in pieces:
        written[0] += len(piece.encode())
        yield piece


def page(template: str, script: str = "", **values: object) -> Iterator[str]:
    """A page in pieces, with the reports' style and its own policy."""
    style = resource("report.css")
    pieces = (
        environment()
        .get_template(template)
        .generate(
            policy=Markup(policy(style, script)),  # of hashes and quotes: nothing in it to escape
            style=Markup(style),
            script=Markup(script),
            **values,
        )
    )
    return map(clean, pieces)  # once more over everything: whatever came here uncleaned ends here


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
            left = f"{len(picked) - number:,}"
            yield Markup(f'<p class="cut">The page is full: {left} samples are left out.</p>')
            return
        drawn = draw_sample(run, one, labels.get(one.key.cell, ""), own[one.key], drawer)
        if len(drawn.encode()) > max(room // 10, 100_000):
            drawn = draw_sample(run, one, labels.get(one.key.cell, ""), own[one.key], drawer, traced=False)
        yield drawn


def draw_sample(
    run: Run, picked: Picked, label: str, own: Sequence[Block], drawer: Drawer, traced: bool = True
) -> Markup:
    """The sample, folded. label: of its cell. traced: with its calls."""
    score = picked.score
    calls = [*picked.output.calls, *(score.calls if score else ())]
    return part(
        "sample",
        picked,
        label,
        name=picked.key.sample + (f" (trial {picked.key.trial})" if picked.key.trial else ""),
        answer=run.text(picked.output),
        own=[drawer.safe_block(one) for one in own],
        values=[(name, value_text(value)) for name, value in score.values.items()] if score else (),
        parts=parts_grid(score.parts if score else ()),
        calls=traces(run, calls) if traced else (),
    )


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


def _manifests(run: Run) -> Iterator[tuple[str, str]]:
    yield "manifest.json", pretty(msgspec.to_builtins(run.manifest), 200_000)
    if run.scoring:
        judged = msgspec.to_builtins(run.scoring_manifest)
        yield f"scorings/{run.scoring}/manifest.json", pretty(judged, 200_000)
