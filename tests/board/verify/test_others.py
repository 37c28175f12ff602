"""What only a board's other entries show is found, with numbers and names; honest entries are left alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from suite.board.bundle.rungs import Findings, RungFinding
from suite.board.define.board import Board
from suite.board.define.parts import DEFAULTS
from suite.board.entry import ColumnResult
from suite.board.repository.shelves import open_repository
from suite.board.verify.column_results import CellUnits, VerifiedColumn, Want, per_sample_file
from suite.board.verify.plausibility.others import Beside, chance_of, check_others, check_pasted
from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.reply_digests import ReplyCollector
from suite.board.verify.subject import VerifiedRun
from suite.journal.records import CellPlan
from suite.run.cells import Cell
from tests.board import accepted

SAMPLES = 400
DIFFICULTY = np.linspace(0.1, 0.9, SAMPLES)
CELL = "cell-family/task-0"


def solved(seed: int, gain: float = 0.0) -> np.ndarray:
    """0/1 of every sample of one column: later samples are easier for everybody."""
    chance = np.random.default_rng(seed)
    return (chance.random(SAMPLES) < np.clip(DIFFICULTY + gain, 0, 1)).astype(float)


def shelf(root: Path, *values: np.ndarray, **changes: Any) -> Board:
    """A board with one column and an entry for each."""
    made = accepted.board(root, 1, **changes)
    for number, one in enumerate(values):
        accepted.entry(root, made, number, one[None, :])
    return made


def subject(usual: float = 0.1, failed: set[int] | None = None) -> VerifiedRun:
    found = VerifiedRun("r", None, Findings())  # type: ignore[arg-type]
    found.usual[CELL] = usual
    if failed:
        found.failed[CELL] = failed
    return found


def column(values: np.ndarray, direction: str = "higher") -> VerifiedColumn:
    """A column from 0/1 of samples; NaN is no value."""
    scored = ~np.isnan(values)
    n = int(scored.sum())
    value = float(np.nanmean(values))
    half = 1.96 * (value * (1 - value) / n) ** 0.5
    zeros = np.zeros(len(values), dtype=np.uint64)
    names = np.arange(len(values), dtype=np.uint64)
    units = CellUnits(
        CELL,
        names,
        zeros,
        np.full(len(values), "", dtype=object),
        np.nan_to_num(values),
        scored.astype(float),
    )
    result = ColumnResult(
        key="family/task-0",
        task="family/task",
        headline="correct",
        value=value,
        low=value - half,
        high=value + half,
        level=0.95,
        method="",
        n=n,
        unscored=0,
        coverage=1.0,
        direction=direction,  # type: ignore[arg-type]
        unit="",
        range=None,
        paired=True,
        cells=[CELL],
        tokens=None,
        seconds=0.0,
    )
    return VerifiedColumn(result, (units,))


def found(
    root: Path,
    board: Board,
    values: np.ndarray,
    *,
    identity: str = "lab/mine",
    supersedes: str | None = None,
    direction: str = "higher",
    mine: VerifiedRun | None = None,
) -> list[RungFinding]:
    """What is found of an entry with these values beside all that are on the board."""
    findings = Findings()
    entries = open_repository(root)[0].entries()
    theirs = entries[0].submission
    model = replace(theirs.model, display_name="Mine", identity=replace(theirs.model.identity, name=identity))
    submission = replace(theirs, model=model, supersedes=supersedes)
    columns = [column(values, direction)]
    digests = ReplyCollector().digests()
    subjects = [mine or subject()]
    table = root / "mine.parquet"
    table.write_bytes(per_sample_file(columns, "0" * 64))
    results = [one.result for one in columns]
    beside = Beside(board, submission, "standard", results, table, digests, subjects, entries)
    check_others(beside, OddRules(board.thresholds, findings))
    return list(findings)


def codes(findings: list[RungFinding]) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in findings]


class TestMissing:
    def test_samples_without_a_value_where_others_do_worst(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, *(solved(n) for n in range(3)))
        values = solved(10)
        values[:40] = np.nan  # the hardest tenth, as hidden omission would choose it
        (one,) = found(tmp_path, board, values)
        assert (one.code, one.severity) == ("R9.missing-hard", "warning")
        assert "hard samples" in one.found
        assert "p = " in one.found

    def test_as_many_anywhere_are_honest(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, *(solved(n) for n in range(3)))
        for seed in range(5):
            values = solved(10 + seed)
            values[np.random.default_rng(seed).choice(SAMPLES, 40, replace=False)] = np.nan
            assert found(tmp_path, board, values) == []

    def test_failures_there_are_but_noted(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, *(solved(n) for n in range(3)))
        mine = subject(failed=set(range(40)))
        assert codes(found(tmp_path, board, solved(10), mine=mine)) == [("R9.missing-hard", "note")]

    def test_where_less_is_better_the_ends_are_turned(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, *(1 - solved(n) for n in range(3)))
        values = 1 - solved(10)
        values[:40] = np.nan
        told = codes(found(tmp_path, board, values, direction="lower"))
        assert told == [("R9.missing-hard", "warning")]
        assert found(tmp_path, board, values) == []  # read the other way, these were the easy ones


class TestEqualScores:
    def test_of_another_model_is_told_with_both_names(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, solved(0), solved(1))
        (one,) = found(tmp_path, board, solved(1))
        assert (one.code, one.severity) == ("R9.equal-scores", "warning")
        assert "of Mine as of Model 001" in one.found

    def test_of_the_same_model_or_of_chance_is_not(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, solved(0))
        assert found(tmp_path, board, solved(0), identity="lab/model-0") == []
        other = tmp_path / "trivial"
        board = shelf(other, np.ones(SAMPLES))
        assert found(other, board, np.ones(SAMPLES)) == []

    def test_one_letter_for_every_question_is_no_copy(self, tmp_path: Path) -> None:
        """Two small models that always pick A have the score of where A was put."""
        board = shelf(tmp_path, solved(0))
        assert found(tmp_path, board, solved(0), mine=subject(usual=0.97)) == []

    def test_chance(self) -> None:
        assert chance_of(np.ones(100)) == 1.0
        assert chance_of(np.zeros(0)) == pytest.approx(1.0)
        assert chance_of(np.array([0.0, 1.0] * 2)) == pytest.approx(1 / 6)
        assert chance_of(np.array([0.0, 1.0, np.nan])) == pytest.approx(1 / 6)


class TestPasted:
    def check(self, *tasks: tuple[str, np.ndarray, float]) -> list[RungFinding]:
        """What is found of a bundle of cells: (task, values, share of usual outputs)."""
        findings = Findings()
        wants, columns = [], []
        for number, (task, values, usual) in enumerate(tasks):
            one = column(values)
            (units,) = one.units
            units.cell = f"cell-{number}"
            units.sample = np.sort(np.random.default_rng(number).integers(0, 2**63, SAMPLES, np.uint64))
            mine = VerifiedRun("r", None, findings)  # type: ignore[arg-type]
            mine.usual[units.cell] = usual
            order = np.random.default_rng(100 + number).permutation(SAMPLES)
            mine.order[units.cell] = array_of(units.sample[order])
            top = np.empty(SAMPLES)
            top[order] = np.nan_to_num(values)  # `values` stand in the order of the data
            units.top = top
            plan = CellPlan(units.cell, task, 1, {}, {}, "own", "", "")
            cell = Cell(None, plan)  # type: ignore[arg-type]
            wants.append(Want(f"column-{number}", "x", ((mine, cell),)))
            columns.append(one)
        check_pasted(wants, columns, OddRules(DEFAULTS, findings))
        return list(findings)

    def test_scores_pasted_from_another_task_in_the_datas_order(self) -> None:
        (one,) = self.check(("a/one", solved(0), 0.1), ("a/two", solved(0), 0.1))
        assert (one.code, one.severity) == ("R9.equal-scores", "warning")
        assert "a/two and a/one" in one.found

    def test_what_says_nothing(self) -> None:
        assert self.check(("a/one", solved(0), 0.1), ("a/two", solved(1), 0.1)) == []
        assert self.check(("a/one", solved(0), 0.1), ("a/one", solved(0), 0.1)) == []  # two cells of a task
        assert self.check(("a/one", np.ones(SAMPLES), 0.1), ("a/two", np.ones(SAMPLES), 0.1)) == []
        assert self.check(("a/one", solved(0), 0.95), ("a/two", solved(0), 0.95)) == []


def array_of(values: np.ndarray) -> Any:
    from array import array

    made = array("Q")
    made.frombytes(values.tobytes())
    return made


class TestHeights:
    def test_a_leap_asks_for_a_rerun(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, solved(0), solved(1))
        (one,) = found(tmp_path, board, solved(2, 0.35))
        assert (one.code, one.severity) == ("R9.leap", "note")
        assert "--rerun" in one.what
        assert "Model 00" in one.found
        assert found(tmp_path, board, solved(2, 0.05)) == []

    def test_a_leap_where_less_is_better(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, solved(0))
        low = 1 - solved(2, 0.35)
        assert codes(found(tmp_path, board, low, direction="lower")) == [("R9.leap", "note")]
        assert found(tmp_path, board, low) == []

    def test_a_ceiling(self, tmp_path: Path) -> None:
        tasks = [{"task": "family/task-0", "version": 1, "ceiling": 0.55}]
        board = shelf(tmp_path, solved(0), tasks=tasks)
        (one,) = found(tmp_path, board, solved(2, 0.1))
        assert (one.code, one.severity) == ("R9.ceiling", "note")
        assert one.expected == "at most 0.55"
        assert found(tmp_path, board, solved(2)) == []

    def test_the_boards_own_thresholds_count(self, tmp_path: Path) -> None:
        board = shelf(tmp_path, solved(0), plausibility={"leap_errors": 50})
        assert found(tmp_path, board, solved(2, 0.35)) == []


class TestAccretion:
    def grown(self, root: Path, *gained: int, lost: int = 0) -> list[RungFinding]:
        """Versions that each solve so many more; the last one, which `lost` so many, is being submitted."""
        values = solved(0)
        board = accepted.board(root, 1)
        failing = [int(one) for one in np.flatnonzero(values == 0)]
        passing = [int(one) for one in np.flatnonzero(values == 1)]
        name = None
        for number, more in enumerate(gained):
            name = accepted.entry(
                root,
                board,
                number,
                values[None, :].copy(),
                submission={"supersedes": name, "model": {"identity": {"name": "lab/mine"}}},
                record={"status": "superseded", "by": "0" * 64} if number < len(gained) - 1 else None,
            )
            for _ in range(more):
                values[failing.pop()] = 1.0
        for _ in range(lost):
            values[passing.pop()] = 0.0
        return found(root, board, values, supersedes=name)

    def test_only_ever_better_over_three_versions(self, tmp_path: Path) -> None:
        (one,) = self.grown(tmp_path, 6, 7)
        assert (one.code, one.severity) == ("R9.accretion", "warning")
        assert one.found.startswith("13 better, 0 worse")
        assert one.found.endswith("over 3 versions")

    def test_honest_changes_go_both_ways_or_are_few(self, tmp_path: Path) -> None:
        assert self.grown(tmp_path / "both", 6, 7, lost=1) == []
        assert self.grown(tmp_path / "few", 4, 5) == []


def test_a_threshold_of_the_boards_file_is_read(tmp_path: Path, good: Callable[..., Any]) -> None:
    board = shelf(tmp_path, solved(0), plausibility={"equal_scores_p": 0})
    assert found(tmp_path, board, solved(0)) == []
