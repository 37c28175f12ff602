"""words/ray: 120 words said back, a task of a file for workers in other processes.

The second half waits until there is the file that RAY_WORDS_GATE names, if it names one.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import suite


class Word(suite.Payload):
    """One item."""

    word: str


class Words(suite.Task[Word, suite.Parameters]):
    """Two requests a sample; a judge."""

    info = suite.TaskInfo(
        name="words/ray",
        version=1,
        title="Say a word back",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score"),
        },
        headline="said",
    )
    metrics = (suite.Rate("said"),)

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Word]]:
        for index in range(120):
            yield suite.Sample(f"w{index}", Word(word=f"word{index}"), group=f"g{index // 2}")

    async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
        gate = os.environ.get("RAY_WORDS_GATE", ".")
        while int(sample.id[1:]) >= 60 and not Path(gate).exists():
            await asyncio.sleep(0.05)
        first = await models.candidate.chat([suite.user(f"Remember {sample.payload.word}.")])
        reply = await models.candidate.chat([suite.user(f"{first.text} Say it.")])
        return suite.Output(reply.text, finish=reply.finish)

    async def score(
        self, sample: suite.Sample[Word], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        verdict = await models.judge.chat([suite.user(f"Is this fine? {output.text}")])
        return suite.Score({"said": "e" in verdict.text})
