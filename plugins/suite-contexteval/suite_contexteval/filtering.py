"""contexteval/filter: keeps the queries that are well-formed. The first stage.

Upstream walks each source in a shuffled order until enough are kept. Here every query is asked about, and
the next stage cuts to the targets in the same order, so the same queries remain. A pool of queries made
from the five sources comes from `suite contexteval pool`.
"""

from collections.abc import Iterable, Mapping

import suite
from suite_contexteval import parsers, reading, wording
from suite_contexteval.asking import told, unread
from suite_contexteval.parameters import FilterParameters
from suite_contexteval.reading import MINI, QUERIES, Item

TARGETS: Mapping[str, int] = {
    "lmsys/chatbot_arena_conversations": 2500,
    "tatsu-lab/alpaca_eval": 800,
    "lmsys/mt_bench_human_judgments": 100,
    "cmalaviya/expertqa": 300,
    "fangyuan/kiwi": 100,
}


class Filter(suite.Task[Item, FilterParameters]):
    """Yes or no: is it a well-formed query?"""

    info = suite.TaskInfo(
        name="contexteval/filter",
        version=2,
        title="ContextEval stage: which queries are well-formed",
        paper="arXiv 2411.07237",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="kept",
        datasets=(QUERIES,),
        mini={QUERIES: MINI},
    )
    metrics = (
        suite.Rate("kept", by="source", direction="neither", about="The query is kept for the data set."),
        suite.Rate("readable", about="The reply could be read."),
    )
    prompts = wording.FILTER

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Item]]:
        """All queries."""
        return (reading.sample(item) for item in reading.queries(data))

    async def solve(self, sample: suite.Sample[Item], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, keep, target}. What cannot be read is not kept."""
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
        return told(verdict, {**item.data(), "keep": keep, "target": target})

    async def score(
        self,
        sample: suite.Sample[Item],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Whether it is kept."""
        lost = unread(output)
        return suite.Score({"kept": lost or output.data["keep"], "readable": output.data["readable"]})
