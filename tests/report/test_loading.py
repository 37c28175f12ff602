"""A run folder as reports see it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.errors import RunError
from suite.journal.pairs import Key
from suite.journal.run import Run
from suite.report.run_list import attempts_grid, pending_reasons
from suite.report.summary import summarise

Make = Callable[..., Path]


def test_it_is_what_an_analysis_gets(make_run: Make) -> None:
    run = Run(make_run())
    assert run.results.scoring == run.scoring == "abc12345"
    assert len(list(run.outputs())) == len(list(run.scores())) == 7 * 12 - 2
    output = next(iter(run.outputs()))
    score = run.score(Key.of(output))
    assert score is not None
    assert Key.of(score) == Key.of(output)
    assert run.text(output).startswith("answer ")
    assert run.score(Key(output.cell, "nobody", 0)) is None


def test_a_run_that_was_not_scored_can_be_shown(make_run: Make) -> None:
    run = Run(make_run(scored=False))
    summary = summarise(run)
    assert (run.has_results, len(run.results.cells), run.scoring) == (False, 0, "")
    assert any("Not scored yet: suite score run-1" in remark.text for remark in summary.remarks)
    assert summary.tasks[0].cells[0].headline is None


def test_a_scoring_just_begun_hides_no_finished_one(make_run: Make) -> None:
    folder = make_run()
    begun = folder / "scorings" / "later"
    begun.mkdir()
    manifest = json.loads((folder / "scorings/abc12345/manifest.json").read_text())
    (begun / "manifest.json").write_text(json.dumps({**manifest, "started": "2027-01-01T00:00:00Z"}))
    assert Run(folder).scoring == "abc12345"
    later = Run(folder, "later")
    assert not later.has_results
    assert any("has no results yet" in remark.text for remark in summarise(later).remarks)


def test_pending_work_is_told_with_its_reasons(make_run: Make) -> None:
    run = Run(make_run(pending=3))
    assert pending_reasons(run) == {"solve: timeout": 3}
    assert ["pending", "timeout", "candidate", "solve", "3"] in [list(row) for row in attempts_grid(run).rows]


def test_damaged_results_are_named(make_run: Make) -> None:
    folder = make_run()
    path = folder / "scorings/abc12345/results.json"
    results = json.loads(path.read_text())
    del results["cells"][0]["metrics"][0]["direction"]
    path.write_text(json.dumps(results))
    with pytest.raises(
        RunError, match=r"missing required field `direction` - at `\$.cells\[0\].metrics\[0\]`"
    ):
        summarise(Run(folder))


def test_remarks_say_what_changes_the_meaning_of_numbers(make_run: Make) -> None:
    folder = make_run(candidate="embedded/smollm2-135m", limit=12, manifest={"mini": True, "imported": True})
    warnings = " ".join(one.text for one in summarise(Run(folder)).remarks if one.weight == "warning")
    for words in (
        "these scores mean nothing",
        "12 of 48 groups (25 %)",
        "mini data",
        "Imported",
        "2 samples have no result",
    ):
        assert words in warnings


def test_a_whole_run_of_a_real_model_has_no_warning(make_run: Make) -> None:
    remarks = summarise(Run(make_run(pending=0))).remarks
    assert [one for one in remarks if one.weight == "warning"] == []
