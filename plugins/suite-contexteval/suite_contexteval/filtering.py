"""contexteval/filter: keeps the queries that are well-formed. The first stage.

Upstream walks each source in a shuffled order until enough are kept. Here every query is asked about, and
the next stage cuts to the targets in the same order, so the same queries remain. A pool of queries made
from the five sources comes from `suite contexteval pool`.
"""

import random
from collections.abc import Iterable, Mapping

import suite
from suite_contexteval import parsers, reading, wording
from suite_contexteval.asking import told, unread
from suite_contexteval.parameters import FilterParameters
from suite_contexteval.reading import MINI, QUERIES, Item

SEED = 423
TARGETS: Mapping[str, int] = {
    "lmsys/chatbot_arena_conversations": 2500,
    "tatsu-lab/alpaca_eval": 800,
    "lmsys/mt_bench_human_judgments": 100,
    "cmalaviya/expertqa": 300,
    "fangyuan/kiwi": 100,
}


class Walked(Item):
    """A query with its place in its source's shuffled order."""

    walk: int


def walked(items: Iterable[Item]) -> list[Walked]:
    """All queries, source by source, each shuffled by upstream's seed."""
    by_source: dict[str, list[Item]] = {}
    for item in items:
        by_source.setdefault(item.source, []).append(item)
    chance = random.Random(SEED)
    found = []
    for queries in by_source.values():
        chance.shuffle(queries)
        found += [Walked(**item.model_dump(), walk=place) for place, item in enumerate(queries)]
    return found


class Filter(suite.Task[Walked, FilterParameters]):
    """Yes or no: is it a well-formed query?"""

    info = suite.TaskInfo(
        name="contexteval/filter",
        version=1,
        title="ContextEval stage: which queries are well-formed",
        paper="arXiv 2411.07237",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="kept",
        datasets=(QUERIES,),
        mini={QUERIES: MINI},
    )
    metrics = (suite.Rate("kept", by="source", direction="neither"), suite.Rate("readable"))
    prompts = wording.FILTER

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Walked]]:
        """All queries in the order of the walk."""
        for item in walked(reading.queries(data)):
            yield suite.Sample(item.example_id, item, tags=reading.tags(item.source))

    async def solve(self, sample: suite.Sample[Walked], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, keep, walk, target}. What cannot be read is not kept."""
        p, item = self.parameters, sample.payload
        verdict = await suite.judge(
            models.candidate,
            self.prompts.filter(query=item.query),
            parse=parsers.yes_no,
            schema={"enum": ["Yes", "No"]},
            max_tokens=p.max_tokens,
            temperature=p.temperature,
        )
        target = TARGETS.get(item.source) if p.targets == "paper" else None
        keep = bool(verdict.valid and verdict.value)
        return told(verdict, {**item.data(), "keep": keep, "walk": item.walk, "target": target})

    async def score(
        self,
        sample: suite.Sample[Walked],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Whether it is kept."""
        lost = unread(output)
        return suite.Score({"kept": lost or output.data["keep"], "readable": output.data["readable"]})
