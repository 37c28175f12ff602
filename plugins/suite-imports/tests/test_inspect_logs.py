"""Logs of inspect-ai: what becomes of scorers, epochs, errors; numbers are those that inspect printed.

`tox -e logs-inspect` runs this on logs that the real inspect-ai has just written.
"""

import json
import re
import zipfile
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imported_runs import LOGS, Import, headline, means, values
from labelling import said
from suite_imports import inspect_logs
from suite_imports.archives import opened

import suite

FOLDER = LOGS / "inspect"
CAPITALS = {"tool": "inspect", "task": "capitals", "scorer": "match"}


def printed(name: str) -> dict[str, dict[str, float]]:
    """Score -> metric -> value, as the log tells."""
    with opened(FOLDER / name) as archive:
        header = json.loads(archive.read("header.json"))
    return {
        score["name"]: {metric: one["value"] for metric, one in score["metrics"].items()}
        for score in header["results"]["scores"]
    }


def clustered(found: Sequence[float], size: int) -> float:
    """Inspect's error of a mean over clusters of neighbours (Miller 2024), corrected for few clusters."""
    left = [one - fmean(found) for one in found]
    sums = [sum(left[i : i + size]) ** 2 for i in range(0, len(left), size)]
    return sqrt(sum(sums) * len(sums) / (len(sums) - 1)) / len(found)


def test_the_mean_is_inspects_accuracy(imported: Import) -> None:
    assert headline(imported("inspect", "poor.eval"), **CAPITALS) == printed("poor.eval")["match"]["accuracy"]


def test_the_standard_error_over_clusters_is_inspects(imported: Import) -> None:
    run = imported("inspect", "poor.eval")
    order = ["france", "japan", "chile", "kenya", "peru"]
    found = dict(
        zip((one.partition("/")[2].partition("-")[0] for one in values(run)), means(run), strict=True)
    )
    error = clustered([found[one] for one in order], 2)
    assert error == pytest.approx(printed("poor.eval")["match"]["stderr"])


def test_the_standard_error_of_a_judged_score_is_inspects(imported: Import) -> None:
    found = list(means(imported("inspect", "troubled.eval"), scorer="model_graded_qa"))
    assert stdev(found) / sqrt(len(found)) == pytest.approx(
        printed("troubled.eval")["model_graded_qa"]["stderr"]
    )


@pytest.mark.parametrize("name", ["length", "polite"])
def test_each_named_value_of_a_scorer_is_a_cell_with_inspects_mean(imported: Import, name: str) -> None:
    found = headline(imported("inspect", "troubled.eval"), scorer=f"style/{name}")
    assert found == pytest.approx(next(iter(printed("troubled.eval")[name].values())))


def test_epochs_are_trials(imported: Import) -> None:
    run = imported("inspect", "good.eval")
    assert run.manifest.trials == 2
    assert {len(each) for each in values(run).values()} == {2}


def test_what_a_scorer_declares_decides_the_kind_of_value(imported: Import) -> None:
    run = imported("inspect", "troubled.eval")
    kinds = {str(one.parameters["scorer"]): one.task for one in run.manifest.cells}
    assert kinds == {
        "model_graded_qa": "imported/rate",
        "style/length": "imported/gain",
        "style/polite": "imported/grade",
    }


def test_a_declared_grouping_makes_parts(imported: Import) -> None:
    rows = imported("inspect", "poor.eval").results.cells[0].metrics
    found = {one.slice["part"]: one.value for one in rows if one.slice}
    assert found == {"Asia": 0.0, "elsewhere": 0.25}


def test_a_declared_cluster_is_that_of_the_samples(imported: Import) -> None:
    clusters = {one.cluster for one in imported("inspect", "good.eval").outputs()}
    assert clusters == {"pair=p0", "pair=p1", "pair=p2"}


def test_an_error_leaves_a_sample_pending(imported: Import) -> None:
    run = imported("inspect", "troubled.eval")
    assert {(one.kind, one.sample.partition("-")[0]) for one in run.attempts()} == {
        ("error", "troubled/peru")
    }


def test_unscored_is_no_zero(imported: Import) -> None:
    found = imported("inspect", "troubled.eval").results.cells
    assert [one.unscored for one in found if one.parameters["scorer"] == "style/length"] == [
        {"score": {"grader_failed": 1}}
    ]


def test_what_a_stopped_run_did_not_reach_is_pending(imported: Import) -> None:
    run = imported("inspect", "stopped.eval")
    assert run.results.cells[0].pending == 5 - run.results.cells[0].solved > 0
    assert any("did not finish (error)" in one for one in imported.notes)


def test_a_log_without_its_end_is_read_as_far_as_it_goes(imported: Import, tmp_path: Path) -> None:
    cut = tmp_path / "cut.eval"
    rezip(
        FOLDER / "good.eval",
        cut,
        lambda name: "epoch_2" not in name and not name.startswith(("header", "summ")),
    )
    run = imported("inspect", cut)
    assert (run.results.cells[0].solved, run.results.cells[0].pending) == (5, 5)
    assert any("did not finish (started)" in one for one in imported.notes)


def test_json_logs_hold_choices(imported: Import) -> None:
    run = imported("inspect", "chosen.json")
    rows = [json.loads(line)["payload"] for line in (run.folder / "samples.jsonl").read_text().splitlines()]
    assert {
        "question": "Which is the capital of Peru?",
        "choices": ["Lima", "Oslo", "Cairo"],
        "target": ["A"],
    } in rows


def test_who_graded_and_the_version_are_kept_at_scoring(imported: Import) -> None:
    run = imported("inspect", "troubled.eval")
    assert run.manifest.cells[0].score_parameters == {"version": "0", "grader": "mockllm/grader"}


def test_settings_of_the_model_are_kept(imported: Import) -> None:
    found = imported("inspect", "troubled.eval").manifest.roles["candidate"][0].sampling
    assert found["troubled"]["temperature"] == 0.5  # type: ignore[call-overload, index]


def test_a_folder_of_several_models_asks_which(imported: Import) -> None:
    with pytest.raises(suite.ConfigError, match="answers of 2 models"):
        imported("inspect", "")


def test_a_folder_holds_several_tasks(imported: Import) -> None:
    run = imported("inspect", "", model="mockllm/good")
    assert {one.parameters["task"] for one in run.manifest.cells} == {"capitals", "chosen", "troubled"}


def test_runs_of_two_models_are_compared(
    imported: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("good", "poor"):
        imported("inspect", f"{name}.eval").folder.rename(tmp_path / name)
    assert suite.run_command("compare", str(tmp_path / "good"), str(tmp_path / "poor")) == 0
    assert "+0.800" in capsys.readouterr().out


def test_another_version_of_the_task_is_refused(
    imported: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.eval"
    rezip(
        FOLDER / "good.eval",
        other,
        change=changed(rb'"task_version": ?2', b'"task_version": 3'),
    )
    first, second = imported("inspect", "good.eval").folder, imported("inspect", other).folder
    assert suite.run_command("compare", str(first), str(second)) == 2
    assert '{"version":"3"}' in capsys.readouterr().err


def test_people_correct_what_a_scorer_said(
    imported: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, page, labels = imported("inspect", "poor.eval"), tmp_path / "labels.html", tmp_path / "ann.json"
    assert suite.run_command("judge", "label", str(run.folder), "--n", "6", "-O", str(page)) == 0
    text = page.read_text("utf-8")
    assert "What is the capital of Japan?" in text
    labels.write_text(json.dumps(said(text, "Ann", lambda _: "yes")), "utf-8")
    capsys.readouterr()
    assert suite.run_command("judge", "correct", str(run.folder), "--labels", str(labels), "--json") == 0
    found = json.loads(capsys.readouterr().out)["estimates"]
    told = {one["what"]: one["value"] for one in found if one["part"].startswith("corrected")}
    assert (told["judge alone"], told["corrected"]) == (pytest.approx(0.2), pytest.approx(1.0))


def test_scoring_again_is_refused_and_leaves_the_run(
    imported: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    run = imported("inspect", "good.eval")
    assert suite.run_command("score", str(run.folder), "--judge", "scripted/echo") == 2
    assert "another tool has the task" in capsys.readouterr().err
    assert suite.Run(run.folder).scorings() == ["imported"]


def test_a_retry_stands_for_the_log_before(imported: Import, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for name, year in (("a", b"2026"), ("b", b"2027")):
        change = changed(rb'"created": ?"\d{4}', b'"created": "' + year)
        rezip(FOLDER / "good.eval", tmp_path / "logs" / f"{name}.eval", change=change)
    imported("inspect", tmp_path / "logs")
    assert imported.notes == ["left out a.eval: a later log repeats its task"]


def test_an_older_format_is_refused(imported: Import, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text(json.dumps({"version": 1, "eval": {"task": "x"}, "samples": []}))
    with pytest.raises(suite.DataError, match="version 1 of inspect's format"):
        imported("inspect", old)


def rezip(
    source: Path,
    to: Path,
    keep: Callable[[str], bool] = lambda _: True,
    change: Callable[[bytes], bytes] = lambda raw: raw,
) -> None:
    """Write an archive anew with some of its members, changed, uncompressed."""
    with opened(source) as old, zipfile.ZipFile(to, "w") as new:
        for name in filter(keep, old.names):
            new.writestr(name, change(old.read(name)))


def changed(pattern: bytes, text: bytes) -> Callable[[bytes], bytes]:
    """A change of the members of an archive."""
    return lambda raw: re.sub(pattern, text, raw)


def sample_of(**more: object) -> dict[str, object]:
    return {"id": 1, "epoch": 1, "input": "Well?", "target": "yes", "output": {}, **more}


def log_of(path: Path, scorers: Sequence[object], *samples: object) -> Path:
    """A log of one's own in inspect's JSON."""
    about = {"task": "t", "model": "m", "task_version": 0, "dataset": {}, "scorers": scorers}
    found = {"version": 2, "status": "success", "eval": about, "samples": samples}
    path.write_text(json.dumps(found))
    return path


def with_results(log: Path, *metrics: dict[str, object], reducer: str | None = None) -> Path:
    """A log of the scorer `own` that prints metrics."""
    score = {"name": "own", "scorer": "own", "reducer": reducer}
    told = {"scores": [{**score, "metrics": {str(one["name"]): one for one in metrics}}]}
    log.write_text(json.dumps({"results": told, **json.loads(log.read_text("utf-8"))}))
    return log


ACCURACY = {"name": "own", "metrics": [{"name": "inspect_ai/accuracy"}]}
MATCH = {**ACCURACY, "name": "match"}
MEAN = {"name": "own", "metrics": [{"name": "inspect_ai/mean"}]}


@pytest.mark.parametrize(
    ("scorer", "given_", "task", "score"),
    [
        (MATCH, "C", "rate", True),
        (MATCH, "N", "rate", False),
        (MATCH, "P", "rate", suite.Unscored("neither 0 nor 1")),
        (ACCURACY, "P", "grade", 0.5),
        (ACCURACY, True, "grade", 1.0),
        (ACCURACY, "yes", "grade", 1.0),
        (ACCURACY, 7, "grade", suite.Unscored("not from 0 to 1")),
        (ACCURACY, "maybe", "grade", suite.Unscored("no number but 'maybe'")),
        (MEAN, 7, "gain", 7),
        (MEAN, "2.5", "gain", 2.5),
        (MEAN, float("nan"), "gain", suite.Unscored("not a number")),
        (MEAN, float("inf"), "gain", suite.Unscored("infinite")),
    ],
)
def test_a_value_is_a_number_or_unscored(
    imported: Import, tmp_path: Path, scorer: dict[str, object], given_: object, task: str, score: object
) -> None:
    sample = sample_of(scores={str(scorer["name"]): {"value": given_}})
    run = imported("inspect", log_of(tmp_path / "log.json", [scorer], sample))
    assert [one.task for one in run.manifest.cells] == [f"imported/{task}"]
    assert [*values(run).values()] == [[score]]


def test_the_second_scorer_of_a_name_has_its_own_declaration(imported: Import, tmp_path: Path) -> None:
    scorers = [MATCH, {**MEAN, "name": "other/own"}, {**ACCURACY, "name": "mine/own"}]
    scores = {"match": {"value": "C"}, "own": {"value": 3}, "own1": {"value": 0.5}}
    run = imported("inspect", log_of(tmp_path / "log.json", scorers, sample_of(scores=scores)))
    assert {str(one.parameters["scorer"]): one.task for one in run.manifest.cells} == {
        "match": "imported/rate",
        "own": "imported/gain",
        "own1": "imported/grade",
    }


def test_of_a_log_that_declares_no_scorers_the_results_tell(imported: Import, tmp_path: Path) -> None:
    log = log_of(tmp_path / "log.json", [], sample_of(scores={"own": {"value": "P"}}))
    run = imported("inspect", with_results(log, {"name": "accuracy", "value": 0.5}))
    assert [one.task for one in run.manifest.cells] == ["imported/grade"]


def test_a_score_that_one_sample_lacks_is_pending_or_unscored_there(imported: Import, tmp_path: Path) -> None:
    first = sample_of(scores={"match": {"value": "C"}, "own": {"value": {"a": 1, "b": 2}}})
    second = {**sample_of(scores={"own": {"value": {"a": 3}}}), "id": 2}
    scorers = [MATCH, {"name": "own", "metrics": {"a": MEAN["metrics"], "b": MEAN["metrics"]}}]
    found = imported("inspect", log_of(tmp_path / "log.json", scorers, first, second)).results.cells
    assert {str(one.parameters["scorer"]): (one.scored, one.pending, one.unscored) for one in found} == {
        "match": (1, 1, {}),
        "own/a": (2, 0, {}),
        "own/b": (2, 0, {"score": {"no value": 1}}),
    }


def test_elements_of_a_list_are_cells(imported: Import, tmp_path: Path) -> None:
    log = log_of(tmp_path / "log.json", [MEAN], sample_of(scores={"own": {"value": [1, 2]}}))
    run = imported("inspect", log)
    assert [headline(run, scorer=f"own/{place}") for place in (0, 1)] == [1, 2]


@pytest.mark.parametrize(
    ("more", "finish", "score"),
    [
        ({"limit": {"type": "token", "limit": 5}}, "limit", suite.Unscored("limit of token")),
        ({"limit": {"type": "token", "limit": 5}, "scores": {"match": {"value": "I"}}}, "limit", False),
        ({"error": {"message": "x"}, "scores": {"match": {"value": "C"}}}, "invalid", True),
    ],
)
def test_a_limit_or_a_scored_error_is_an_outcome(
    imported: Import, tmp_path: Path, more: dict[str, object], finish: str, score: object
) -> None:
    run = imported("inspect", log_of(tmp_path / "log.json", [MATCH], sample_of(**more)))
    assert [one.output.finish for one in run.outputs()] == [finish]
    assert [*values(run).values()] == [[score]]


def test_attachments_stand_where_they_are_named(imported: Import, tmp_path: Path) -> None:
    said = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "attachment://ab"}]
    sample = sample_of(input=said, attachments={"ab": "A long question?"}, scores={"match": {"value": "C"}})
    run = imported("inspect", log_of(tmp_path / "log.json", [MATCH], sample))
    [row] = (run.folder / "samples.jsonl").read_text().splitlines()
    assert json.loads(row)["payload"]["question"] == "[system] Be kind.\n\nA long question?"


def test_another_question_of_the_same_id_is_another_sample(imported: Import, tmp_path: Path) -> None:
    found: list[str] = []
    for text in ("Well?", "Why?"):
        sample = sample_of(input=text, scores={"match": {"value": "C"}})
        found += values(imported("inspect", log_of(tmp_path / "log.json", [MATCH], sample)))
    assert found[0] != found[1]


def test_another_mean_than_the_files_is_told(imported: Import, tmp_path: Path) -> None:
    other = tmp_path / "other.eval"
    rezip(FOLDER / "good.eval", other, change=changed(rb'"value": ?1\.0', b'"value": 0.5'))
    imported("inspect", other)
    told = "the samples' mean is 1, the file prints 0.5; the run has the samples'"
    places = ("", ", part elsewhere", ", part Asia")
    assert imported.notes == [f"capitals match{one}: {told}" for one in places]


@pytest.mark.parametrize(("metric", "kind"), [("accuracy", "grade"), ("mean", "gain")])
def test_a_grouping_alone_tells_kind_parts_and_their_means(
    imported: Import, tmp_path: Path, metric: str, kind: str
) -> None:
    options = {
        "metric": {"type": "metric", "name": metric},
        "group_key": "k",
        "name_template": "k {group_name}",
    }
    declared = [{"name": "inspect_ai/grouped", "options": options}, {"name": "inspect_ai/stderr"}]
    each = [
        {**sample_of(scores={"own": {"value": value}}, metadata={"k": part}), "id": number}
        for number, (part, value) in enumerate([("a", 1), ("a", 0), ("b", 1)])
    ]
    log = log_of(tmp_path / "log.json", [{"name": "own", "metrics": declared}], *each)
    printed = [
        {"name": name, "group": "grouped", "value": value, "params": options}
        for name, value in (("k a", 0.5), ("k b", 0.25), ("all", 0.5))
    ]
    run = imported("inspect", with_results(log, *printed))
    [found] = run.results.cells
    assert found.task == f"imported/{kind}-parts"
    assert {one.slice["part"]: one.value for one in found.metrics if one.slice} == {"a": 0.5, "b": 1.0}
    assert imported.notes == [
        "t own, part b: the samples' mean is 1, the file prints 0.25; the run has the samples'",
        "t own: the samples' mean is 0.666667, the file prints 0.5; the run has the samples'",
    ]


def test_a_reduction_of_epochs_is_told_with_both_numbers(imported: Import, tmp_path: Path) -> None:
    each = [sample_of(scores={"own": {"value": value}}, epoch=value + 1) for value in (0, 1)]
    log = log_of(tmp_path / "log.json", [ACCURACY], *each)
    imported("inspect", with_results(log, {"name": "accuracy", "value": 1.0}, reducer="max"))
    assert imported.notes == [
        "log.json: inspect reduced epochs by max; here they are trials, averaged",
        "t own: the samples' mean is 0.5, the file prints 1 by max of epochs; the run has the samples'",
    ]


@settings(max_examples=30)
@given(data=st.data())
def test_a_damaged_log_is_a_sentence(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    name = data.draw(st.sampled_from(["poor.eval", "chosen.json"]))
    raw = bytearray((FOLDER / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    try:
        list(inspect_logs.read(path))
    except suite.DataError as error:
        assert name in str(error)
