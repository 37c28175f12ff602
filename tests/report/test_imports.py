"""Results made elsewhere become a run: marked imported, scored by today's metrics, pending work kept."""

import json
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from suite.cli.main import run_command
from suite.errors import ConfigError, DataError, NotFound, PluginError, RunError
from suite.hookspecs import Entry, hookimpl
from suite.journal.run import Run
from suite.parameters import Parameters
from suite.plugins import Catalogue, catalogue_of
from suite.report.imports import import_run
from suite.report.run_list import show_run
from suite.report.summary import summarise
from suite.run.imported import imported_samples
from suite.run.reopen import cells_of
from suite.scoring.metrics import Rate
from suite.task import Score, Task, TaskInfo

RECORDS: list[dict[str, Any]] = []


class Knobs(Parameters):
    turns: int = 0
    strict: bool = False


class Foreign(Task[Any, Knobs]):
    info = TaskInfo(name="foreign/task", version=3, title="A task", roles={}, headline="kept")
    metrics = (Rate("kept", by="topic"),)

    def samples(self, data: Any) -> Any:
        return ()

    async def solve(self, sample: Any, models: Any) -> Any:
        raise NotImplementedError

    async def score(self, sample: Any, output: Any, models: Any) -> Score:
        raise NotImplementedError


def read(path: Path) -> Iterator[dict[str, Any]]:
    yield from json.loads(path.read_text())


@hookimpl
def suite_register() -> list[Entry]:
    return [
        Entry("task", "foreign/task", "A task", f"{__name__}:Foreign"),
        Entry("importer", "theirs", "Their files", f"{__name__}:read"),
    ]


def plugins() -> Catalogue:
    return catalogue_of([EntryPoint("mine", __name__, "suite")])


def record(sample: str, kept: Any, **changed: Any) -> dict[str, Any]:
    return {
        "task": "foreign/task",
        "parameters": {"turns": 8, "strict": False},
        "model": "m",
        "sample": sample,
        "tags": {"topic": sample[0]},
        "output": {"text": f"answer to {sample}", "finish": "stop"},
        "judge": {"helpful": {"answer": "Yes", "said": "it helps"}},
        "values": {"kept": kept},
        "source": "their.json",
        **changed,
    }


@pytest.fixture
def make_import(tmp_path: Path) -> Callable[..., Path]:
    def make(*records: dict[str, Any], model: str = "") -> Path:
        source = tmp_path / "their.json"
        source.write_text(json.dumps(records))
        return import_run("theirs", source, tmp_path / "runs/theirs", model=model, plugins=plugins())

    return make


Import = Callable[..., Path]


def test_answers_values_and_verdicts_arrive(make_import: Import) -> None:
    folder = make_import(
        record("a/0", True), record("a/1", False), record("b/0", {"unscored": "judge-unparsed"}),
        record("b/1", True, parameters={"turns": 0, "strict": False}),
    )  # fmt: skip
    run = Run(folder)
    summary = summarise(run)
    first, second = summary.tasks[0].cells
    assert summary.tasks[0].swept == ("turns",)
    head = first.headline
    assert head is not None
    assert (head.value, head.n, head.unscored) == (0.5, 2, 1)
    assert head.coverage == pytest.approx(2 / 3)
    assert second.headline is not None
    assert second.headline.value == 1
    assert [one.imported for one in run.outputs()] == [True] * 4
    assert next(run.scores()).parts[0].values == {"answer": "Yes", "said": "it helps"}
    assert {run.text(one) for one in run.outputs()} >= {"answer to a/0"}


def test_hidden_reasoning_is_kept_beside_the_answer(make_import: Import) -> None:
    text = "<think>Tea or coffee?</think>\nTea."
    run = Run(make_import(record("a/0", True, output={"text": text, "finish": "stop"})))
    (only,) = run.outputs()
    assert (only.output.text, only.output.finish, only.reasoning) == ("Tea.", "stop", "Tea or coffee?")


def test_it_is_marked_everywhere_and_says_so(make_import: Import) -> None:
    run = Run(make_import(record("a/0", True)))
    assert (run.manifest.imported, run.results.imported) == (True, True)
    assert run.manifest.roles["candidate"][0].spec == "imported/m"
    assert any(one.text.startswith("Imported:") for one in summarise(run).remarks)
    assert show_run(run).state == "finished"
    assert summarise(run).tasks[0].version == 3


def test_what_was_not_answered_or_not_judged_is_pending(make_import: Import) -> None:
    folder = make_import(
        record("a/0", True), record("a/1", None, output=None, values={}), record("a/2", None, values={})
    )
    shown = show_run(Run(folder))
    assert (shown.state, shown.pending) == ("partial", 2)
    assert shown.pending_reasons == {"solve: not-answered": 1, "score: not-scored": 1}


def test_several_models_are_several_runs(make_import: Import) -> None:
    records = [record("a/0", True), record("a/0", False, model="other")]
    with pytest.raises(ConfigError, match=r"answers of 2 models\n  m, other\n  .*--model NAME"):
        make_import(*records)
    run = Run(make_import(*records, model="other"))
    assert [score.values["kept"] for score in run.scores()] == [False]


def test_the_same_files_give_the_same_run(make_import: Import, tmp_path: Path) -> None:
    first = make_import(record("a/0", True))
    kept = {path.name: path.read_bytes() for path in first.glob("*.jsonl")}
    digest = Run(first).manifest.plan_sha256
    first.rename(tmp_path / "first")
    again = make_import(record("a/0", True))
    assert {path.name: path.read_bytes() for path in again.glob("*.jsonl")} == kept
    assert Run(again).manifest.plan_sha256 == digest


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"values": {"kept": [1]}}, DataError, "not in its form"),
        ({"output": {"finish": "exploded"}}, DataError, "not in its form"),
        ({"parameters": {"turns": "many"}}, DataError, "no such parameters"),
        ({"parameters": {"unknown": 1}}, DataError, "no such parameters"),
        ({"task": "nobody/task"}, NotFound, "nobody/task"),
    ],
)
def test_bad_records_are_named_and_leave_nothing_behind(
    make_import: Import, tmp_path: Path, changed: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        make_import(record("a/0", True), record("a/1", True, **changed))
    assert not list((tmp_path / "runs").iterdir())


def test_an_importer_that_breaks_is_a_plugin_error(tmp_path: Path) -> None:
    source = tmp_path / "their.json"
    source.write_text("{not json")
    with pytest.raises(PluginError, match="importer 'theirs' failed: JSONDecodeError"):
        import_run("theirs", source, tmp_path / "out", plugins=plugins())


def test_a_folder_that_is_taken_stays_as_it_is(make_import: Import, tmp_path: Path) -> None:
    (tmp_path / "runs/theirs").mkdir(parents=True)
    (tmp_path / "runs/theirs/mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        make_import(record("a/0", True))
    assert (tmp_path / "runs/theirs/mine.txt").read_text() == "mine"


def test_unknown_importers_and_models_are_named(make_import: Import, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no importer named 'their'(?s:.*)theirs"):
        import_run("their", tmp_path, tmp_path / "out", plugins=plugins())
    with pytest.raises(NotFound, match="no model named 'x'"):
        make_import(record("a/0", True), model="x")


def test_the_formats_that_can_be_imported_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("runs", "import", "--list") == 0
    assert "prefeval: Result files of the PrefEval repository (suite-prefeval)\n" in capsys.readouterr().out


def test_a_sample_given_twice_is_named_with_both_places(make_import: Import) -> None:
    with pytest.raises(
        DataError, match=r"sample 'a/0 of cell .*' is given twice\n  in one\.json and in two, row 3"
    ):
        make_import(record("a/0", True, source="one.json"), record("a/0", True, source="two", row=3))
    make_import(record("a/0", True), record("a/0", True, trial=1), {"note": "a copy was left out"})


def test_the_samples_that_an_importer_brings_can_be_shown_and_are_checked(make_import: Import) -> None:
    folder = make_import(record("b/0", True, payload={"q": 1}), record("a/0", True, payload={"q": 2}))
    run = Run(folder)
    (cell,) = cells_of(run, plugins())
    found = imported_samples(run, [cell])
    assert {name: [(one.id, one.payload) for one in samples] for name, samples in found.items()} == {
        cell.id: [("a/0", {"q": 2}), ("b/0", {"q": 1})]
    }
    path = folder / "samples.jsonl"
    path.write_text(path.read_text().replace('"q":2', '"q":3'))
    with pytest.raises(RunError, match=r"samples\.jsonl line 2 was changed"):
        imported_samples(run, [cell])
    path.unlink()
    with pytest.raises(RunError, match="was imported: its samples are not at hand"):
        imported_samples(run, [cell])


def test_trials_of_a_sample_bring_it_once_and_are_counted(make_import: Import) -> None:
    given = [record("a/0", True, trial=trial, payload={"q": 1}) for trial in (1, 0)]
    run = Run(make_import(*given, record("b/0", True, payload={"q": 2})))
    (cell,) = run.results.cells
    assert (run.manifest.trials, cell.samples, cell.solved, cell.pending) == (2, 4, 3, 1)
    assert len((run.folder / "samples.jsonl").read_text().splitlines()) == 2


def test_why_an_answer_is_missing_is_kept(make_import: Import) -> None:
    run = Run(make_import(record("a/0", True), record("b/0", None, output=None, values={}, missing="error")))
    assert [(one.sample, one.kind) for one in run.attempts()] == [("b/0", "error")]


def test_settings_of_the_model_stand_with_it(make_import: Import) -> None:
    run = Run(make_import({"sampling": {"temperature": 0.5}, "model": "m"}, record("a/0", True)))
    assert run.manifest.roles["candidate"][0].sampling == {"temperature": 0.5}


@pytest.mark.parametrize(
    ("kind", "name", "where"),
    [
        ("importer", "inspect", "suite-imports"),
        ("importer", "lm-eval", "suite-imports"),
        ("exporter", "lm-eval", "suite-exports"),
        ("task", "imported/rate", "suite-imports"),
    ],
)
def test_what_another_distribution_brings_is_named(kind: Any, name: str, where: str) -> None:
    with pytest.raises(NotFound, match=f"pip install {where}"):
        plugins().find(kind, name)
