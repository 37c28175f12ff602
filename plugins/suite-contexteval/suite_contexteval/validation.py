"""contexteval/validate: which follow-up questions matter, by the vote of one validator or several.

The candidate validates; more validators sit with `--role validator=SPEC`. A pair stays if most of the
readable votes call it important; an even split goes to the first validator that could be read. The other
three qualities are reported and filter nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import suite
from suite_contexteval import parsers, reading, wording
from suite_contexteval.parameters import Step
from suite_contexteval.parsers import QUALITIES
from suite_contexteval.reading import GENERATED, MINI, Item
from suite_contexteval.rows import Generated, Pair

Rating = dict[str, int]


class ToValidate(Item):
    """A query with its follow-up questions."""

    pairs: tuple[Pair, ...]


def numbered(pairs: Sequence[Pair]) -> str:
    """Questions and answer lists as the prompts show them."""
    lines = []
    for number, pair in enumerate(pairs, 1):
        options = ", ".join(f'"{one}"' for one in pair.options)
        lines.append(f"Q{number}: {pair.question}\nA{number}: [{options}]")
    return "\n".join(lines)


def important(votes: Sequence[int]) -> bool:
    """The majority of votes, 0 or 1, in validator order; an even split goes to the first. False for none."""
    ones = sum(votes)
    if 2 * ones == len(votes):
        return bool(votes and votes[0])
    return 2 * ones > len(votes)


def queries_with_pairs(data: suite.Data, name: str, part: str) -> Iterable[suite.Sample[ToValidate]]:
    """Samples of queries that have follow-up questions."""
    rows: list[Generated] = reading.generated(data, name, part)
    for place, row in enumerate(rows):
        item = ToValidate(
            example_id=row.example_id,
            query=row.query,
            source=row.source,
            index=place if row.index is None else row.index,
            pairs=row.pairs,
        )
        yield suite.Sample(item.example_id, item, tags=reading.tags(item.source))


class Validate(suite.Task[ToValidate, Step]):
    """Validators rate, the majority keeps."""

    info = suite.TaskInfo(
        name="contexteval/validate",
        version=1,
        title="ContextEval stage: which follow-up questions matter",
        paper="arXiv 2411.07237",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "validator": suite.Role(needs={"chat"}, many=True, optional=True),
        },
        headline="kept",
        datasets=(GENERATED,),
        mini={GENERATED: MINI},
        note="People called 76 % of the published questions important, 90 % of the answer sets realistic.",
    )
    metrics = (
        suite.Mean(
            "kept",
            range=(0.0, 1.0),
            direction="neither",
            about="The share of a query's questions that most validators call important.",
        ),
        *(
            suite.Mean(
                name,
                range=(0.0, 1.0),
                over="parts",
                about=f"Validators call the question or its answers {name}.",
            )
            for name in QUALITIES
        ),
        suite.Rate("readable", over="parts", about="A validator's ratings could be read."),
        suite.Agreement(
            "calls_important",
            name="important",
            about="Whether validators agree on which questions are important.",
        ),
    )
    prompts = wording.VALIDATION

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[ToValidate]]:
        """Queries that need context."""
        return queries_with_pairs(data, GENERATED, "generated")

    async def solve(self, sample: suite.Sample[ToValidate], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, needed, pairs (those kept), proposed, votes: [{validator,
        ratings or null, why}]}.
        """
        p, item = self.parameters, sample.payload
        request = self.prompts.validate(query=item.query, pairs=numbered(item.pairs))
        validators = (models.candidate, *models.all("validator"))
        verdicts = await suite.together(
            [
                suite.judge(
                    one,
                    request,
                    parse=parsers.qualities(len(item.pairs)),
                    schema=qualities_schema(len(item.pairs)),
                    max_tokens=p.max_tokens,
                    temperature=p.temperature,
                )
                for one in validators
            ]
        )
        ratings = [one.value for one in verdicts if one.value is not None]
        kept = [
            pair
            for place, pair in enumerate(item.pairs)
            if important([rated[place]["important"] for rated in ratings])
        ]
        data = {
            **item.data(),
            "needed": bool(kept),
            "pairs": [one.model_dump(mode="json") for one in kept],
            "proposed": len(item.pairs),
            "votes": [{"validator": one.judge, "ratings": one.value, "why": one.reason} for one in verdicts],
        }
        return suite.Output(verdicts[0].text, data, "stop" if ratings else "invalid")

    async def score(
        self,
        sample: suite.Sample[ToValidate],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """The share of pairs kept; parts: one a validator, with the shares of each quality."""
        data = output.data
        parts = []
        for vote in data["votes"]:
            rated: list[Rating] | None = vote["ratings"]
            values: dict[str, float | suite.Unscored | bool] = {"readable": rated is not None}
            for name in QUALITIES:
                values[name] = (
                    suite.Unscored("unparsed", vote["why"])
                    if rated is None
                    else sum(one[name] for one in rated) / len(rated)
                )
            if rated is not None:
                values["calls_important"] = 2 * sum(one["important"] for one in rated) > len(rated)
            parts.append(suite.Part(vote["validator"], values, {"validator": vote["validator"]}))
        lost = suite.Unscored("unparsed", data["votes"][0]["why"])
        kept = lost if output.finish == "invalid" else len(data["pairs"]) / data["proposed"]
        return suite.Score({"kept": kept}, parts)


def qualities_schema(count: int) -> dict[str, Any]:
    """The form of the ratings of `count` pairs."""
    one = {
        "type": "object",
        "properties": {name: {"enum": [0, 1]} for name in QUALITIES},
        "required": list(QUALITIES),
        "additionalProperties": False,
    }
    names = {f"Q{number}": one for number in range(1, count + 1)}
    return {"type": "object", "properties": names, "required": list(names), "additionalProperties": False}
