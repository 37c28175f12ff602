"""A plugin brings a judge (a provider that fills the role) and a metric, written by public names alone."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import suite
from suite.plugins import catalogue
from suite.testing import open_model

CODE = '''
from collections.abc import Iterable, Mapping, Sequence

import suite


class Strict(suite.Engine):
    """Says Yes to answers that begin with a capital letter."""

    def capabilities(self) -> frozenset[str]:
        return frozenset({"chat"})

    def identity(self) -> Mapping[str, object]:
        return {"provider": "pedant", "name": self.spec.name, "revision": "1", "deterministic": True}

    async def call(self, request: suite.Request, asking: suite.Asking) -> suite.Reply:
        answer = request.last_text.partition("Answered: ")[2]
        return suite.Reply("Yes" if answer[:1].isupper() else "No")


class Pedant(suite.Provider):
    """The one judge there is."""

    def engine(self, spec: suite.ModelSpec) -> suite.Engine:
        return Strict(spec)


class Spread(suite.Custom):
    """How far the largest value is from the smallest."""

    def __init__(self, value: str, unit: str) -> None:
        super().__init__(f"{value}_spread", self.spread, needs=(value,), unit=unit, interval="none")

    def spread(self, columns: Mapping[str, Sequence[float]]) -> float:
        (values,) = (columns[name] for name in self.needs)
        return float(max(values) - min(values))


class Thing(suite.Payload):
    id: str
    word: str


class Names(suite.Task[Thing, suite.Parameters]):
    info = suite.TaskInfo(
        name="pedant/names",
        version=1,
        title="Begins with a capital letter",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score"),
        },
        headline="good",
        datasets=("things",),
    )
    metrics = (suite.Rate("good"), Spread("length", "characters"))

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Thing]]:
        for row in data.rows("things", Thing):
            yield suite.Sample(id=row.id, payload=row)

    async def solve(self, sample: suite.Sample[Thing], models: suite.Models) -> suite.Output:
        return (await models.candidate.chat(sample.payload.word)).output()

    async def score(self, sample, output, models):
        asked = f"Answered: {output.text}"
        verdict = await suite.judge(models.judge, asked, parse=lambda said: said == "Yes")
        return suite.Score({"good": verdict.value_or_unscored(), "length": len(output.text)})


@suite.hookimpl
def suite_register() -> list[suite.Entry]:
    return [
        suite.Entry("task", "pedant/names", "Begins with a capital letter", "suite_pedant:Names"),
        suite.Entry("provider", "pedant", "A judge of capital letters", "suite_pedant:provider"),
    ]


provider = Pedant()
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugin as a distribution on the path."""
    files = {
        "suite_pedant.py": CODE,
        "suite_pedant-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: suite-pedant\nVersion: 1\n",
        "suite_pedant-1.dist-info/entry_points.txt": "[suite]\npedant = suite_pedant\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()
    sys.modules.pop("suite_pedant", None)


@pytest.mark.usefixtures("installed")
async def test_its_engine_answers_as_any_other() -> None:
    async with open_model("pedant/strict", "judge") as judge:
        assert (await judge.chat("Answered: Tea")).text == "Yes"


@pytest.mark.usefixtures("installed")
def test_judge_and_metric_of_a_plugin_are_those_of_a_run(tmp_path: Path) -> None:
    rows = ({"id": word, "word": word} for word in ("Tea", "sea", "Leaves"))
    (tmp_path / "things.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = ["--task", "pedant/names", "--data", "things=things.jsonl", "--model", "scripted/echo"]
    assert suite.run_command("eval", *told, "--judge", "pedant/strict", "--output", "run", "--quiet") == 0
    (cell,) = suite.Run(tmp_path / "run").results.cells
    assert [(one.name, one.value, one.unit) for one in cell.metrics] == [
        ("good", pytest.approx(2 / 3), ""),
        ("length_spread", 3.0, "characters"),
    ]
    assert "length_spread" in (tmp_path / "run/report.md").read_text()
    (manifest,) = (tmp_path / "run").glob("scorings/*/manifest.json")
    (judge,) = json.loads(manifest.read_text())["roles"]["judge"]
    assert (judge["spec"], judge["identity"]["revision"]) == ("pedant/strict", "1")
