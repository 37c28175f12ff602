"""PrefEval's own part of a report: what goes wrong in answers, and which letters are picked.

Accuracy over turns, by topic and by gold position are in the general report, which draws every sweep and
slice. Not here: computing rates (they are read from the results).
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import suite
from suite_prefeval import verdicts
from suite_prefeval.letters import LETTERS

GENERATION, CLASSIFICATION = "prefeval/generation", "prefeval/classification"
NONE = "none"


class Sections(suite.Analysis):
    """Error types of answers, and picks against gold letters."""

    name = "prefeval"
    title = "PrefEval: errors and picks"
    tasks = (GENERATION, CLASSIFICATION)

    def sections(self, runs: Sequence[suite.Run]) -> Iterator[suite.Section]:
        """Up to two sections a run."""
        for run in runs:
            cells = run.results.cells
            behind = f" ({run.name})" if len(runs) > 1 else ""
            if found := [cell for cell in cells if cell.task == GENERATION]:
                yield suite.Section(f"What goes wrong{behind}", tuple(error_types(found)))
            if found := [cell for cell in cells if cell.task == CLASSIFICATION]:
                yield suite.Section(f"Which letter is picked{behind}", tuple(picks(run, found)))


def label(cell: suite.CellResult, cells: Sequence[suite.CellResult]) -> str:
    """A cell's name by what tells it from the others: always method and turns, else what differs."""
    parameters = cell.parameters
    parts = [str(parameters["method"]), f"N={parameters['inter_turns']}"]
    for name, value in sorted(parameters.items()):
        if name in ("method", "inter_turns", "paper_turns"):
            continue
        if any(other.parameters.get(name) != value for other in cells):
            parts.append(f"{name}={value}")
    return ", ".join(parts)


def error_types(cells: Sequence[suite.CellResult]) -> Iterator[suite.Table | suite.Plot]:
    """The share of answers that are kept and of each error type: one row and one group of bars a cell."""
    names = ("kept", *verdicts.ERROR_TYPES)
    labels = [label(cell, cells) for cell in cells]
    rates = [_totals(cell) for cell in cells]
    yield suite.Table(
        columns=("cell", *names, "kept_official", "judge unparsed"),
        rows=[
            (
                name,
                *(rate.get(one) for one in names),
                rate.get("kept_official"),
                rate.get("judge_unparsed"),
            )
            for name, rate in zip(labels, rates, strict=True)
        ],
        title="Shares of answers; an answer has one error type at most",
    )
    lines = [
        suite.Line(
            one,
            [(float(x), value) for x, rate in enumerate(rates) if (value := rate.get(one)) is not None],
        )
        for one in names
    ]
    yield suite.Plot(
        [line for line in lines if line.points],
        y="share of answers",
        kind="bars",
        title="Kept, and what goes wrong otherwise",
        y_range=(0.0, 1.0),
        x_labels=labels,
    )


def _totals(cell: suite.CellResult) -> dict[str, float | None]:
    return {one.name: one.value for one in cell.metrics if not one.slice}


def picks(run: suite.Run, cells: Sequence[suite.CellResult]) -> Iterator[suite.Table]:
    """How often each letter is picked where each letter is right: a habit of one letter is a column."""
    wanted = {cell.cell for cell in cells}
    gold = {one.sample: one.tags.get("gold", "") for one in run.outputs() if one.cell in wanted}
    counts: dict[str, Counter[tuple[str, str]]] = {cell: Counter() for cell in wanted}
    for score in run.scores():
        if score.cell in wanted:
            picked = score.values.get("letter")
            counts[score.cell][gold.get(score.sample, ""), str(picked) if picked else NONE] += 1
    for cell in cells:
        found = counts[cell.cell]
        rows: list[tuple[suite.Shown, ...]] = [
            (right, *(found[right, picked] for picked in (*LETTERS, NONE))) for right in LETTERS
        ]
        yield suite.Table(
            columns=("right", *(f"picked {picked}" for picked in (*LETTERS, NONE))),
            rows=rows,
            title=f"{label(cell, cells)}: answers by right and picked letter",
        )


SECTIONS = Sections()
