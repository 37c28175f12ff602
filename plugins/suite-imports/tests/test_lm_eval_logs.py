"""Results of lm-evaluation-harness: what becomes of metrics, filters, groups; numbers are those it printed.

`tox -e logs-lm-eval` runs this on files that the real lm-eval has just written.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from statistics import stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imported_runs import LOGS, Import, headline, means, values
from suite_imports import lm_eval_logs

import suite

FOLDER = LOGS / "lm-eval"
CELLS = [
    ("sums", "exact_match", "strict-match"),
    ("sums", "exact_match", "flexible-extract"),
    ("planets", "acc_norm", "none"),
    ("sky", "acc", "none"),
]


def printed(task: str, metric: str, name: str, folder: Path = FOLDER / "poor") -> float:
    [file] = folder.glob("results_*.json")
    found: float = json.loads(file.read_text("utf-8"))["results"][task][f"{metric},{name}"]
    return found


def cell(task: str, metric: str, name: str) -> dict[str, object]:
    return {"task": task, "scorer": metric, "filter": "" if name == "none" else name}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of results that can be changed."""
    return Path(shutil.copytree(FOLDER / "good", tmp_path / "copy"))


def edit(folder: Path, change: dict[str, object]) -> Path:
    """Change what the results file tells."""
    [file] = folder.glob("results_*.json")
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **change}))
    return file


@pytest.mark.parametrize(("task", "metric", "name"), CELLS)
def test_the_mean_is_the_one_that_lm_eval_printed(
    imported: Import, task: str, metric: str, name: str
) -> None:
    run = imported("lm-eval", "poor")
    assert headline(run, **cell(task, metric, name)) == pytest.approx(printed(task, metric, name))


@pytest.mark.parametrize(("task", "metric", "name"), CELLS[:3])
def test_the_standard_error_is_the_one_that_lm_eval_printed(
    imported: Import, task: str, metric: str, name: str
) -> None:
    found = list(means(imported("lm-eval", "poor"), **cell(task, metric, name)))
    assert stdev(found) / sqrt(len(found)) == pytest.approx(printed(task, f"{metric}_stderr", name))


def test_a_group_is_a_cell_of_its_tasks(imported: Import) -> None:
    run = imported("lm-eval", "good")
    [found] = [one for one in run.results.cells if one.task == "imported/rate-parts"]
    parts = {one.slice["part"]: one.value for one in found.metrics if one.slice}
    assert parts == {
        name: pytest.approx(printed(name, "acc", "none", FOLDER / "good")) for name in ("moons", "planets")
    }


def test_the_version_of_a_group_names_those_of_its_tasks(imported: Import) -> None:
    run = imported("lm-eval", "good")
    [found] = [one for one in run.manifest.cells if one.task == "imported/rate-parts"]
    assert found.score_parameters["version"] == "3.0; of tasks: 1.0"


def test_what_is_right_or_wrong_is_declared(imported: Import) -> None:
    kinds = {one.task for one in imported("lm-eval", "poor").manifest.cells}
    assert kinds == {"imported/rate", "imported/rate-parts"}


def test_a_choice_is_shown_by_its_text(imported: Import) -> None:
    run = imported("lm-eval", "good")
    answers = {one.sample.partition("-")[0]: one.output.text for one in run.outputs()}
    assert answers["planets/0"] == "Saturn"


@pytest.mark.parametrize(
    ("requests", "asked"),
    [
        ([("Red?", " Mars"), ("Red?", " Venus")], ("Red?", ["Mars", "Venus"])),
        ([("Ann", " is kind."), ("Ben", " is kind.")], ("is kind.", ["Ann", "Ben"])),
        ([("Red?", " Mars"), ("Red?", " Venus"), ("", " Mars"), ("", " Venus")], ("Red?", ["Mars", "Venus"])),
    ],
)
def test_choices_are_what_differs_between_requests(
    imported: Import, copy: Path, requests: list[tuple[str, str]], asked: tuple[str, list[str]]
) -> None:
    each = {str(n): {"arg_0": first, "arg_1": end} for n, (first, end) in enumerate(requests)}
    replies = [[["-1.0", "False"]]] * len(requests)
    line = {"doc_id": 0, "target": "1", "arguments": each, "resps": replies, "metrics": ["acc"], "acc": 1.0}
    [file] = copy.glob("samples_moons*")
    file.write_text(json.dumps(line))
    run = imported("lm-eval", copy)
    rows = [json.loads(row) for row in (run.folder / "samples.jsonl").read_text("utf-8").splitlines()]
    [told] = [row["payload"] for row in rows if row["sample"].startswith("moons/")]
    assert told == {"question": asked[0], "choices": asked[1], "target": [asked[1][1]]}


def test_samples_are_paired_by_what_they_hold(imported: Import) -> None:
    first, second = (values(imported("lm-eval", one), task="sums") for one in ("good", "poor"))
    assert first.keys() == second.keys()
    assert all(len(one.rpartition("-")[2]) == 8 for one in first)


def test_runs_of_two_models_are_compared(imported: Import, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(imported("lm-eval", one).folder) for one in ("good", "poor")]
    assert suite.run_command("compare", *folders) == 0
    assert "task=sums filter=strict-match" in capsys.readouterr().out


def test_a_metric_over_all_answers_is_left_out_with_a_note(imported: Import) -> None:
    run = imported("lm-eval", "odd")
    assert "bits_per_byte" not in {one.parameters["scorer"] for one in run.manifest.cells}
    assert imported.notes == [
        "bits_per_byte of lengths is computed over all answers at once and has no value of a sample: left out"
    ]


def test_answers_that_were_only_predicted_wait_for_scores(imported: Import) -> None:
    run = imported("lm-eval", "odd")
    assert [(one.solved, one.scored, one.pending) for one in run.results.cells] == [(2, 0, 2)]


def test_settings_of_the_model_are_kept_without_its_name(imported: Import) -> None:
    found = imported("lm-eval", "good").manifest.roles["candidate"][0].sampling
    assert found["sums"] == {"most": 7, "generation": {"until": ["\n"]}}


def test_the_results_file_alone_names_its_samples(imported: Import, copy: Path) -> None:
    assert len(imported("lm-eval", edit(copy, {})).manifest.cells) == 5


def test_results_without_samples_say_how_to_make_them(imported: Import, copy: Path) -> None:
    for file in copy.glob("samples_sums*"):
        file.unlink()
    with pytest.raises(suite.DataError, match="run lm-eval with --log_samples"):
        imported("lm-eval", copy)


@pytest.mark.parametrize(
    ("name", "keep", "pending"),
    [
        ("sums", lambda lines: [one for one in lines if "flexible" not in one], {"flexible-extract": 8}),
        ("sums", lambda lines: [], {"strict-match": 8, "flexible-extract": 8}),
        ("sums", lambda lines: lines[:5], {"strict-match": 3, "flexible-extract": 8}),
        ("moons", lambda lines: lines[1:], {"": 2}),  # acc in the group, acc_norm of its own
    ],
    ids=["a filter", "a file", "most lines", "a line of a group"],
)
def test_samples_that_the_results_count_and_nobody_has_are_pending(
    imported: Import, copy: Path, name: str, keep: Callable[[list[str]], list[str]], pending: dict[str, int]
) -> None:
    [file] = copy.glob(f"samples_{name}*")
    file.write_text("\n".join(keep(file.read_text("utf-8").splitlines())))
    found = Counter[object]()
    for one in imported("lm-eval", copy).results.cells:
        found[one.parameters["filter"]] += one.pending
    assert +found == pending
    assert sum("are pending" in one for one in imported.notes) == (2 if "" in pending else len(pending))


def test_samples_chosen_by_number_are_pending_without_one(imported: Import, copy: Path) -> None:
    [file] = copy.glob("samples_sums*")
    lines = [one.replace('"doc_id": 1,', '"doc_id": 70,') for one in file.read_text("utf-8").splitlines()]
    file.write_text("\n".join(one for one in lines if '"doc_id": 0,' not in one))
    lost = {one.sample for one in imported("lm-eval", copy).attempts()}
    assert lost == {"sums/missing-0"}


def test_a_printed_metric_that_no_line_has_is_named(imported: Import, copy: Path) -> None:
    [file] = copy.glob("samples_planets*")
    file.write_text(file.read_text("utf-8").replace('"metrics": ["acc", "acc_norm"]', '"metrics": ["acc"]'))
    imported("lm-eval", copy)
    told = f"acc_norm,none of planets is printed, and no line of {file.name} has it: left out"
    assert imported.notes == [told]


def test_results_of_two_dates_are_given_twice(imported: Import, copy: Path) -> None:
    for file in [*copy.iterdir()]:
        shutil.copy(file, copy / re.sub(r"(?=\.jsonl?$)", "7", file.name))
    with pytest.raises(suite.DataError, match="is given twice"):
        imported("lm-eval", copy)


def test_the_mean_of_the_tasks_of_a_group_is_no_other_mean(imported: Import, copy: Path) -> None:
    [file] = copy.glob("results_*.json")
    told = json.loads(file.read_text("utf-8").replace('"acc,none": 0.8,', f'"acc,none": {2.5 / 3},'))
    edit(copy, told)
    run = imported("lm-eval", copy)
    [found] = [one for one in run.results.cells if one.task == "imported/rate-parts"]
    assert (found.headline_row and found.headline_row.value, imported.notes) == (0.8, [])
    assert found.metrics[1].value == pytest.approx(told["groups"]["sky"]["acc,none"])


def test_a_gate_tests_claims_about_imported_cells(
    imported: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, poor = (str(imported("lm-eval", one).folder) for one in ("good", "poor"))
    claims = [
        {"task": "imported/rate", "cell": {"task": "sums", "filter": "strict-match"}, "no-worse-than": {}},
        {"task": "imported/rate-parts", "cell": {"task": "sky"}, "at-least": 0.1},
    ]
    policy = tmp_path / "policy.yaml"
    policy.write_text(json.dumps({"format": "suite-policy/1", "claims": claims}))
    assert suite.run_command("gate", str(policy), "--candidate", good, "--baseline", poor) == 3
    assert "1 pass, 1 undecided" in capsys.readouterr().out


def test_an_older_format_is_refused(imported: Import, copy: Path) -> None:
    [file] = copy.glob("results_*.json")
    file.write_text(json.dumps({"results": {"sums": {"acc": 1.0}}}))
    with pytest.raises(suite.DataError, match="an older format of lm-eval"):
        imported("lm-eval", copy)


def test_code_of_a_tasks_own_gives_grades(imported: Import, copy: Path) -> None:
    [file] = copy.glob("results_*.json")
    configs = json.loads(file.read_text("utf-8"))["configs"]
    configs["sums"]["process_results"] = "def process(doc, results): ..."
    edit(copy, {"configs": configs})
    kinds = {one.parameters["task"]: one.task for one in imported("lm-eval", copy).manifest.cells}
    assert kinds["sums"] == "imported/grade"


def test_what_nobody_calls_better_has_no_direction(imported: Import, copy: Path) -> None:
    edit(copy, {"higher_is_better": {}})
    found = {one.parameters["scorer"]: one.task for one in imported("lm-eval", copy).manifest.cells}
    assert found["exact_match"] == "imported/rate"  # whatever the file says: 1 is right


def test_missing_and_odd_values_are_unscored(imported: Import, copy: Path) -> None:
    [file] = copy.glob("samples_sums*")
    text = file.read_text("utf-8").replace('"exact_match": 1.0', '"exact_match": NaN', 1)
    file.write_text(text.replace('"exact_match": 0.0', '"exact_match": 0.25', 1))
    found = imported("lm-eval", copy).results.cells
    told = [one.unscored for one in found if one.parameters["filter"] == "strict-match"]
    assert told == [{"score": {"not a number": 1, "neither 0 nor 1": 1}}]
    assert any("the file prints 0.625" in one for one in imported.notes)


@settings(max_examples=30)
@given(data=st.data())
def test_damaged_files_are_a_sentence(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = Path(shutil.copytree(FOLDER / "good", tmp_path_factory.mktemp("damaged") / "copy"))
    file = data.draw(st.sampled_from(sorted(copy.iterdir())))
    raw = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    try:
        list(lm_eval_logs.read(copy))
    except suite.DataError as error:
        assert copy.name in str(error)
