"""contexteval/choose: one user's answers to the follow-up questions.

A model answers as one plausible person, so that the answers fit together, word for word from the lists.
Where it cannot be read, each answer is drawn evenly from its list, and the sample says so. The prompt
upstream used was never published.
"""

from collections.abc import Iterable

from pydantic import Field

import suite
from suite_contexteval import parsers, wording
from suite_contexteval.parameters import Step
from suite_contexteval.reading import MINI, VALIDATED
from suite_contexteval.rows import QA
from suite_contexteval.validation import ToValidate, numbered, queries_with_pairs

SAMPLING_TOKENS = 2048


class ChooseParameters(Step):
    """Upstream gives this step more room than the others."""

    max_tokens: int = Field(default=SAMPLING_TOKENS, ge=1, description="most new tokens of a reply")


class Choose(suite.Task[ToValidate, ChooseParameters]):
    """One answer a question."""

    info = suite.TaskInfo(
        name="contexteval/choose",
        version=1,
        title="ContextEval stage: one user's context for each query",
        paper="arXiv 2411.07237",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="readable",
        datasets=(VALIDATED,),
        mini={VALIDATED: MINI},
    )
    metrics = (
        suite.Rate("readable", about="The model's answers could be used; else they are drawn by chance."),
        suite.Mean("questions", direction="neither", about="Questions that the user answered."),
        suite.Mean(
            "first_option",
            range=(0.0, 1.0),
            direction="neither",
            about="How often the answer is the first of its list.",
        ),
    )
    prompts = wording.CHOOSING

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[ToValidate]]:
        """Queries with the questions that were kept."""
        return queries_with_pairs(data, VALIDATED, "validated")

    async def solve(self, sample: suite.Sample[ToValidate], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, qas: [{question, options, answer}], drawn, why}.

        drawn: whether the answers were drawn by chance.
        """
        p, item = self.parameters, sample.payload
        verdict = await suite.judge(
            models.candidate,
            self.prompts.choose(query=item.query, pairs=numbered(item.pairs)),
            parse=parsers.chosen(item.pairs),
            schema=parsers.chosen_schema(item.pairs),
            max_tokens=p.max_tokens,
            temperature=p.temperature,
        )
        qas = verdict.value
        if qas is None:
            chance = sample.random("answers")
            qas = tuple(
                QA(question=one.question, options=one.options, answer=chance.choice(one.options))
                for one in item.pairs
            )
        data = {
            **item.model_copy(update={"qas": qas}).data(),
            "drawn": verdict.value is None,
            "why": verdict.reason,
        }
        return suite.Output(verdict.text, data)

    async def score(
        self,
        sample: suite.Sample[ToValidate],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Whether the model's answers were usable, and how often they are the first of their list."""
        qas = output.data["qas"]
        first = sum(one["answer"] == one["options"][0] for one in qas) / len(qas)
        return suite.Score(
            {"readable": not output.data["drawn"], "questions": len(qas), "first_option": first}
        )
