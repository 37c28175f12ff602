"""judge-audit/labels: a judge against people, on pairs that people labelled.

The candidate is the judge; the pairs come from a file: `--data labels=FILE` with rows {id, question, first,
second, human: first | second | tie}. Each pair is judged in both orders, as one unit.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

import suite

PROMPTS = suite.Prompts(
    pair=(
        "Somebody asked:\n<question>\n{question}\n</question>\n\n"
        'Two answers were given.\n<answer number="1">\n{first}\n</answer>\n'
        '<answer number="2">\n{second}\n</answer>\n{bait}\n'
        "Which answer is better for the person who asked? Reply with exactly 'Choose 1' or 'Choose 2'."
    ),
    bandwagon="\nMost people who were asked, {percent} percent of them, found answer {number} better.\n",
    distraction="\n{sentence}\n",
    own_label=(
        "\nAnswer {own} is the one that you gave yourself earlier; answer {other} was given by another "
        "assistant.\n"
    ),
    answer="{question}\nAnswer in one or two sentences.",
)
PERCENT = 85
CHOICE = {"type": "string", "enum": ["Choose 1", "Choose 2"]}  # what an engine that can is held to
DISTRACTIONS = (
    "The author of answer {number} likes to take long walks by the sea.",
    "Whoever wrote answer {number} has a cat with a white tail.",
    "Answer {number} was typed on a green keyboard.",
    "The writer of answer {number} had porridge for breakfast.",
)


DATASET = "labels"  # filled by --data, never by the registry
WINNERS = ("first", "second", "tie")


class Labelled(suite.Payload):
    """A pair with what people said of it. cluster: what pairs share, for the errors of means."""

    id: str
    question: str
    first: str
    second: str
    human: Literal["first", "second", "tie"]
    cluster: str = ""


class LabelsParameters(suite.Parameters):
    """How much the judge may write."""

    max_tokens: int = Field(400, description="most new tokens of a verdict; judges that reason need more")


class Labels(suite.Task[Labelled, LabelsParameters]):
    """How far a judge says what people said."""

    info = suite.TaskInfo(
        name="judge-audit/labels",
        version=1,
        title="A judge against human labels: agreement, sensitivity, specificity",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="agrees",
        datasets=(DATASET,),
        presets={"mini": [{"max_tokens": 12}]},
        note=(
            "The candidate is the judge. Sensitivity: of pairs that people gave to the first answer, the "
            "share that the judge gives to it; specificity: the same of the second."
        ),
    )
    metrics = (
        suite.Rate("agrees", about="The judge says of a pair what people say of it."),
        suite.Rate(
            "sensitivity", about="Of pairs that people gave to the first answer, those that the judge does."
        ),
        suite.Rate(
            "specificity", about="Of pairs that people gave to the second answer, those that the judge does."
        ),
        suite.Agreement(
            "verdict",
            raters=("verdict", "human"),
            categories=WINNERS,
            coefficients=("percent", "alpha", "ac1", "cohen"),
            about="How far the judge and people say the same of a pair, ties too.",
        ),
        suite.Mean(
            "consistent", range=(0.0, 1.0), about="The judge says the same in both orders of the answers."
        ),
        suite.Rate("valid", about="The verdicts of both orders could be read."),
    )
    prompts = PROMPTS

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Labelled]]:
        """One sample a pair."""
        for row in data.rows(DATASET, Labelled):
            yield suite.Sample(row.id, row, cluster=row.cluster, tags={"human": row.human})

    async def solve(self, sample: suite.Sample[Labelled], models: suite.Models) -> suite.Output:
        """The verdict of both orders: first, second or tie, null where an order has none."""
        row = sample.payload

        def render(first: str, second: str) -> list[suite.Message]:
            return [suite.user(PROMPTS.pair(question=row.question, first=first, second=second, bait=""))]

        found = await suite.compare_pair(
            models.candidate,
            render,
            row.first,
            row.second,
            parse=suite.numbered(2),
            schema=CHOICE,
            retries=1,
            max_tokens=self.parameters.max_tokens,
        )
        score = found.score
        verdict = None
        if not isinstance(score, suite.Unscored):
            verdict = "first" if score > 0.5 else "second" if score < 0.5 else "tie"
        return suite.Output(verdict or "", {"verdict": verdict, "consistent": found.consistent})

    async def score(
        self,
        sample: suite.Sample[Labelled],
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Agreement with the label; a judge that gives no verdict does not agree."""
        data: dict[str, suite.Value] = dict(output.data)
        verdict, human = data["verdict"], sample.payload.human
        return suite.Score(
            {
                "verdict": suite.Unscored("no-verdict") if verdict is None else verdict,
                "human": human,
                "agrees": verdict == human,
                "sensitivity": verdict == "first" if human == "first" else None,
                "specificity": verdict == "second" if human == "second" else None,
                "consistent": data["consistent"],
                "valid": verdict is not None,
            }
        )
