from collections.abc import Iterable

import pytest

import suite
from suite.testing import ScriptedModel, metrics_of, solve_all, task_data


class Word(suite.Payload):
    id: str
    word: str
    tone: str


class Says(suite.Task[Word, suite.Parameters]):
    info = suite.TaskInfo(
        name="says",
        version=1,
        title="Says a word",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="said",
        datasets=("words",),
    )
    metrics = (suite.Rate("said", by="tone"), suite.Custom("twice", lambda said: 2.0, needs=["said"]))

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Word]]:
        for row in data.rows("words", Word):
            yield suite.Sample(id=row.id, payload=row, tags={"tone": row.tone})

    async def open(self, data: suite.Data, tools: suite.Tools) -> dict[str, str]:
        assert tools.scoring
        self.folder = tools.folder("index")
        return {}

    async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
        assert self.folder.is_dir()
        return (await models.candidate.chat(f"Say {sample.payload.word}.")).output()

    async def score(
        self, sample: suite.Sample[Word], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        return suite.Score({"said": sample.payload.word in output.text})


ROWS = [Word(id="1", word="tea", tone="soft"), Word(id="2", word="sea", tone="loud")]


async def test_samples_are_solved_and_scored_and_their_metrics_are_those_of_a_run() -> None:
    task = Says(suite.Parameters())
    solved = await solve_all(task, task_data(given={"words": ROWS}), candidate=ScriptedModel("tea"))
    assert [(one.sample.id, one.output.text, one.score.values) for one in solved] == [
        ("1", "tea", {"said": True}),
        ("2", "tea", {"said": False}),
    ]
    assert metrics_of(task, solved) == {
        "said": 0.5,
        "said[soft]": 1.0,
        "said[loud]": 0.0,
        "said_macro": 0.5,
        "twice": 2.0,
    }
    assert not task.folder.exists()


async def test_an_output_is_a_row_for_the_next_stage() -> None:
    task = Says(suite.Parameters())
    (first, _) = await solve_all(task, task_data(given={"words": ROWS}), candidate=ScriptedModel("tea"))
    row = first.row(task, "scripted/constant")
    assert row["sample_id"] == "1"
    assert (row["text"], row["finish"], row["tags"]) == ("tea", "stop", {"tone": "soft"})
    assert (row["task"], row["model"]) == ("says", "scripted/constant")


async def test_what_a_task_raises_comes_through_and_the_task_is_closed() -> None:
    closed: list[bool] = []

    class Broken(Says):
        async def score(
            self, sample: suite.Sample[Word], output: suite.Output, models: suite.Models
        ) -> suite.Score:
            raise ValueError("no")

        async def close(self) -> None:
            closed.append(True)

    with pytest.raises(ValueError, match="no"):
        await solve_all(
            Broken(suite.Parameters()), task_data(given={"words": ROWS}), candidate=ScriptedModel("x")
        )
    assert closed == [True]
