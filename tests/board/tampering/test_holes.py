"""Forgeries that agree with themselves in every document, and once went through: found now, or of no use."""

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import good_bundles
import pytest
from forge_records import replaced
from tamper import Forged

from suite.board.bundle.contents import open_bundle
from suite.board.bundle.rungs import Findings
from suite.board.define.board import Board, load_board
from suite.board.verify import Rerun, VerifiedBundle, verify, world
from suite.board.verify.equality import same
from suite.board.verify.reproduction import pick
from suite.board.verify.subject import VerifiedRun
from suite.chat import Usage
from suite.journal.run import Run
from tests.board.making import as_values


def errors(found: VerifiedBundle) -> set[str]:
    return {one.code for one in found.findings if one.severity == "error"}


def changed(board: Board, folder: Path, old: str, new: str) -> Board:
    """The same board with a line written otherwise."""
    assert board.path is not None
    text = board.path.read_text()
    assert old in text
    path = folder / "other-board.yaml"
    path.write_text(text.replace(old, new))
    return load_board(path)


def for_board(forged: Forged, board: Board) -> None:
    forged.submission["board"] = {
        "id": board.id,
        "version": board.version,
        "definition_sha256": board.sha256,
    }


def custom(forged: Forged, changes: Iterable[str]) -> None:
    forged.submission["submission_type"] = "custom"
    forged.submission["disclosure"]["changes"] = [{"what": one, "why": "to see"} for one in changes]


class TestRoles:
    def test_one_judge_on_two_seats(self, good: Callable[..., Any], tmp_path: Path) -> None:
        """A panel of two in the manifest, of which one member was ever asked."""
        board = good("pairs")[1]
        alone = replace(good_bundles.RECIPES["pairs"], judges=1)
        run = good_bundles.run(alone, tmp_path / "run")
        forged = Forged(good_bundles.bundle([run], board, tmp_path / "bundle"))
        judges = forged.scoring["roles"]["judge"]
        judges.append({**copy.deepcopy(judges[0]), "spec": "scripted/constant?text=judge1"})
        forged.reseal()
        assert "R3.roles" in errors(verify(forged.bundle, board=board))

    def test_a_judge_described_twice(self, good: Callable[..., Any], tmp_path: Path) -> None:
        """The board's judge in the scoring, the judge that was asked in the run's own manifest."""
        board = good("judged")[1]
        hot = [("judge", "temperature", "1.5")]
        run = good_bundles.run(good_bundles.RECIPES["judged"], tmp_path / "run", options=hot)
        forged = Forged(good_bundles.bundle([run], board, tmp_path / "bundle"))
        (judge,) = forged.scoring["roles"]["judge"]
        forged.manifest["roles"]["judge"] = [{**copy.deepcopy(judge), "stage": "both"}]
        judge["sampling"] = {}
        forged.reseal()
        assert "R3.roles" in errors(verify(forged.bundle, board=board))

    def test_a_partner_described_twice(self, forged: Callable[..., Any]) -> None:
        made, board = forged("pairs")
        partner = made.manifest["roles"]["baseline"][0]
        made.scoring["roles"]["baseline"] = [copy.deepcopy(partner)]
        partner["spec"] = "openai/weak"
        made.reseal()
        assert errors(verify(made.bundle, board=board)) & {"R3.roles", "R5.role"}

    @pytest.mark.parametrize(
        ("field", "value"),
        [("member", "candidate/2"), ("stage", "both"), ("needs", ["rate"]), ("sampling", {"logprobs": 3})],
    )
    def test_a_candidate_that_no_run_has(self, field: str, value: Any, forged: Callable[..., Any]) -> None:
        made, board = forged("choice")
        made.manifest["roles"]["candidate"][0][field] = value
        if field == "member":
            for call in made.calls:
                call.role = value
        made.reseal()
        assert "R3.roles" in errors(verify(made.bundle, board=board))

    def test_a_second_candidate(self, forged: Callable[..., Any]) -> None:
        made, board = forged("choice")
        second = {**copy.deepcopy(made.manifest["roles"]["candidate"][0]), "member": "candidate/2"}
        made.manifest["roles"]["candidate"].append(second)
        made.reseal()
        assert "R3.roles" in errors(verify(made.bundle, board=board))

    def test_a_role_that_no_task_has(self, forged: Callable[..., Any]) -> None:
        made, board = forged("choice")
        judge = {**copy.deepcopy(made.manifest["roles"]["candidate"][0]), "member": "judge", "stage": "score"}
        made.scoring["roles"]["judge"] = [judge]
        made.reseal()
        assert "R3.roles" in errors(verify(made.bundle, board=board))

    def test_an_endpoint_called_weights(self, forged: Callable[..., Any], tmp_path: Path) -> None:
        """A board that takes no endpoints is not told that one is a model of the hub."""
        made, board = forged("choice")
        closed = changed(board, tmp_path, "candidate: {", "candidate: {allow: [hub, local], ")
        made.manifest["roles"]["candidate"][0]["spec"] = "openai/constant?text=candidate"
        for_board(made, closed)
        made.reseal()
        assert "R5.candidate" in errors(verify(made.bundle, board=closed))


class TestNumbers:
    def test_a_narrow_level(self, forged: Callable[..., Any], good: Callable[..., Any]) -> None:
        """Intervals of 5 % are not shown as the board's 95 %."""
        made, board = forged("judged")
        made.scoring["level"] = made.results["level"] = 0.05
        made.reseal()
        honest = as_values(verify(good("judged")[0], board=board))["columns"][0]
        found = verify(made.bundle, board=board)
        assert found.exit_code() == 0
        assert as_values(found)["columns"][0] == honest

    def test_a_level_is_told_without_a_board(self, forged: Callable[..., Any]) -> None:
        made, _ = forged("judged")
        made.scoring["level"] = made.results["level"] = 0.5
        made.reseal()
        (column,) = as_values(verify(made.bundle))["columns"]
        rows = as_values(verify(made.bundle))["recomputed"][0]["metrics"]
        row = next(one for one in rows if one["headline"] and not one["slice"])
        assert (column["level"], column["low"]) == (row["level"], row["low"])

    def test_tokens_are_of_the_columns_cells(self, good: Callable[..., Any], tmp_path: Path) -> None:
        """Cells that the board does not ask for don't thin out what its cells cost."""
        folder, board = good("choice")
        forged = Forged(good_bundles.copy(folder, tmp_path / "bundle"))
        only = changed(board, tmp_path, "[zero-shot, remind]", "[remind]")
        for_board(forged, only)
        forged.save()
        (cell,) = (one["cell"] for one in forged.manifest["cells"] if one["parameters"]["method"] == "remind")
        named = {call for one in forged.outputs if one.cell == cell for call in one.calls}
        usages = [call.reply.usage for call in forged.calls if call.id in named]
        (column,) = as_values(verify(forged.bundle, board=only))["columns"]
        assert column["tokens"]["prompt"] == sum(one.prompt for one in usages)
        assert column["tokens"]["completion"] == sum(one.completion for one in usages)

    def test_tokens_of_which_most_are_left_out(self, forged: Callable[..., Any]) -> None:
        """Replies that do not tell what they cost make the whole unknown, and not cheap."""
        made, board = forged("choice")
        for call in made.calls[1:]:
            call.reply = replaced(call.reply, usage=Usage())
        made.reseal()
        assert as_values(verify(made.bundle, board=board))["columns"][0]["tokens"] is None

    def test_the_infinite_equals_no_number(self) -> None:
        assert not same(float("inf"), 0.5)
        assert same(float("inf"), float("inf"))

    def test_a_sweep_without_its_hard_cell(self, good: Callable[..., Any], tmp_path: Path) -> None:
        """A column is the mean over all its cells, or there is none: whatever is declared."""
        board = good("choice")[1]
        recipe = replace(
            good_bundles.RECIPES["choice"], parameters=(("", "method", "remind"), ("", "inter_turns", "0,1"))
        )
        run = good_bundles.run(recipe, tmp_path / "run")
        forged = Forged(good_bundles.bundle([run], board, tmp_path / "bundle"))
        custom(forged, ["parameters"])
        forged.save()
        found = verify(forged.bundle, board=board)
        assert [one["value"] for one in as_values(found)["columns"]] == []

    def test_a_part_of_the_samples_is_never_ranked(self, good: Callable[..., Any], tmp_path: Path) -> None:
        recipe = good_bundles.RECIPES["choice"]
        run = good_bundles.run(recipe, tmp_path / "run", limit=2)
        board = good("choice")[1]
        forged = Forged(good_bundles.bundle([run], board, tmp_path / "bundle"))
        custom(forged, ["subset"])
        forged.save()
        found = verify(forged.bundle, board=board)
        assert as_values(found)["class"] == "custom"
        assert found.trust == "L0"

    @pytest.mark.parametrize(("headline", "capped"), [("kept", True), ("answered", False)])
    def test_the_cap_is_on_the_metric_of_the_column(
        self, headline: str, capped: bool, good: Callable[..., Any], tmp_path: Path
    ) -> None:
        """What the judge says of one metric says nothing of another."""
        board = good("judged")[1]
        lines = f"data: mini\n    headline: {headline}\n    caps: {{unscored: 0.5}}"
        board = changed(board, tmp_path, "data: mini", lines)
        run = good_bundles.run(good_bundles.RECIPES["judged"], tmp_path / "run", judge="hm ~ hm")
        found = verify(good_bundles.bundle([run], board, tmp_path / "bundle"), board=board)
        assert ("R4.too-many-unscored" in errors(found)) is capped

    def test_custom_without_a_board(self, forged: Callable[..., Any]) -> None:
        made, _ = forged("choice")
        custom(made, ["prompt"])
        made.save()
        assert as_values(verify(made.bundle))["class"] == "custom"


class TestWhatIsAskedAgain:
    """Genuine records of no weight must not keep a re-run away from those that count."""

    def picked(self, folder: Path, count: int, cells: Any = None) -> dict[tuple[str, str], int]:
        (run,) = (folder / "runs").iterdir()
        with open_bundle(folder, Findings()) as bundle:
            assert bundle is not None
            subjects = [
                VerifiedRun(one.entry.run_id, Run(one.folder, one.entry.scoring), Findings())
                for one in bundle.runs
            ]
            return dict(pick(subjects, count, "seed", cells)[run.name])

    def test_only_of_the_boards_cells(self, good: Callable[..., Any]) -> None:
        folder, _ = good("choice")
        (run,) = (folder / "runs").iterdir()
        cell = Forged(folder).manifest["cells"][1]["cell"]
        found = self.picked(folder, 6, {(run.name, cell)})
        assert len(found) == 6
        assert {one for one, _ in found} == {cell}

    def test_as_many_of_each_cell(self, good: Callable[..., Any]) -> None:
        folder, _ = good("choice")
        found = self.picked(folder, 6)
        assert sorted(Counter(cell for cell, _ in found).values()) == [3, 3]

    def test_of_any_trial(self, good: Callable[..., Any]) -> None:
        found = self.picked(good("judged")[0], 6)
        assert set(found.values()) == {0, 1}

    def test_a_board_says_which_cells(self, good: Callable[..., Any], tmp_path: Path) -> None:
        """All of the cell that counts is fabricated, nothing of the other one."""
        folder, board = good("choice")
        forged = Forged(good_bundles.copy(folder, tmp_path / "bundle"))
        only = changed(board, tmp_path, "[zero-shot, remind]", "[remind]")
        for_board(forged, only)
        forged.save()
        found = verify(
            forged.bundle, board=only, again=Rerun(12, {"candidate": ["scripted/words"]}, seed="a")
        )
        assert as_values(found)["rerun"]["samples"] == min(12, len(forged.outputs) // 2)


class TestEffortOfVerifying:
    @pytest.mark.parametrize("field", ["trials", "limit"])
    def test_a_huge_count(self, field: str, forged: Callable[..., Any]) -> None:
        """Found to be wrong without enumerating what was never made."""
        made, board = forged("choice")
        made.manifest[field] = 10**12
        made.reseal()
        found = errors(verify(made.bundle, board=board))
        assert found
        assert not any(code.startswith(("R0", "R1", "R2")) for code in found)  # it came that far

    def test_samples_without_end(self, forged: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """A parameter that generates a billion samples."""
        monkeypatch.setattr(world, "_MOST", 100)
        made, _ = forged("dialogue")
        for cell in made.manifest["cells"]:
            cell["parameters"] |= {"source": "synth", "synth_count": 10**9}
        made.reseal()
        assert "R4.missing-output" in errors(verify(made.bundle))

    def test_samples_without_end_over_many_cells(self) -> None:
        """No cell has too many, all together have; reading a cell again is no news."""
        cells: list[Any] = [SimpleNamespace(task=SimpleNamespace(samples=lambda _: range(60))) for _ in "ab"]
        world._bound(cells, 100)
        assert len([*cells[0].task.samples(None), *cells[0].task.samples(None)]) == 120
        with pytest.raises(world._TooMany):
            list(cells[1].task.samples(None))

    def test_more_families_than_a_board_has_tasks(self, forged: Callable[..., Any]) -> None:
        made, _ = forged("choice")
        cell = made.manifest["cells"][0]
        for number in range(200):
            made.manifest["cells"].append(
                {**copy.deepcopy(cell), "task": f"a{number}/x", "cell": f"{number:012x}"}
            )
            made.scoring["cells"].append({**made.scoring["cells"][0], "cell": f"{number:012x}"})
        made.reseal(numbers=False)
        assert "R1.too-many-families" in errors(verify(made.bundle))
