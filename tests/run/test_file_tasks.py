"""A task in a file: found, refused in a sentence, run, and opened again from its run."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from task_sources import EVAL, ROWS, WHOLE, manifest, written

from suite import run_command
from suite.errors import NotFound, PluginError
from suite.plugins import catalogue
from suite.task_files import task_file

PAGE = Path(__file__).resolve().parents[2] / "docs/one-file"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["units.py", "./units.py", "./units.py:Units", "{}/units.py"])
def test_a_file_is_run_by_any_path_to_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written("units.py")
    assert run_command(*EVAL, "--task", name.format(tmp_path), "--output", "one") == 0
    assert "units A title" in capsys.readouterr().out
    sha256 = task_file(str(file)).sha256
    assert manifest("one")["plan"]["tasks"] == {"units": {"file": "units.py", "sha256": sha256}}
    assert re.search(str(tmp_path), Path("one/manifest.json").read_text("utf-8")) is None


def test_a_changed_file_is_another_run_and_the_same_one_continues_wherever_it_lies(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = written("units.py")
    for _ in range(2):
        assert run_command(*EVAL, "--task", "units.py") == 0
    shutil.copytree(".", "other", ignore=shutil.ignore_patterns("cache", "runs"))
    assert run_command(*EVAL, "--task", "other/units.py") == 0
    assert len(list(Path("runs").iterdir())) == 1
    file.write_text(file.read_text("utf-8") + "# another\n", "utf-8")
    assert run_command(*EVAL, "--task", "units.py") == 0
    assert len(list(Path("runs").iterdir())) == 2
    capsys.readouterr()


def test_a_run_is_scored_again_only_with_the_file_it_was_made_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = written("units.py")
    assert run_command(*EVAL, "--task", "units.py", "--output", "one") == 0
    moved = written("elsewhere/moved.py")
    file.unlink()
    assert run_command("score", "one", "--quiet") == 2
    assert "comes from units.py with the sha256" in capsys.readouterr().err
    assert run_command("score", "one", "--quiet", "--task", "elsewhere/moved.py") == 0
    moved.write_text(WHOLE.format(name="Units", task="units") + "\nprint('never run')\n", "utf-8")
    assert run_command("score", "one", "--quiet", "--task", "elsewhere/moved.py") == 2
    said = capsys.readouterr()
    assert "moved.py was changed" in said.err or "units.py was changed" in said.err
    assert "never run" not in said.out


@pytest.mark.parametrize("own", ['rows={"rows": "rows.jsonl"}', 'datasets=("rows",)'])
def test_data_given_is_found_where_it_was_with_the_bytes_it_had(
    own: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = WHOLE.format(name="Units", task="units").replace('rows={"rows": "rows.jsonl"}', own)
    written("units.py", task)
    Path("given").mkdir()
    Path("given/more.jsonl").write_text(ROWS.replace('"a"', '"c"'), "utf-8")
    flags = ("--task", "units.py", "--data", "rows=given/more.jsonl")
    assert run_command(*EVAL, *flags, "--output", "runs/one") == 0
    monkeypatch.chdir("given")  # a run knows the folder that it was started in
    assert run_command("score", "../runs/one", "--quiet") == 0
    Path("more.jsonl").write_text(ROWS, "utf-8")
    capsys.readouterr()
    assert run_command("score", "../runs/one", "--quiet") == 2
    assert "give the same --data again" in capsys.readouterr().err


def test_runs_of_a_file_are_compared_and_need_it(capsys: pytest.CaptureFixture[str]) -> None:
    file = written("units.py")
    assert run_command(*EVAL, "--task", "units.py", "--output", "one") == 0
    other = ("eval", "--model", "scripted/constant?text=no", "--quiet", "--task", "units.py")
    assert run_command(*other, "--output", "two") == 0
    assert run_command("compare", "one", "two") == 0
    assert "right" in capsys.readouterr().out
    file.write_text(file.read_text("utf-8") + "# another\n", "utf-8")
    assert run_command("compare", "one", "two") == 2
    assert "units.py was changed since the run" in capsys.readouterr().err


def test_two_files_of_one_stem_stand_side_by_side_and_hide_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = set(sys.modules)
    written("one/json.py", WHOLE.format(name="A", task="first"))
    written("two/json.py", WHOLE.format(name="B", task="second"), rows='{"id": "z", "text": "?"}\n')
    assert run_command(*EVAL, "--task", "one/json.py", "--task", "two/json.py", "--output", "run") == 0
    assert {cell["task"] for cell in manifest("run")["cells"]} == {"first", "second"}  # type: ignore[index]
    added = {name for name in set(sys.modules) - before if "json" in name}
    assert not added
    assert run_command("score", "run", "--quiet", "--task", "one/json.py") == 0
    capsys.readouterr()


def test_equal_files_in_two_folders_have_rows_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    written("one/units.py")
    written("two/units.py", rows='{"id": "z", "text": "?"}\n')
    assert run_command(*EVAL, "--task", "one/units.py", "--output", "a") == 0
    assert run_command(*EVAL, "--task", "two/units.py", "--output", "b") == 0
    assert [len(Path(run, "outputs.jsonl").read_text("utf-8").splitlines()) for run in "ab"] == [2, 1]
    assert run_command(*EVAL, "--task", "one/units.py", "--task", "two/units.py") == 2
    assert "two tasks of this run are called 'units'" in capsys.readouterr().err


BROKEN = {
    "": ("units.py defines no task", "derives from suite.Task"),
    "class Alike:\n    def solve(self): ...\n    def score(self): ...\n": ("no task", "let Alike derive"),
    "import suite\nfrom suite_prefeval.generation import Generation\n": ("units.py defines no task",),
    "x = 1\nraise ValueError('so')\n": ("units.py, line 2: ValueError: so",),
    "def f(:\n": ("units.py, line 1: SyntaxError",),
    "import sys\nsys.exit(3)": ("units.py, line 2: SystemExit: 3",),
    "a = 1\nimport nowhere_at_all": ("units.py, line 2: ModuleNotFoundError: No module named",),
    "import helper": ("units.py, line 1: imports 'helper', which is not installed", "a task is one file"),
    "def late():\n    import helper": (
        "units.py, line 2: imports 'helper'",
        "put what it needs into units.py",
    ),
    "import suite\nclass A(suite.Task): ...\nclass B(suite.Task): ...\n": ("defines 2 tasks: A, B", ":A"),
    "import suite\nclass A(suite.Task): ...\n": ("class A lacks the methods samples and solve and score",),
    WHOLE.format(name="A", task="a").replace("async def score", "async def mark"): (
        "units.py: class A lacks the method score",
    ),
    WHOLE.format(name="A", task="a").replace("    info = ", "    facts = "): ("class A has no `info`",),
    WHOLE.format(name="A", task="Not A Name"): ("class A: bad name 'Not A Name'",),
    WHOLE.format(name="A", task="a").replace("headline=", "headlin="): ("units.py, line 5: TypeError",),
    WHOLE.format(name="A", task="a").replace('"right"),)', '"right"))'): (
        "class A: metrics are Rate(",
        "tuple",
    ),
    WHOLE.format(name="A", task="a").replace('{"rows": "rows.jsonl"}', '"rows.jsonl"'): ("not a mapping",),
    WHOLE.format(name="A", task="a").replace('{"rows": "rows.jsonl"}', '{"rows": 1}'): ("neither a path",),
    WHOLE.format(name="A", task="a").replace('"a", 1', '"a", "1"'): ("version '1' of `info` is not a whole",),
    WHOLE.format(name="A", task="a") + "    def __init__(self, parameters): 1 / 0\n": (
        "a: __init__ fails with ZeroDivisionError: division by zero (units.py, line",
    ),
    WHOLE.format(name="A", task="a").replace('headline="right"', 'headline="rigth"'): (
        "units.py: class A: no metric yields the headline 'rigth'",
        "rows: right",
    ),
    WHOLE.format(name="A", task="a").replace('row["id"]', 'row["ident"]'): (
        "a: samples fails with KeyError: 'ident' (units.py, line 9, in <genexpr>)",
    ),
    WHOLE.format(name="A", task="a").replace("rows.jsonl", "none.csv"): ("dataset 'rows': no file none.csv",),
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_file_that_is_no_task_is_a_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    written("units.py", text)
    Path("helper.py").write_text("", "utf-8")
    assert run_command(*EVAL, "--task", "units.py") == 2
    said = capsys.readouterr().err
    assert all(one in said for one in BROKEN[text]), said
    assert "Traceback" not in said
    assert not Path("runs").exists()


def test_several_tasks_of_a_file_are_named_by_class() -> None:
    written("units.py", WHOLE.format(name="A", task="a") + WHOLE.format(name="B", task="b") + "\nC = 3\n")
    assert task_file("units.py:B").kind.info.name == "b"
    with pytest.raises(NotFound, match="defines no class 'D'"):
        task_file("units.py:D")
    with pytest.raises(PluginError, match="defines 2 tasks: A, B"):
        task_file("units.py")


def test_a_missing_file_is_a_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder.py").mkdir()
    for name, said in {"nowhere.py": "No such file", "folder.py": "is a folder"}.items():
        assert run_command(*EVAL, "--task", name) == 2
        assert f"{name} cannot be read: {said}" in capsys.readouterr().err


def test_a_name_in_a_record_never_runs_a_file() -> None:
    written("units.py", "raise SystemExit('was run')")
    with pytest.raises(NotFound, match="only an installed task can stand here"):
        catalogue().find("task", "units.py")
    with pytest.raises(NotFound, match="'./units.jsonl' is no task"):
        catalogue().find("task", "./units.jsonl")
    with pytest.raises(NotFound, match=r"a file is named with its ending: units\.py"):
        catalogue().find("task", "units")


def test_boards_want_a_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    written("units.py")
    assert run_command(*EVAL, "--task", "units.py", "--output", "one") == 0
    assert run_command("submit", "pack", "one", "-O", "one.suite.zip") == 2
    assert "ran units from units.py, which nobody else can install" in capsys.readouterr().err
    assert not Path("one.suite.zip").exists()


def test_an_error_of_its_code_is_told_with_file_and_line(capsys: pytest.CaptureFixture[str]) -> None:
    written("units.py", WHOLE.format(name="A", task="a").replace("output.text ==", "1 / 0 =="))
    assert run_command(*EVAL, "--task", "units.py") == 1
    assert "ZeroDivisionError: division by zero (units.py, line 15, in score)" in capsys.readouterr().err


def test_its_own_view_of_a_sample_is_shown_while_file_and_rows_are_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    view = "\n    def show(self, sample, output, score):\n        yield suite.Text('seen: ' + sample.id)\n"
    file = written("units.py", WHOLE.format(name="A", task="a") + view)
    assert run_command(*EVAL, "--task", "units.py", "--output", "one") == 0
    shown = ("report", "show", "one", "--sample", "a")
    for gone, told in {
        None: "seen: a",
        Path("rows.jsonl"): "no file rows.jsonl",
        file: "units.py is not here",
    }.items():
        if gone is not None:
            gone.unlink()
        capsys.readouterr()
        assert run_command(*shown) == 0
        assert told in capsys.readouterr().out


def test_a_module_beside_it_is_refused_even_where_python_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    Path("beside_it.py").write_text("", "utf-8")
    written("units.py", "import beside_it\n" + WHOLE.format(name="A", task="a"))
    with pytest.raises(PluginError, match="imports 'beside_it', which is not installed"):
        task_file("units.py")


BAD_SCORES = {
    '{"rigth": True}': "score gives 'rigth', and no metric reads what it gives: did you mean 'right'?",
    '{"right": "yes"}': "score gives 'yes' for 'right', whose metric takes a number or True or False",
    '{"right": 2.5}': "score gives 2.5 for 'right', whose metric takes 0 to 1",
}


@pytest.mark.parametrize("values", BAD_SCORES)
def test_values_that_no_metric_can_count_are_an_error_of_the_task_and_no_number(
    values: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = WHOLE.format(name="Units", task="units").replace('{"right": output.text == "yes"}', values)
    written("units.py", text)
    assert run_command(*EVAL, "--task", "units.py", "--output", "one") == 1
    said = capsys.readouterr().err
    assert f"{BAD_SCORES[values]} (units.py, line 14, in score)" in said
    assert "correct it, and the same command goes on" in said
    assert "continues this run" not in said


def test_a_method_that_is_no_coroutine_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    written("units.py", WHOLE.format(name="Units", task="units").replace("async def score", "def score"))
    assert run_command(*EVAL, "--task", "units.py", "--output", "one") == 1
    assert "write `async def score` (units.py, line 14, in score)" in capsys.readouterr().err


def test_a_metric_sliced_by_a_tag_that_no_sample_has_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = WHOLE.format(name="Units", task="units").replace('Rate("right")', 'Rate("right", by="unit")')
    written("units.py", text)
    assert run_command(*EVAL, "--task", "units.py", "--output", "one") == 0
    assert (
        "! No sample of units has the tag unit, by which its metrics are sliced." in capsys.readouterr().out
    )
