"""Requests of one turn that share no beginning: the task that `benchmarks/gpu.py` puts to both clients.

`prompts` makes them, for the suite and, as a file, for vLLM's own benchmark client.
"""

import random
from collections.abc import Iterable, Iterator

import suite

STOCK = ("hall", "opens", "nine", "ships", "leave", "quay", "near", "old", "town", "walls", "winter", "boats")


def prompts(count: int, words: int, seed: int) -> Iterator[str]:
    """Prompts that differ from their first word on."""
    chance = random.Random(seed)
    for index in range(count):
        yield f"{seed}-{index}: {' '.join(chance.choices(STOCK, k=words))}. Go on for a long time."


class LoadParameters(suite.Parameters):
    """count: of requests. words: of a prompt. tokens: most new ones. round: each has prompts of its own."""

    count: int = 64
    words: int = 250
    tokens: int = 128
    round: int = 1


class Load(suite.Task[suite.Payload, LoadParameters]):
    """As many requests as asked, each of one turn."""

    info = suite.TaskInfo("load", 1, "One-turn requests", headline="answered")
    metrics = (suite.Rate("answered"), suite.Mean("length"))

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[suite.Payload]]:
        return (suite.Sample(f"s{index}", suite.Payload()) for index in range(self.parameters.count))

    async def open(self, data: suite.Data, tools: suite.Tools) -> dict[str, str]:
        given = self.parameters
        self._prompts = list(prompts(given.count, given.words, given.round))
        return {}

    async def solve(self, sample: suite.Sample[suite.Payload], models: suite.Models) -> suite.Output:
        asked, most = self._prompts[int(sample.id[1:])], self.parameters.tokens
        return (await models.candidate.chat(asked, max_tokens=most, temperature=0.0)).output()

    async def score(
        self, sample: suite.Sample[suite.Payload], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        return suite.Score({"answered": bool(output.text.strip()), "length": float(len(output.text))})
