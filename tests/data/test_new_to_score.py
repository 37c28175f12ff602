"""From a dataset on the Hub that nobody has described to a scored run, by the commands a person types."""

import json
import shutil
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from local_hub import LocalHub, commit_of
from small_registry import ROOT, Place

import suite

pytestmark = pytest.mark.hub
TASK = """
import suite

class Row(suite.Payload):
    id: str
    frage: str
    richtig: bool

class Fragen(suite.Task[Row, suite.Parameters]):
    info = suite.TaskInfo("fragen", 1, "Says yes where yes is right", headline="right", datasets=("fragen",))
    metrics = (suite.Rate("right"),)

    def samples(self, data):
        return (suite.Sample(row.id, row) for row in data.rows("fragen", Row, part="de/train"))

    async def solve(self, sample, models):
        return (await models.candidate.chat([suite.user(sample.payload.frage)])).output()

    async def score(self, sample, output, models):
        return suite.Score({"right": sample.payload.richtig == (output.text == "yes")})
"""


@pytest.fixture(autouse=True)
def _here(place: Place, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))


def scored(*words: str, says: str = "yes") -> dict[str, object]:
    """The results of a run with a model that always says one word."""
    flags = ("--model", f"scripted/constant?text={says}", "--output", "run", "--quiet")
    assert suite.run_command("eval", *words, *flags) == 0
    found: dict[str, object] = json.loads(next(Path("run").glob("scorings/*/results.json")).read_text())
    return found


def test_a_config_in_parquet(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = hub.root / "datasets/ours/fragen"
    for config, count in (("de", 8), ("en", 2)):
        rows = [{"id": f"{i}", "frage": "Ja?", "richtig": i < 6} for i in range(count)]
        (folder / config).mkdir(parents=True)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / config / "test.parquet")
    configs = [{"config_name": one, "data_files": f"{one}/*.parquet"} for one in ("de", "en")]
    (folder / "README.md").write_text(f"---\nlicense: mit\nconfigs: {json.dumps(configs)}\n---\n")
    Path("fragen.py").write_text(TASK)
    assert suite.run_command("data", "new", "fragen", "--hub", "ours/fragen") == 0
    assert suite.run_command("data", "pull", "fragen") == 0
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    results = scored("--task", "./fragen.py")
    (metric,) = results["cells"][0]["metrics"]  # type: ignore[index]
    assert (metric["name"], metric["value"], metric["n"]) == ("right", 0.75, 8)
    data = json.loads(Path("run/manifest.json").read_text())["data"]["fragen"]
    assert (data["revision"], data["licence"]["name"]) == (commit_of(folder), "mit")


def test_json_in_place_of_the_rows_of_a_task(hub: LocalHub) -> None:
    shutil.copy(ROOT / "docs/one-file/units.py", "units.py")
    shutil.copy(ROOT / "docs/one-file/units.jsonl", "units.jsonl")
    folder = hub.root / "datasets/ours/units"
    folder.mkdir()
    rows = [{"id": f"{i}", "text": "How far?", "units": "imperial" if i else "metric"} for i in range(4)]
    (folder / "rows.json").write_text(json.dumps(rows))
    assert suite.run_command("data", "new", "my-units", "--hub", "ours/units", "--licence", "CC0-1.0") == 0
    assert suite.run_command("data", "pull", "my-units") == 0
    results = scored("--task", "./units.py", "--data", "texts=my-units", says="imperial")
    metric = results["cells"][0]["metrics"][0]  # type: ignore[index]
    assert (metric["value"], metric["n"]) == (0.75, 4)


def splits(name: str) -> None:
    """An entry of two parts, of questions about units: 2 metric ones of 3 in train, none of 4 in test."""
    for part, units in (
        ("train", ["metric", "metric", "imperial"]),
        ("test", ["imperial"] * 4),
    ):
        rows = [{"id": f"{part}-{i}", "text": "How far?", "units": one} for i, one in enumerate(units)]
        Path(f"{part}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert suite.run_command("data", "new", name, "--files", "train.jsonl", "test.jsonl") == 0
    shutil.copy(ROOT / "docs/one-file/units.py", "units.py")
    shutil.copy(ROOT / "docs/one-file/units.jsonl", "units.jsonl")


def test_parts_are_never_mixed_and_the_one_chosen_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    splits("pp")
    run = ("eval", "--task", "./units.py", "--model", "scripted/constant?text=imperial", "--quiet")
    assert suite.run_command(*run, "--data", "texts=pp") == 2
    error = capsys.readouterr().err
    assert "its parts: test, train" in error and "choose one: --data texts=pp:test" in error
    assert suite.run_command(*run, "--data", "texts=pp:tset") == 2
    assert "no part of pp named 'tset'" in capsys.readouterr().err
    results = scored("--task", "./units.py", "--data", "texts=pp:test", says="imperial")
    assert (results["cells"][0]["samples"], results["cells"][0]["metrics"][0]["value"]) == (4, 1.0)  # type: ignore[index]
    assert "data: pp:test (bundled)" in capsys.readouterr().out
    assert json.loads(Path("run/manifest.json").read_text())["data"]["texts"]["part"] == "test"
    assert suite.run_command("score", "run", "--quiet") == 0
    of_train = suite.evaluate(
        "./units.py", model="scripted/constant?text=imperial", data={"texts": "pp:train"}, progress=False
    )
    assert of_train.results.cells[0].metrics[0].value == pytest.approx(1 / 3)
    assert suite.run_command("compare", "run", str(of_train.folder)) == 2
    assert "pp:test" in capsys.readouterr().err


def test_a_task_file_that_names_a_dataset_names_its_part(capsys: pytest.CaptureFixture[str]) -> None:
    splits("pp")
    text = Path("units.py").read_text().replace('rows={"texts": "units.jsonl"}', 'datasets=("texts",)')
    Path("own.py").write_text(text.replace('"texts"', '"pp"'))
    run = ("eval", "--task", "./own.py", "--model", "scripted/constant?text=imperial", "--quiet")
    assert suite.run_command(*run) == 2
    assert "pp has several parts, and the task names none for 'pp'" in capsys.readouterr().err
    assert suite.run_command(*run, "--data", "pp=pp:test") == 0
