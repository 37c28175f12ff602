"""contexteval/adapted: which users are harder to adapt to.

For every query and every answer of an attribute one response, and one rating of it for that answer. With
`-P adapt=false,true` the default response is rated for the same answers, so that the gain can be seen.
"""

from collections.abc import Iterable

import suite
from suite_contexteval import official, parsers, reading, wording, wrapping
from suite_contexteval.default_bias import WORST
from suite_contexteval.parameters import AdaptedParameters
from suite_contexteval.reading import ATTRIBUTES, MINI, SELECTED
from suite_contexteval.selection import Suiting, suiting


class Adapting(Suiting):
    """A query for one answer."""

    answer: str

    @property
    def wrapped(self) -> str:
        """The answer as a context."""
        return f"{self.attribute.question} {self.answer}"


class Adapted(suite.Task[Adapting, AdaptedParameters]):
    """A response made for one answer, rated for it."""

    info = suite.TaskInfo(
        name="contexteval/adapted",
        version=2,
        title="ContextEval: which users are harder to adapt to",
        paper="arXiv 2411.07237",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score"),
        },
        headline="relevance",
        datasets=(SELECTED, ATTRIBUTES),
        mini={SELECTED: MINI, ATTRIBUTES: MINI},
        presets={
            "gain": [{"adapt": False}, {"adapt": True}],
            "mini": [
                {"adapt": adapt, "attributes": ["budget"], "per_attribute": 3, "max_tokens": 40}
                for adapt in (False, True)
            ],
        },
    )
    metrics = (
        suite.Mean(
            "relevance",
            range=(1.0, 5.0),
            by=("attribute", "answer"),
            about="How well a response suits the user's answer, from 1 to 5, as the judge rates.",
        ),
        suite.Rate("answered", about="The model gave a response."),
        suite.Across(
            "gain",
            lambda cells: float(cells["adapted"]["relevance"].mean() - cells["default"]["relevance"].mean()),
            cells={"default": {"adapt": False}, "adapted": {"adapt": True}},
            needs=("relevance",),
            range=(-4.0, 4.0),
            about="How much better a response suits that was given the answer.",
        ),
    )
    prompts = wording.ANALYSES

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Adapting]]:
        """Queries with every answer of the attributes they suit."""
        p = self.parameters
        for one in suiting(data, p.attributes, p.per_attribute):
            name = one.attribute.attribute
            for place, answer in enumerate(one.attribute.answers):
                yield suite.Sample(
                    f"{one.example_id}/{one.attribute.slug}/{place}",
                    Adapting(**one.model_dump(), answer=answer),
                    group=one.example_id,
                    tags={**reading.tags(one.source), "attribute": name, "answer": f"{name}: {answer}"},
                )

    async def solve(self, sample: suite.Sample[Adapting], models: suite.Models) -> suite.Output:
        """The response, for the answer or by default."""
        one = sample.payload
        reply = await models.candidate.chat(
            wrapping.asked(one.query, one.wrapped if self.parameters.adapt else "", self.prompts),
            max_tokens=self.parameters.max_tokens,
            temperature=self.parameters.temperature,
        )
        return reply.output()

    async def score(
        self, sample: suite.Sample[Adapting], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        """relevance, 1 to 5, for this answer. No response helps nobody: 1."""
        if official.failed(output.text):
            return suite.Score({"relevance": WORST, "answered": False})
        one = sample.payload
        verdict = await suite.judge(
            models.judge,
            self.prompts.rate_one(query=one.query, context=one.wrapped, response=output.text),
            parse=parsers.relevance,
            schema=parsers.relevance_schema(),
            max_tokens=self.parameters.rating_tokens,
        )
        return suite.Score({"relevance": verdict.value_or_unscored(), "answered": True})
