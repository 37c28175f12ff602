"""The benchmark's part of a report: how following and passing change with the number of instructions.

Works on plain records, one a cell; where they come from (a journal) is somebody else's business.
Only strict verdicts are drawn; the official ones stand beside them in the table of cells.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import suite
from suite_vibechecker import measures
from suite_vibechecker.parameters import Protocol
from suite_vibechecker.vericode import CATEGORY_TITLES, instruction

WORST = 10  # instructions shown
MODES: Mapping[Protocol, str] = {"single": "single turn", "multi": "multi turn"}


@dataclass(frozen=True, slots=True)
class Checked:
    """One instruction of one answer. followed: None where the verifier gave no verdict."""

    instruction: str
    followed: bool | None
    official: bool
    applicable: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: did its program pass (None: unscored), and its instructions in their order."""

    passed: bool | None
    checks: tuple[Checked, ...] = ()

    def followed(self) -> list[bool] | None:
        """Strict verdicts, None if one is missing."""
        known = [one.followed for one in self.checks if one.followed is not None]
        return known if len(known) == len(self.checks) else None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell's answers; k = 0 is the base question, shared by both modes."""

    mode: Protocol
    k: int
    answers: tuple[Answer, ...]

    def followed(self) -> list[list[bool]]:
        """Strict verdicts, a list an answer; answers with an unscored one are left out."""
        return [known for answer in self.answers if (known := answer.followed()) is not None]

    def official(self) -> list[list[bool]]:
        """Official verdicts, a list an answer."""
        return [[one.official for one in answer.checks] for answer in self.answers]

    def pass_rate(self) -> float | None:
        """pass@1 over the scored answers."""
        return measures.mean([float(one.passed) for one in self.answers if one.passed is not None])

    def joint(self) -> float | None:
        """Share of the scored answers that pass and follow everything."""
        scored = [
            (known, one.passed)
            for one in self.answers
            if (known := one.followed()) is not None and one.passed is not None
        ]
        return measures.joint([known for known, _ in scored], [passed for _, passed in scored])


def section(cells: Sequence[Cell]) -> suite.Section:
    """Everything the cells at hand can show."""
    ordered = sorted(cells, key=lambda cell: (cell.mode == "multi", cell.k))
    blocks: list[suite.Plot | suite.Table] = [cell_table(ordered)]
    if any(cell.k for cell in ordered):
        blocks += [
            curve(
                ordered, "All instructions followed", lambda cell: measures.task_following(cell.followed())
            ),
            curve(ordered, "pass@1", Cell.pass_rate, with_base=True),
            category_table(ordered),
            worst_table(ordered),
            position_table(ordered),
        ]
    return suite.Section("Following instructions, and still working", blocks)


def base_rate(cells: Iterable[Cell]) -> float | None:
    """pass@1 of the base question, None if no cell asked it."""
    return next((cell.pass_rate() for cell in cells if cell.k == 0), None)


def cell_table(cells: Sequence[Cell]) -> suite.Table:
    """A row a cell: following by instruction and task, passing, regression, joint; in percent."""
    base = base_rate(cells)
    rows = [
        (
            "base" if cell.k == 0 else MODES[cell.mode],
            cell.k,
            len(cell.answers),
            percent(measures.instruction_following(cell.followed())),
            percent(measures.task_following(cell.followed())),
            percent(measures.instruction_following(cell.official())),
            percent(measures.task_following(cell.official())),
            percent(cell.pass_rate()),
            percent(measures.regression(base, cell.pass_rate())) if cell.k else None,
            percent(cell.joint()),
        )
        for cell in cells
    ]
    columns = (
        "protocol", "k", "problems", "instructions %", "all %", "instructions official %", "all official %",
        "pass@1 %", "regression %", "joint %",
    )  # fmt: skip
    return suite.Table(columns, rows, title="By protocol and number of instructions")


def curve(
    cells: Sequence[Cell], title: str, value: Callable[[Cell], float | None], with_base: bool = False
) -> suite.Plot:
    """A value against k, a line for each protocol. with_base: both lines start at the base question."""
    lines = []
    for mode, name in MODES.items():
        own = [cell for cell in cells if (cell.k and cell.mode == mode) or (with_base and cell.k == 0)]
        points = [
            (float(cell.k), 100 * share)
            for cell in sorted(own, key=lambda one: one.k)
            if (share := value(cell)) is not None
        ]
        if any(cell.k for cell in own):
            lines.append(suite.Line(name, points))
    return suite.Plot(lines, x="instructions (k)", y=f"{title} (%)", title=title, y_range=(0.0, 100.0))


def category_table(cells: Sequence[Cell]) -> suite.Table:
    """Following and applicable rate by category, pooled over instances, at the largest k of each protocol."""
    last = _largest(cells)
    pooled = {cell.mode: _pooled(cell, lambda one: instruction(one.instruction).category) for cell in last}
    rows = []
    for category, title in CATEGORY_TITLES.items():
        found = {mode: table[category] for mode, table in pooled.items() if category in table}
        if found:
            cells_of_row: list[str | float | int | None] = [title]
            for cell in last:
                checks = found.get(cell.mode, [])
                cells_of_row += [
                    len(checks),
                    percent(_share(checks)),
                    percent(measures.mean([float(one.applicable) for one in checks])),
                ]
            rows.append(tuple(cells_of_row))
    columns = ["category"]
    for cell in last:
        name = f"{MODES[cell.mode]} k={cell.k}"
        columns += [f"{name}: n", f"{name}: followed %", f"{name}: applicable %"]
    return suite.Table(columns, rows, title="By category")


def worst_table(cells: Sequence[Cell]) -> suite.Table:
    """The instructions followed least, over the largest k of each protocol."""
    pooled: dict[str, list[Checked]] = {}
    for cell in _largest(cells):
        for name, checks in _pooled(cell, lambda one: one.instruction).items():
            pooled.setdefault(name, []).extend(checks)
    known = {name: share for name, checks in pooled.items() if (share := _share(checks)) is not None}
    rows = [
        (name, instruction(name).meaning, len(pooled[name]), percent(share))
        for name, share in sorted(known.items(), key=lambda pair: (pair[1], pair[0]))
    ]
    return suite.Table(("instruction", "meaning", "n", "followed %"), rows[:WORST], title="Followed least")


def position_table(cells: Sequence[Cell]) -> suite.Table:
    """Following by place in the list of instructions, checked on the final program, at the largest k."""
    rows = [
        (f"{MODES[cell.mode]} k={cell.k}", *map(percent, measures.by_position(cell.followed())))
        for cell in _largest(cells)
    ]
    width = max((len(row) for row in rows), default=1)
    padded = [(*row, *[None] * (width - len(row))) for row in rows]
    return suite.Table(("protocol", *map(str, range(1, width))), padded, title="By position (%)")


def percent(share: float | None) -> float | None:
    """A share as percent with two digits."""
    return None if share is None else round(100 * share, 2)


def _largest(cells: Sequence[Cell]) -> list[Cell]:
    best: dict[Protocol, Cell] = {}
    for cell in cells:
        if cell.k and (cell.mode not in best or cell.k > best[cell.mode].k):
            best[cell.mode] = cell
    return [best[mode] for mode in MODES if mode in best]


def _pooled(cell: Cell, label: Callable[[Checked], str]) -> dict[str, list[Checked]]:
    pooled: dict[str, list[Checked]] = {}
    for answer in cell.answers:
        for one in answer.checks:
            pooled.setdefault(label(one), []).append(one)
    return pooled


def _share(checks: Sequence[Checked]) -> float | None:
    return measures.mean([float(one.followed) for one in checks if one.followed is not None])
