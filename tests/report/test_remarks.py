"""What a report says of a run beside its numbers."""

from collections.abc import Callable
from pathlib import Path

from suite.journal.run import Run
from suite.report.run_list import attempts_grid, pending_reasons
from suite.report.summary import summarise

Make = Callable[..., Path]


def test_a_run_that_was_not_scored_can_be_shown(make_run: Make) -> None:
    summary = summarise(Run(folder := make_run(scored=False)))
    assert any(f"Not scored yet: suite score {folder}" in remark.text for remark in summary.remarks)
    assert summary.tasks[0].cells[0].headline is None


def test_a_scoring_without_results_says_so(make_run: Make) -> None:
    folder = make_run()
    (folder / "scorings/abc12345/results.json").unlink()
    assert any("has no results yet" in remark.text for remark in summarise(Run(folder)).remarks)


def test_pending_work_is_told_with_its_reasons(make_run: Make) -> None:
    run = Run(make_run(pending=3))
    assert pending_reasons(run) == {"solve: timeout": 3}
    assert ["pending", "timeout", "candidate", "solve", "3"] in [list(row) for row in attempts_grid(run).rows]


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


def test_a_changed_preset_is_not_the_preset(make_run: Make) -> None:
    changed = {"units/questions": {"preset": "paper", "given": ["k=1", "max_tokens=9"]}}
    remarks = summarise(Run(make_run(manifest={"changed_presets": changed}))).remarks
    said = "units/questions: the preset paper changed by -P k=1 -P max_tokens=9, so not that preset: "
    assert [one.weight for one in remarks if one.text.startswith(said)] == ["warning"]


def test_a_whole_run_of_a_real_model_has_no_warning(make_run: Make) -> None:
    remarks = summarise(Run(make_run(pending=0))).remarks
    assert [one for one in remarks if one.weight == "warning"] == []
