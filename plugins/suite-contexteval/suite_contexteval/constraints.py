"""contexteval/constraints: how many of the user's answers a response takes up.

Reads a run of `contexteval/respond`; run it for both models and `suite compare` the two. The judge counts.
"""

from collections.abc import Iterable

import suite
from suite_contexteval import official, parsers, reading, wording, wrapping
from suite_contexteval.asking import told
from suite_contexteval.parameters import ConstraintsParameters
from suite_contexteval.reading import MINI, RESPONSES, Item


class Answered(Item):
    """A query with a response and the number of answers it could take up."""

    response: str
    constraints: int


class Constraints(suite.Task[Answered, ConstraintsParameters]):
    """A count a response."""

    info = suite.TaskInfo(
        name="contexteval/constraints",
        version=2,
        title="ContextEval stage: how many of the user's answers a response takes up",
        paper="arXiv 2411.07237",
        roles={"judge": suite.Role(needs={"chat"})},
        headline="satisfied",
        datasets=(RESPONSES,),
        mini={RESPONSES: MINI},
        presets={"both": [{"context": False}, {"context": True}]},
    )
    metrics = (
        suite.Mean(
            "satisfied",
            range=(0.0, 1.0),
            about="The share of the user's answers that a response takes up, as the judge counts.",
        ),
        suite.Mean("count", about="How many of the user's answers a response takes up."),
        suite.Rate("readable", about="The judge's count could be read."),
        suite.Across(
            "satisfied_by_context",
            lambda cells: float(cells["with"]["satisfied"].mean() - cells["without"]["satisfied"].mean()),
            cells={"without": {"context": False}, "with": {"context": True}},
            needs=("satisfied",),
            range=(-1.0, 1.0),
            about="How much more of the answers a response takes up that was given them.",
        ),
    )
    prompts = wording.CONSTRAINTS

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Answered]]:
        """Responses of the kind wanted. Raises DataError for a context that does not fall into pairs."""
        rows = reading.responses(data, RESPONSES, "responses", with_context=self.parameters.context)
        for name, row in rows.items():
            item = reading.contextual_item(row, row.index or 0)
            pairs = item.qas or wrapping.context_pairs(item.context)
            if not pairs:
                raise suite.DataError(
                    f"{RESPONSES}: the context of {name!r} does not fall into questions and answers",
                    fix="write one pair a line: Q: … A: …",
                )
            yield suite.Sample(
                name,
                Answered(**item.model_dump(), response=row.answer, constraints=len(pairs)),
                tags=reading.tags(row.source),
            )

    async def solve(self, sample: suite.Sample[Answered], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, qas or context, response, constraints, count}.

        A response that failed takes nothing up; nobody is asked.
        """
        p, item = self.parameters, sample.payload
        data = {**item.data(), "response": item.response, "constraints": item.constraints}
        if official.failed(item.response):
            return suite.Output(data={**data, "count": 0, "readable": True, "why": "", "attempts": 0})
        verdict = await suite.judge(
            models.judge,
            self.prompts.count(query=item.query, context=item.context, response=item.response),
            parse=parsers.constraint_count(item.constraints),
            schema={"enum": list(range(item.constraints + 1))},
            max_tokens=p.max_tokens,
            temperature=p.temperature,
        )
        return told(verdict, {**data, "count": verdict.value})

    async def score(
        self,
        sample: suite.Sample[Answered],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """count, and satisfied: its share of the answers given."""
        data = output.data
        if not data["readable"]:
            lost = suite.Unscored(output.finish, data["why"])
            return suite.Score({"count": lost, "satisfied": lost, "readable": False})
        return suite.Score(
            {"count": data["count"], "satisfied": data["count"] / data["constraints"], "readable": True}
        )
