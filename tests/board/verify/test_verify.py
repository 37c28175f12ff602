"""Good bundles of all five benchmarks verify where they were not made; models are asked again."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import good_bundles
import pytest
from click.testing import CliRunner
from sealing import seal
from tamper import Forged

from suite.board.define.board import find_board, load_board
from suite.board.pack.bundle_files import write_archive
from suite.board.verify import Rerun, verify
from suite.board.verify.reproduction import Rerunning, conclude
from suite.board.verify.verification import as_text
from suite.cli.submit import submit
from suite.errors import BundleError, ConfigError, NotFound
from suite.sandbox import probe
from tests.board.making import as_values

FIXTURE = Path(__file__).parents[1] / "fixtures" / "mini.suite.zip"  # made by the embedded model, elsewhere
needs_sandbox = pytest.mark.skipif(not probe()["works"], reason="no sandbox on this machine")


@needs_sandbox
def test_a_real_bundle_of_all_five_benchmarks() -> None:
    """Packed on another machine, with a real model as candidate, baseline and judge, for the board mini."""
    found = verify(FIXTURE, board=find_board("mini"))
    assert found.exit_code() == 0, as_text(found)
    data = as_values(found)
    assert {one["status"] for one in data["rungs"] if one["id"] in ("R0", "R1", "R2", "R3", "R4", "R5")} == {
        "passed"
    }
    assert {one["status"] for one in data["rungs"] if one["id"] in ("R7", "R8", "R9")} == {"passed"}
    families = {one["task"].partition("/")[0] for one in data["columns"]}
    assert families == {"prefeval", "contexteval", "rag-rewardbench", "userbench", "vibechecker"}
    assert data["class"] == "standard"
    assert data["trust"] == "L1"
    assert data["latency"] == {"median_s": 13.8378, "calls": 167}
    roles = {one["key"]: one["roles"] for one in data["columns"]}
    assert roles["prefeval/generation"] == {"judge": ["embedded/smollm2-135m at b179c9523d0e"]}
    assert sorted(roles["contexteval/pairwise"]) == ["baseline", "judge"]
    assert roles["prefeval/classification"] == {}


def test_a_full_disk_here_is_no_error_of_the_bundle(
    good: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, board = good("choice")
    write, left = os.write, 3

    def fill(fd: int, data: bytes) -> int:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(fd, data)

    monkeypatch.setattr("suite.journal.journal_file.os.write", fill)
    found = verify(folder, board=board)
    assert left < 0
    assert found.verdict == "incomplete"
    assert "No space left" in found.findings.rungs["R6"].reason
    assert [one for one in found.findings if one.severity == "error"] == []


@pytest.mark.parametrize("recipe", good_bundles.RECIPES)
def test_folder_and_archive_say_the_same(recipe: str, good: Callable[..., Any], tmp_path: Path) -> None:
    folder, board = good(recipe)
    archive = tmp_path / "bundle.suite.zip"
    write_archive(folder, archive)
    one, other = verify(folder, board=board), verify(archive, board=board)
    assert one.exit_code() == other.exit_code() == 0
    assert one.bundle_id == other.bundle_id
    assert as_values(one)["columns"] == as_values(other)["columns"]
    assert as_values(one)["recomputed"] == as_values(other)["recomputed"]
    assert one.per_sample == other.per_sample


def test_intervals_of_earlier_methods_are_computed_anew_and_not_compared(
    good: Callable[..., Any], tmp_path: Path
) -> None:
    folder, board = good("choice")
    bundle = shutil.copytree(folder, tmp_path / "bundle")
    (path,) = bundle.glob("runs/*/scoring/results.json")

    def told(change: Callable[[dict[str, Any]], None]) -> Any:
        results = json.loads(path.read_text())
        change(results)
        path.write_text(json.dumps(results))
        seal(bundle)
        return as_values(verify(bundle, board=board))

    def earlier(results: dict[str, Any]) -> None:
        del results["intervals"]
        for cell in results["cells"]:
            for row in cell["metrics"]:
                row.update(method="wilson", low=0.1, high=0.2, note="", n_effective=None)

    def another_value(results: dict[str, Any]) -> None:
        results["cells"][0]["metrics"][0]["value"] = 0.123

    plain = as_values(verify(folder, board=board))
    old = told(earlier)
    assert [one["id"] for one in old["rungs"] if one["status"] == "failed"] == []
    assert old["columns"] == plain["columns"]
    rung = next(one for one in told(another_value)["rungs"] if one["id"] == "R8")
    assert rung["status"] == "failed"


def test_units_give_the_number(good: Callable[..., Any]) -> None:
    """per_sample.parquet holds what the column's value is made of."""
    import io

    import pyarrow.parquet as pq

    folder, board = good("choice")
    found = verify(folder, board=board)
    rows = pq.read_table(io.BytesIO(found.per_sample)).to_pylist()
    cells = {row["cell"] for row in rows}
    assert len(cells) == 2
    values = []
    for cell in cells:
        strata = {row["stratum"] for row in rows if row["cell"] == cell}
        ratios = []
        for stratum in strata:
            here = [row for row in rows if (row["cell"], row["stratum"]) == (cell, stratum)]
            ratios.append(sum(row["top"] for row in here) / sum(row["bottom"] for row in here))
        values.append(sum(ratios) / len(ratios))
    (column,) = as_values(found)["columns"]
    assert column["paired"]
    assert sum(values) / len(values) == pytest.approx(column["value"])
    assert column["low"] < column["value"] < column["high"]


def test_without_a_board_every_cell_is_a_column(good: Callable[..., Any]) -> None:
    found = verify(good("choice")[0])
    assert found.exit_code() == 0
    assert len(as_values(found)["columns"]) == 2
    assert as_values(found)["board"] is None


def test_a_task_that_is_not_installed_is_said(good: Callable[..., Any], tmp_path: Path) -> None:
    forged = Forged(good_bundles.copy(good("choice")[0], tmp_path / "bundle"))
    for document in (forged.manifest["cells"], forged.results["cells"]):
        for cell in document:
            cell["task"] = "no-such/task"
    forged.reseal(numbers=False)
    for result, cell in zip(forged.results["cells"], forged.manifest["cells"], strict=True):
        result["cell"] = cell["cell"]
    forged.envelope()
    forged.save()
    found = verify(forged.bundle)
    text = "\n".join(as_text(found))
    assert found.verdict == "incomplete"
    assert found.exit_code() == 1
    assert "no-such/task" in text
    assert "install it" in text


def test_data_that_is_not_here_is_said(
    good: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "empty"))
    forged = Forged(good_bundles.copy(good("choice")[0], tmp_path / "bundle"))
    forged.manifest["mini"] = False
    forged.reseal(numbers=False)
    found = verify(forged.bundle)
    assert found.verdict == "incomplete"
    assert "its data is not to be had" in found.findings.rungs["R3"].reason


def test_a_changed_definition_is_another_board(good: Callable[..., Any], tmp_path: Path) -> None:
    folder, board = good("choice")
    text = board.path.read_text().replace("A board for tests", "A laxer board")
    (tmp_path / "choice.yaml").write_text(text)
    codes = {one.code for one in verify(folder, board=load_board(tmp_path / "choice.yaml")).findings}
    assert "R5.board" in codes


def test_a_declared_change_makes_it_custom(good: Callable[..., Any], tmp_path: Path) -> None:
    forged = Forged(good_bundles.copy(good("judged")[0], tmp_path / "bundle"))
    forged.manifest["roles"]["candidate"][0]["sampling"]["temperature"] = 0.0
    forged.submission["submission_type"] = "custom"
    forged.submission["disclosure"]["changes"] = [{"what": "sampling", "why": "it is steadier"}]
    forged.reseal(numbers=False)
    found = verify(forged.bundle, board=good("judged")[1])
    assert as_values(found)["class"] == "custom"
    assert any("temperature" in one for one in as_values(found)["differences"])
    assert [one.severity for one in found.findings if one.code == "R5.sampling"] == ["note"]


class TestRerun:
    def test_the_same_model_reproduces(self, good: Callable[..., Any]) -> None:
        """Scripted words answer alike each time; the record is of another script."""
        models = {"candidate": ["scripted/words"]}
        found = verify(good("choice")[0], again=Rerun(12, models, seed="a"))
        assert as_values(found)["rerun"]["label"] == "not_reproduced"
        assert found.verdict == "rejected"
        assert {one.code for one in found.findings if one.severity == "error"} == {"R11.not-reproduced"}

    def test_reproduced_raises_the_trust(self, tmp_path: Path) -> None:
        from suite.cli.eval import eval_

        recipe = good_bundles.RECIPES["choice"]
        words = ["--task", recipe.task, "-P", "inter_turns=1", "--mini", "--model", "scripted/first-option"]
        made = CliRunner().invoke(eval_, [*words, "--output", str(tmp_path / "run"), "--quiet", "--no-cache"])
        assert made.exit_code == 0, made.output
        bundle = good_bundles.bundle([tmp_path / "run"], None, tmp_path / "bundle")
        again = Rerun(12, {"candidate": ["scripted/first-option"]}, seed="a")
        found = verify(bundle, again=again)
        assert as_values(found)["rerun"]["label"] == "reproduced"
        assert as_values(found)["rerun"]["same_as_recorded"] == 12
        assert as_values(found)["trust"] == "L3"

    def test_few_samples_settle_nothing(self, good: Callable[..., Any]) -> None:
        found = verify(good("choice")[0], again=Rerun(3, {"candidate": ["scripted/words"]}, seed="a"))
        assert as_values(found)["rerun"]["label"] == "inconclusive"

    @pytest.mark.parametrize(
        ("differences", "label"), [([1.0, 1.0], "not_reproduced"), ([-1.0, 1.0], "reproduced")]
    )
    def test_few_headlines_settle_nothing(self, differences: list[float], label: str) -> None:
        """Of a model that never says the same twice: two values neither condemn it nor lift its trust."""
        going = Rerunning(samples=60, differences=differences)
        found = conclude(going, "answers", "the model", "it was not scored")
        assert found.label == "inconclusive"
        assert found.why.endswith("too seldom to tell, and only 2 have a headline (at least 10)")
        enough = Rerunning(samples=60, differences=differences * 10)
        assert conclude(enough, "answers", "the model", "it was not scored").label == label

    def test_a_run_without_the_judge_takes_none_of_its_options(self, good: Callable[..., Any]) -> None:
        models = {"candidate": ["scripted/words"], "judge": ["scripted/words"]}
        again = Rerun(3, models, (("judge", "temperature", "0"), ("", "temperature", "0")), "a")
        assert as_values(verify(good("choice")[0], again=again))["rerun"]["samples"] == 3

    def test_a_model_that_is_none(self, good: Callable[..., Any]) -> None:
        with pytest.raises(NotFound):
            verify(good("choice")[0], again=Rerun(3, {"candidate": ["nobody/x"]}, seed="a"))


class TestCommand:
    def test_prints_every_rung_and_writes_the_report(self, good: Callable[..., Any], tmp_path: Path) -> None:
        folder, board = good("choice")
        report = tmp_path / "verification.json"
        words = ["verify", str(folder), "--board", str(board.path), "--output", str(report)]
        ran = CliRunner().invoke(submit, words)
        assert ran.exit_code == 0, ran.output
        for rung in range(12):
            assert f"\nR{rung}" in ran.output
        assert "This check cannot show:" in ran.output
        data = json.loads(report.read_text())
        assert data["format"] == "suite-verification/1"
        assert data["verdict"] == "verified_with_warnings"
        assert CliRunner().invoke(submit, [*words, "--strict"]).exit_code == 1

    def test_names_every_mismatch_by_sample(self, good: Callable[..., Any], tmp_path: Path) -> None:
        forged = Forged(good_bundles.copy(good("choice")[0], tmp_path / "bundle"))
        bad = [one for one in forged.scores if one.values["correct"] is False][:2]
        for score in bad:
            score.values = {**score.values, "correct": True}
        forged.reseal()
        ran = CliRunner().invoke(submit, ["verify", str(forged.bundle)])
        assert ran.exit_code == 1
        for score in bad:
            assert f"sample {score.sample}" in ran.output
        assert ran.output.rstrip().endswith("rejected")

    def test_what_is_no_bundle(self, tmp_path: Path) -> None:
        with pytest.raises(BundleError):
            verify(tmp_path / "nothing")
        (tmp_path / "text").write_text("no bundle")
        with pytest.raises(BundleError):
            verify(tmp_path / "text")

    def test_flags_that_belong_together(self, good: Callable[..., Any]) -> None:
        folder = str(good("choice")[0])
        for words in (["--model", "scripted/words"], ["--rerun", "5"]):
            ran = CliRunner().invoke(submit, ["verify", folder, *words])
            assert isinstance(ran.exception, ConfigError)


def test_another_interpreter_is_told_once(good: Callable[..., Any], tmp_path: Path) -> None:
    """What a task found when it was opened stands in two manifests; one warning is enough."""
    forged = Forged(good_bundles.copy(good("choice")[0], tmp_path / "bundle"))
    for cell in (*forged.manifest["cells"], *forged.scoring["cells"]):
        cell["facts"]["python"] = "2.7.18"
    forged.reseal(numbers=False)
    found = verify(forged.bundle)
    assert [one.code for one in found.findings if one.code != "R9.no-model"] == ["R6.facts"] * 2
    assert found.exit_code() == 0
