"""contexteval/contexts: follow-up questions with their possible answers, by one generator or several.

The candidate generates; more generators sit with `--role generator=SPEC`. For each query one generator is
drawn whose questions are used. A query needs context if any generator says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import suite
from suite_contexteval import official, parsers, reading, wording
from suite_contexteval.parameters import ContextsParameters
from suite_contexteval.reading import MINI, QUERIES, Item
from suite_contexteval.rows import Pair

REDRAWS = 10


class ToGenerate(Item):
    """A query. chance: upstream's number for it, 0 to 1, that draws a generator whatever their number."""

    chance: float


@dataclass(frozen=True, slots=True)
class Read:
    """What a generator's reply holds. problem: why it holds nothing, "" if it does."""

    needed: bool
    pairs: tuple[Pair, ...]
    problem: str = ""
    lost: int = 0


def read(text: str, protocol: str) -> Read:
    """A reply, read soundly or as upstream does."""
    if protocol == "sound":
        try:
            found = parsers.follow_ups(text)
        except suite.Unparsed as error:
            return Read(needed=False, pairs=(), problem=str(error))
        return Read(found.needed, found.pairs, lost=found.lost)
    questions, answers = official.follow_ups(text)
    if len(questions) != len(answers):
        return Read(
            official.needs_context(text), (), f"{len(questions)} questions, {len(answers)} answer lists"
        )
    # upstream keeps the prefixes, and the list as text; the next stages need its items
    pairs = [
        Pair(question=question, options=parsers.options(answer))
        for question, answer in zip(questions, answers, strict=True)
    ]
    return Read(official.needs_context(text), tuple(pairs))


class Contexts(suite.Task[ToGenerate, ContextsParameters]):
    """Generators write, one is drawn."""

    info = suite.TaskInfo(
        name="contexteval/contexts",
        version=2,
        title="ContextEval stage: follow-up questions with possible answers",
        paper="arXiv 2411.07237",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "generator": suite.Role(needs={"chat"}, many=True, optional=True),
        },
        headline="needed",
        datasets=(QUERIES,),
        mini={QUERIES: MINI},
        presets={"paper": [{"protocol": "paper", "max_tokens": 512, "temperature": None}]},
    )
    metrics = (
        suite.Rate(
            "needed",
            by="source",
            direction="neither",
            about="Any generator says that the query needs a context.",
        ),
        suite.Mean("questions", direction="neither", about="Follow-up questions of a query."),
        suite.Rate("readable", over="parts", about="A generator's reply could be read."),
        suite.Rate(
            "generator_needed",
            over="parts",
            by="generator",
            direction="neither",
            about="A generator says that the query needs a context.",
        ),
        suite.Mean(
            "lost", over="parts", direction="lower", about="Questions of a reply that had to be left out."
        ),
        suite.Agreement(
            "generator_needed", name="needed", about="Whether generators agree that a context is needed."
        ),
    )
    prompts = wording.CONTEXTS

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[ToGenerate]]:
        """All queries. Upstream's draw is made for every one, whether it needs a context or not."""
        for item, chance in zip(reading.queries(data), official.generator_draws(), strict=False):
            yield suite.Sample(
                item.example_id,
                ToGenerate(**item.model_dump(), chance=chance),
                tags=reading.tags(item.source),
            )

    async def solve(self, sample: suite.Sample[ToGenerate], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, generated: [{generator, text, needed, …}], needed, chosen,
        pairs: [{question, options}]}; text: the drawn generator's reply.
        """
        p = self.parameters
        request = [suite.user(self.prompts.contexts(query=sample.payload.query))]
        generators = (models.candidate, *models.all("generator"))
        replies = await suite.together(
            [one.chat(request, max_tokens=p.max_tokens, temperature=p.temperature) for one in generators]
        )
        found = [read(reply.text, p.protocol) for reply in replies]
        needed = any(one.needed for one in found)
        chosen = self._draw(sample, found) if needed else None
        data = {
            **sample.payload.data(),
            "needed": needed and chosen is not None,
            "chosen": chosen,
            "pairs": [] if chosen is None else [one.model_dump(mode="json") for one in found[chosen].pairs],
            "generated": [
                {
                    "generator": model.member,
                    "text": reply.text,
                    "needed": one.needed,
                    "pairs": len(one.pairs),
                    "problem": one.problem,
                    "lost": one.lost,
                }
                for model, reply, one in zip(generators, replies, found, strict=True)
            ],
        }
        return suite.Output(replies[chosen or 0].text, data)

    def _draw(self, sample: suite.Sample[ToGenerate], found: list[Read]) -> int | None:
        """The generator whose questions are used; None if no draw leads to any."""
        chance = sample.random("generator")
        if self.parameters.protocol == "sound":
            good = [place for place, one in enumerate(found) if one.pairs]
            return chance.choice(good) if good else None
        place = int(sample.payload.chance * len(found))
        for _ in range(REDRAWS):
            if not found[place].problem:
                return place
            # upstream's generator stands wherever the queries before left it: no query can know
            place = chance.randrange(len(found))
        return None if found[place].problem else place

    async def score(
        self,
        sample: suite.Sample[ToGenerate],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Whether context is needed, and how many questions there are; parts: the generators."""
        data = output.data
        parts = [
            suite.Part(
                one["generator"],
                {
                    "readable": not one["problem"],
                    "generator_needed": suite.Unscored("unparsed", one["problem"])
                    if one["problem"]
                    else one["needed"],
                    "lost": one["lost"],
                },
                {"generator": one["generator"]},
            )
            for one in data["generated"]
        ]
        unread = all(one["problem"] for one in data["generated"])
        needed = suite.Unscored("unparsed", data["generated"][0]["problem"]) if unread else data["needed"]
        return suite.Score(
            {"needed": needed, "questions": len(data["pairs"]) if data["needed"] else None}, parts
        )
