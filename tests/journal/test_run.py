"""A run folder as everybody reads it: which scoring is chosen, records by their keys, errors by name."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.errors import NotFound, RunError
from suite.journal.pairs import Key
from suite.journal.run import Run, find_run, open_run

Make = Callable[..., Path]


def test_records_are_streamed_and_found_by_their_keys(make_run: Make) -> None:
    run = Run(make_run())
    assert run.results.scoring == run.scoring == "abc12345"
    assert len(list(run.outputs())) == len(list(run.scores())) == len(list(run.pairs())) == 7 * 12 - 2
    output = next(run.outputs())
    score = run.score(Key.of(output))
    assert score is not None
    assert Key.of(score) == Key.of(output)
    assert run.text(output).startswith("answer ")
    assert (run.score(Key(output.cell, "nobody", 0)), run.call("0" * 64)) == (None, None)


def test_a_call_is_found_in_the_stage_it_was_made_in(make_run: Make) -> None:
    run = Run(make_run())
    output, score = next(run.outputs()), next(run.scores())
    found = [run.call(one.calls[0]) for one in (output, score)]
    assert [one.stage for one in found if one] == ["solve", "score"]


def test_a_run_that_was_not_scored_is_read_with_empty_documents(make_run: Make) -> None:
    run = Run(make_run(scored=False))
    assert (run.scoring, run.scorings(), run.has_results) == ("", [], False)
    assert (run.results.cells, run.scoring_manifest.cells, list(run.scores())) == ((), (), [])
    assert all(score is None for _, score in run.pairs())
    with pytest.raises(RunError, match="has not been scored"):
        run.need_scoring()


def test_a_scoring_just_begun_hides_no_finished_one(make_run: Make) -> None:
    folder = make_run()
    begun = folder / "scorings" / "later"
    begun.mkdir()
    manifest = json.loads((folder / "scorings/abc12345/manifest.json").read_text())
    (begun / "manifest.json").write_text(json.dumps({**manifest, "started": "2027-01-01T00:00:00Z"}))
    assert (Run(folder).scoring, Run(folder).scorings()) == ("abc12345", ["abc12345", "later"])
    assert not Run(folder, "later").has_results
    assert open_run(f"{folder.name}@later", folder.parent).scoring == "later"
    for name in ("other", "..", "later/../abc12345"):
        with pytest.raises(RunError, match=f"no scoring '{name}'"):
            Run(folder, name)


def test_a_scoring_asked_for_by_name_needs_no_other(make_run: Make) -> None:
    folder = make_run()
    other = folder / "scorings" / "other"
    other.mkdir()
    (other / "manifest.json").write_text("no document")
    assert Run(folder, "abc12345").has_results
    with pytest.raises(RunError, match="not JSON"):
        Run(folder)


def test_a_damaged_scoring_harms_no_other(make_run: Make) -> None:
    folder = make_run()
    other = folder / "scorings" / "other"
    other.mkdir()
    (other / "manifest.json").write_text('{"started": "2027-01-01T00:00:00Z"}')
    assert Run(folder).scoring == "abc12345"
    with pytest.raises(RunError, match="manifest.json was changed or damaged"):
        _ = Run(folder, "other").scoring_manifest


def test_a_run_is_found_by_folder_or_name_and_near_names_are_told(make_run: Make, tmp_path: Path) -> None:
    folder = make_run()
    assert find_run(folder) == find_run("run-1", folder.parent) == folder
    with pytest.raises(NotFound, match="did you mean 'run-1'"):
        find_run("run-2", folder.parent)
    with pytest.raises(RunError, match="holds no run"):
        find_run(tmp_path)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("manifest.json", {"format": "suite-run/9"}, r"format 'suite-run/9', this suite reads"),
        ("manifest.json", {"trials": "2"}, r"Expected `int`, got `str` - at `\$.trials`"),
        ("manifest.json", {"cells": [{}]}, r"required field `cell` - at `\$.cells\[0\]`"),
        ("scorings/abc12345/results.json", {"cells": None}, r"Expected `array`, got `null` - at `\$.cells`"),
        ("scorings/abc12345/results.json", {"pending": True}, r"got `bool` - at `\$.pending`"),
    ],
)
def test_a_document_that_is_not_in_its_form_is_named_with_the_field(
    make_run: Make, file: str, change: dict[str, object], said: str
) -> None:
    path = make_run() / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RunError, match=said) as caught:
        _ = Run(find_run("run-1", path.parents[2 if "scorings" in file else 0].parent)).results
    assert str(path) in str(caught.value)


def test_what_is_no_file_or_no_json_is_no_document(make_run: Make) -> None:
    path = make_run() / "manifest.json"
    path.write_text("{" * 100_000)
    with pytest.raises(RunError, match="is not JSON"):
        Run(path.parent)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RunError, match="no regular file"):
        Run(path.parent)


def test_a_field_that_a_newer_version_added_is_no_error(make_run: Make) -> None:
    path = make_run() / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "added": {"later": 1}}))
    assert Run(path.parent).manifest.name == "run-1"
