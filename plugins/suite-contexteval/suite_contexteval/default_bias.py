"""contexteval/default: whom a model's default response serves best.

One response a query, without context; a judge rates the same response for every answer of an attribute.
The answer with the highest mean is the user that the model has in mind by default.
"""

from collections.abc import Iterable

import suite
from suite_contexteval import official, parsers, reading, wording, wrapping
from suite_contexteval.parameters import DefaultParameters
from suite_contexteval.reading import ATTRIBUTES, MINI, SELECTED
from suite_contexteval.selection import Suiting, listed, suiting

WORST = 1


class Default(suite.Task[Suiting, DefaultParameters]):
    """A default response, rated for every answer."""

    info = suite.TaskInfo(
        name="contexteval/default",
        version=2,
        title="ContextEval: whom a default response serves best",
        paper="arXiv 2411.07237",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score"),
        },
        headline="range",
        datasets=(SELECTED, ATTRIBUTES),
        mini={SELECTED: MINI, ATTRIBUTES: MINI},
        presets={"mini": [{"attributes": ["budget"], "per_attribute": 6, "max_tokens": 40}]},
        note="Published: responses suit Western and higher-income contexts better.",
    )
    metrics = (
        suite.Mean(
            "range",
            range=(0.0, 4.0),
            by="attribute",
            direction="lower",
            about="How far apart the default response suits the answers of an attribute: 0 for all alike.",
        ),
        suite.Mean(
            "relevance",
            range=(1.0, 5.0),
            over="parts",
            by=("attribute", "answer"),
            about="How well the default response suits an answer, from 1 to 5, as the judge rates.",
        ),
        suite.Rate("answered", about="The model gave a response."),
    )
    prompts = wording.ANALYSES

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Suiting]]:
        """Queries with the attributes they suit."""
        p = self.parameters
        for one in suiting(data, p.attributes, p.per_attribute):
            yield suite.Sample(
                f"{one.example_id}/{one.attribute.slug}",
                one,
                group=one.example_id,
                tags={**reading.tags(one.source), "attribute": one.attribute.attribute},
            )

    async def solve(self, sample: suite.Sample[Suiting], models: suite.Models) -> suite.Output:
        """The response; asked once a query, whatever the attributes."""
        reply = await models.candidate.chat(
            wrapping.asked(sample.payload.query, "", self.prompts),
            max_tokens=self.parameters.max_tokens,
            temperature=self.parameters.temperature,
        )
        return reply.output()

    async def score(
        self, sample: suite.Sample[Suiting], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        """range: the best answer's rating minus the worst's. Parts: relevance, 1 to 5, of each answer.

        No response helps nobody: 1 for every answer.
        """
        attribute = sample.payload.attribute
        answered = not official.failed(output.text)
        rated: dict[str, int | suite.Unscored] = dict.fromkeys(attribute.answers, WORST)
        if answered:
            verdict = await suite.judge(
                models.judge,
                self.prompts.rate_all(
                    query=sample.payload.query,
                    question=attribute.question,
                    answers=listed(attribute.answers),
                    response=output.text,
                ),
                parse=parsers.relevances(attribute.answers),
                schema=parsers.relevance_schema(attribute.answers),
                max_tokens=self.parameters.rating_tokens,
            )
            lost = suite.Unscored(verdict.state, verdict.reason)
            rated = {**dict.fromkeys(attribute.answers, lost), **(verdict.value or {})}
        grades = [one for one in rated.values() if not isinstance(one, suite.Unscored)]
        parts = [
            suite.Part(
                f"{attribute.slug}/{place}",
                {"relevance": rated[answer]},
                {"attribute": attribute.attribute, "answer": f"{attribute.attribute}: {answer}"},
            )
            for place, answer in enumerate(attribute.answers)
        ]
        spread = max(grades) - min(grades) if grades else rated[attribute.answers[0]]
        return suite.Score({"range": spread, "answered": answered}, parts)
