"""evaluate, aevaluate, score, compare and load: the same runs as the commands, and what they return."""

import asyncio
import importlib
import inspect
import linecache
import shutil
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas
import pytest

import suite
from suite.api.evaluations import Evaluation
from suite.errors import ConfigError, NotFound, PluginError, RunError, SuiteError
from suite.journal.commands import commands
from tests.api.asking import ROWS, YES, Asking


def test_a_call_takes_up_the_run_of_the_command_and_the_other_way_round() -> None:
    for name in ("units.py", "units.jsonl"):
        shutil.copy(Path(__file__).resolve().parents[2] / "docs/one-file" / name, name)
    flags = ["eval", "--task", "./units.py", "--model", "scripted/words", "-o", "words=3"]
    flags += ["--limit", "1", "--quiet"]
    assert suite.run_command(*flags) == 0
    (folder,) = Path("runs").iterdir()
    before = {path: path.read_bytes() for path in folder.rglob("*.jsonl")}
    arguments: dict[str, Any] = {"model": "scripted/words", "options": {"words": 3}, "limit": 1}
    arguments |= {"progress": False}
    run = suite.evaluate("./units.py", **arguments)
    assert run.folder == folder
    assert {path: path.read_bytes() for path in before} == before  # nothing was asked or scored again
    other = suite.evaluate("./units.py", output="again", **arguments)
    for name in ("outputs.jsonl", "blocks.jsonl", f"scorings/{run.scoring}/scores.jsonl"):
        assert (other.folder / name).read_bytes() == (folder / name).read_bytes()
    assert suite.run_command(*flags, "--output", "again") == 0


def test_values_of_python_make_the_cells_that_texts_make() -> None:
    parameters = {"tone": "kind, warm", "turns": [None, 2], "words": [["a", "b"], []], "asking:method": "two"}
    run = suite.evaluate(Asking, parameters=parameters, solve_only=True, **YES)
    assert [
        (one.parameters["tone"], one.parameters["turns"], one.parameters["words"], one.parameters["method"])
        for one in run.manifest.cells
    ] == [
        ("kind, warm", None, ["a", "b"], "two"),
        ("kind, warm", None, [], "two"),
        ("kind, warm", 2, ["a", "b"], "two"),
        ("kind, warm", 2, [], "two"),
    ]


def test_rows_given_in_a_call_are_there_when_its_run_is_scored_again() -> None:
    run = suite.evaluate(Asking, **YES)
    assert suite.score(run, parameters={"strict": True}, progress=False).scoring != run.scoring


def test_a_run_is_a_row_a_metric_with_its_parameters() -> None:
    run = suite.evaluate(Asking, parameters={"method": ["one", "two"]}, **YES)
    frame = run.to_pandas()
    assert frame[["method", "metric", "headline", "n", "unscored"]].values.tolist() == [
        [method, metric, metric == "right", 3, 0]
        for method in ("one", "two")
        for metric in ("right", "right_macro", "short")
    ]
    right = frame[frame.metric == "right"]
    assert right["value"].tolist() == [pytest.approx(2 / 3)] * 2
    assert (right["low"] < right["value"]).all() and (right["value"] < right["high"]).all()
    assert set(run.to_pandas(slices=True)["slice"]) == {"", "topic=one", "topic=two"}
    assert run.to_arrow().to_pydict()["turns"] == [0] * 6


def test_samples_are_a_table(made: suite.Evaluation) -> None:
    frame = made.samples().to_pandas()
    assert frame[["sample", "answer", "value.right"]].values.tolist() == [
        ["a", "yes", True],
        ["b", "yes", False],
        ["c", "yes", True],
    ]
    assert set(frame["cell"]) == {made.manifest.cells[0].cell}


def test_a_data_frame_without_pandas_says_what_to_install(
    made: suite.Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match="pip install pandas"):
        made.to_pandas()


def test_a_run_says_what_it_is(made: suite.Evaluation) -> None:
    assert made.pending == 0 and made.error is None and made.results.complete
    assert all(
        "Says what it is told" in (made.folder / one).read_text() for one in ("report.md", "report.html")
    )
    assert repr(made).splitlines()[0] == f"Evaluation {made.name}: 3 samples"
    assert "right 0.667, 95 % interval" in repr(made)
    assert commands(made.folder)[0].command == (
        "suite.evaluate(Asking, model='scripted/constant?text=yes', data={'rows': [3 rows]}, "
        f"output={str(made.folder)!r}, progress=False)"
    )


def test_hostile_text_is_no_markup() -> None:
    evil = "<script>alert(1)</script>"
    hostile = {"rows": [ROWS[0] | {"id": evil, "topic": evil}]}
    run = suite.evaluate(Asking, **YES | {"model": f"scripted/constant?text={evil}", "data": hostile})
    other = suite.evaluate(Asking, **YES | {"data": hostile})
    drawn = run._repr_html_() + run.samples()._repr_html_() + suite.compare(run, other)._repr_html_()
    assert "<script" not in drawn
    assert drawn.count("&lt;script&gt;") >= 3


def test_a_run_is_scored_again() -> None:
    run = suite.evaluate(Asking, **YES | {"model": "scripted/constant?text=YES"})
    again = suite.score(run, parameters={"strict": True}, data={"rows": ROWS}, progress=False)
    assert again.folder == run.folder and again.scoring != run.scoring
    values = [found.results.cells[0].metrics[0].value for found in (run, again)]
    assert values == [pytest.approx(2 / 3), 0]
    with pytest.raises(ConfigError, match="the candidate is asked while samples are solved"):
        suite.score(run, roles={"candidate": "scripted/echo"}, progress=False)


def test_a_run_is_loaded_by_its_folder_its_name_or_as_it_is(
    made: suite.Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.folder.parents[1])
    for place in (made.folder, str(made.folder), made.name, f"{made.name}@{made.scoring}", made):
        assert repr(suite.load(place)) == repr(made)
    with pytest.raises(NotFound, match="no run named 'other'"):
        suite.load("other")


def test_a_run_that_was_not_scored_is_loaded() -> None:
    run = suite.evaluate(Asking, solve_only=True, **YES)
    assert repr(run).splitlines()[0] == f"Evaluation {run.name}: 3 samples, not scored yet"
    loaded = suite.load(run.folder)
    assert (loaded.pending, loaded.to_pandas().empty) == (0, True)
    (run.folder / "outputs.jsonl").write_bytes(b"")
    assert suite.load(run.folder).pending == 3


def test_two_runs_are_compared(made: suite.Evaluation) -> None:
    no = suite.evaluate(Asking, **YES | {"model": "scripted/constant?text=never"})
    found = suite.compare(made, no.folder, metric="short")
    frame = found.to_pandas()
    assert frame[["metric", "headline", "value_a", "value_b", "difference", "n_common"]].values.tolist() == [
        ["right", True, pytest.approx(2 / 3), 0.0, pytest.approx(2 / 3), 3],
        ["short", False, 1.0, 0.0, 1.0, 3],
    ]
    assert "scripted/constant?text=never" in repr(found)
    with pytest.raises(NotFound, match="no metric named 'long'"):
        suite.compare(made, no, metric="long")


async def test_a_call_works_inside_a_running_event_loop() -> None:
    run = suite.evaluate(Asking, **YES)
    assert await suite.aevaluate(Asking, **YES | {"output": run.folder}) is not run
    two = await asyncio.gather(suite.aevaluate(Asking, seed=1, **YES), suite.aevaluate(Asking, seed=2, **YES))
    assert [one.pending for one in two] == [0, 0]
    assert two[0].folder != two[1].folder


def test_both_forms_of_the_call_take_the_same_arguments() -> None:
    assert inspect.signature(suite.aevaluate) == inspect.signature(suite.evaluate)


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        ({"task": "prefeval/generaton"}, NotFound, "did you mean 'prefeval/generation'"),
        ({"task": 3}, ConfigError, "3 is no task"),
        ({"task": "./none.py"}, NotFound, "none.py cannot be read"),
        ({"task": type("Half", (suite.Task,), {})}, PluginError, "lacks the methods"),
        ({"model": None}, ConfigError, "nobody fills the role 'candidate'"),
        (
            {"limit": "2"},
            ConfigError,
            "limit='2': expected a whole number or None, got a text\n  give a whole",
        ),
        ({"parameters": []}, ConfigError, "expected a dictionary or None, got a list"),
        ({"limit": 0}, ConfigError, "at least 1 group"),
        ({"level": 2.0}, ConfigError, "level=2.0"),
        ({"concurrency": 0}, ConfigError, "concurrency=0"),
        ({"parameters": {"methd": "one"}}, NotFound, "did you mean 'method'"),
        ({"parameters": {"method": "three"}}, ConfigError, "parameter 'method' cannot be 'three'"),
        ({"parameters": {"method": []}}, ConfigError, "parameter 'method' has no value"),
        ({"parameters": {"method": object()}}, ConfigError, "parameter 'method' cannot be"),
        ({"options": {"temperature": "hot"}}, ConfigError, "temperature='hot'"),
        ({"settle": {"timeout": "overflow"}}, ConfigError, "failure of the way to the model"),
        ({"data": {"row": ROWS}}, NotFound, "no dataset of the chosen tasks named 'row'"),
        ({"data": {"rows": [1]}}, ConfigError, "no mapping"),
        ({"data": {"rows": [*ROWS, {"id": float("nan")}]}}, ConfigError, "row 3 of .*'id' holds nan"),
        ({"data": {"rows": [{"id": [{"a": float("inf")}]}]}}, ConfigError, "field 'id' holds inf"),
        ({"data": {"rows": [{"id": b"1"}]}}, ConfigError, "row 0 of .*field 'id' holds bytes"),
        ({"data": {"rows": pandas.DataFrame(ROWS)}}, ConfigError, "df.to_dict"),
        ({"data": {"rows": [*ROWS, {"id": "a"}]}}, SuiteError, "row 3 of data"),
        ({"data": {"rows": [{"id": "a"}]}}, SuiteError, "field `text`"),
        ({"data": {"rows": 3}}, ConfigError, "give a file, a run or rows"),
    ],
)
def test_what_a_command_refuses_a_call_raises(given: dict[str, Any], kind: type, told: str) -> None:
    with pytest.raises(kind, match=told):
        suite.evaluate(**{"task": Asking, **YES, **given})
    assert not Path("runs").exists()


def test_a_run_with_pending_samples_says_so(tmp_path: Path) -> None:
    rules = tmp_path / "rules.jsonl"
    rules.write_text('{"contains": "Say no", "fail": "broken"}\n{"text": "yes"}\n')
    run = suite.evaluate(Asking, **YES | {"model": f"scripted/{rules}"})
    assert run.pending == 1 and run.reasons == {"broken": 1}
    assert "1 of 3 samples pending" in repr(run) and "the same call continues this run in" in repr(run)
    rules.write_text('{"fail": "broken"}\n')
    with pytest.raises(RunError, match="3 samples are pending"):
        suite.evaluate(Asking, **YES | {"model": f"scripted/{rules}"})


def cell_of(text: str, monkeypatch: pytest.MonkeyPatch) -> type[suite.AnyTask]:
    """The class that a notebook's cell defines; its text is kept where IPython keeps it."""
    module = ModuleType("a_notebook")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    place = f"<cell {len(text)}>"
    monkeypatch.setitem(linecache.cache, place, (len(text), None, text.splitlines(True), place))
    exec(compile(text, place, "exec"), vars(module))
    found: type[suite.AnyTask] = module.Asking
    return found


def test_changed_cells_make_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    text = inspect.getsource(sys.modules[Asking.__module__])
    changed = text.replace("len(said) < 5", "len(said) < 15")
    first, same, other = (suite.evaluate(cell_of(one, monkeypatch), **YES) for one in (text, text, changed))
    assert first.folder == same.folder != other.folder
    assert suite.compare(first, other).to_pandas()["value_b"].tolist() == [pytest.approx(2 / 3)]
    assert suite.score(first, data={"rows": ROWS}, progress=False).pending == 0


REACHING = """
import re
import suite
from dataclasses import dataclass

YES = re.compile("yes")

@dataclass
class Rule:
    least: int = 1

def fits(said):
    import {helper}
    return bool(YES.match(said)) and len(said) >= Rule().least and {helper}.ANSWER == "yes"

class Row(suite.Payload):
    id: str
    want: str = "yes"

class Asking(suite.Task[Row, suite.Parameters]):
    info = suite.TaskInfo("asking/plain", 1, "Says what it is told", headline="right", datasets=("rows",))
    metrics = (suite.Rate("right"),)
    most = 3

    def samples(self, data):
        return (suite.Sample(row.id, row) for row in data.rows("rows", Row))

    async def solve(self, sample, models):
        return (await models.candidate.chat([suite.user("?")])).output()

    async def score(self, sample, output, models):
        return suite.Score({{"right": fits(output.text) and len(output.text) <= self.most
                            and sample.payload.want == "yes"}})
"""


CHANGES = {
    'compile("yes")': 'compile("no")',
    "least: int = 1": "least: int = 9",
    'want: str = "yes"': 'want: str = "no"',
    "most = 3": "most = 2",
    "return bool(": "return not bool(",
    'ANSWER = "yes"': 'ANSWER = "no"',
}


def test_whatever_a_class_reaches_makes_another_run_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)

    def ran(was: str, becomes: str) -> Evaluation:
        (tmp_path / "helper_of_asking.py").write_text('ANSWER = "yes"'.replace(was, becomes), "utf-8")
        module = ModuleType("a_notebook")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.delitem(sys.modules, "helper_of_asking", raising=False)
        importlib.invalidate_caches()
        exec(REACHING.format(helper="helper_of_asking").replace(was, becomes), vars(module))
        rows = {"rows": [{"id": "a"}]}
        return suite.evaluate(module.Asking, **YES | {"data": rows})

    first = ran("most", "most")
    assert ran("most", "most").folder == first.folder
    assert first.to_pandas()["value"][0] == 1
    for now, then in CHANGES.items():
        other = ran(now, then)
        assert (other.folder != first.folder, other.to_pandas()["value"][0]) == (True, 0), now


def test_a_class_that_was_changed_since_is_not_scored_as_the_one_that_ran(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = suite.evaluate(Asking, solve_only=True, **YES)
    monkeypatch.setattr(Asking, "strange", 1, raising=False)
    with pytest.raises(PluginError, match="not here as it was"):
        suite.score(run, data={"rows": ROWS}, progress=False)
    assert suite.evaluate(Asking, solve_only=True, **YES).folder != run.folder


def test_a_class_that_reaches_what_cannot_be_told_apart_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asking, "lock", threading.Lock(), raising=False)
    with pytest.raises(PluginError, match="Asking reaches a _thread.lock"):
        suite.evaluate(Asking, **YES)
