"""contexteval/select: which queries suit an attribute, so that its answer matters and is still open.

Feeds the two analyses of one model, `contexteval/default` and `contexteval/adapted`.
"""

import random
from collections.abc import Iterable, Sequence

import suite
from suite_contexteval import parsers, reading, wording
from suite_contexteval.asking import told, unread
from suite_contexteval.parameters import Step
from suite_contexteval.reading import ATTRIBUTES, MINI, QUERIES, SELECTED, Item
from suite_contexteval.rows import Attribute, Selected

SEED = 4


class Suiting(Item):
    """A query with an attribute."""

    attribute: Attribute


def listed(answers: Sequence[str]) -> str:
    """Answers as the prompts show them."""
    return ", ".join(f'"{one}"' for one in answers)


def suiting(data: suite.Data, names: Sequence[str], most: int) -> list[Suiting]:
    """Queries with the attributes they suit, at most so many of each, a query's attributes together.

    Each attribute's queries are drawn as upstream does, which runs once for each and seeds each run.

    Raises NotFound for an attribute that is not there, DataError if nothing is left.
    """
    known = {one.attribute: one for one in reading.attributes(data)}
    for name in names:
        if name not in known:
            raise suite.NotFound(
                f"no attribute is called {name!r}",
                where="-P attributes=…",
                fix=f"there are: {', '.join(known)}",
            )
    by_attribute: dict[str, list[Selected]] = {name: [] for name in known if not names or name in names}
    for row in reading.selected(data):
        if row.attribute in by_attribute:
            by_attribute[row.attribute].append(row)
    found = []
    for name, rows in by_attribute.items():
        for row in random.Random(SEED).sample(rows, min(most, len(rows))):
            item = Item(example_id=row.example_id, query=row.query, source=row.source, index=row.index or 0)
            found.append(Suiting(**item.model_dump(), attribute=known[name]))
    if not found:
        raise suite.DataError(f"{SELECTED} holds no query that suits an attribute wanted")
    order = list(known)
    return sorted(found, key=lambda one: (one.index, one.example_id, order.index(one.attribute.attribute)))


class Select(suite.Task[Suiting, Step]):
    """Three questions, all to be answered with yes."""

    info = suite.TaskInfo(
        name="contexteval/select",
        version=1,
        title="ContextEval stage: which queries suit which attribute",
        paper="arXiv 2411.07237",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="kept",
        datasets=(QUERIES, ATTRIBUTES),
        mini={QUERIES: MINI, ATTRIBUTES: MINI},
        note="Upstream selects from the whole pool of queries, not from the 3,580 that are published.",
    )
    metrics = (
        suite.Rate(
            "kept",
            by="attribute",
            direction="neither",
            about="The attribute matters for the query and is still open.",
        ),
        suite.Rate("readable", about="The reply could be read."),
    )
    prompts = wording.SELECTION

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Suiting]]:
        """Every query with every attribute."""
        attributes = reading.attributes(data)
        for item in reading.queries(data):
            for attribute in attributes:
                yield suite.Sample(
                    f"{item.example_id}/{attribute.slug}",
                    Suiting(**item.model_dump(), attribute=attribute),
                    group=item.example_id,
                    tags={**reading.tags(item.source), "attribute": attribute.attribute},
                )

    async def solve(self, sample: suite.Sample[Suiting], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, attribute, kept}. What cannot be read is not kept."""
        p, one = self.parameters, sample.payload
        yes_or_no = {number: {"enum": ["Yes", "No"]} for number in "123"}
        verdict = await suite.judge(
            models.candidate,
            self.prompts.suits(
                query=one.query, question=one.attribute.question, answers=listed(one.attribute.answers)
            ),
            parse=parsers.suits,
            schema={"type": "object", "properties": yes_or_no, "required": list("123")},
            max_tokens=p.max_tokens,
            temperature=p.temperature,
        )
        kept = verdict.value is not None and all(verdict.value.values())
        return told(verdict, {**one.data(), "attribute": one.attribute.attribute, "kept": kept})

    async def score(
        self,
        sample: suite.Sample[Suiting],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Whether the query suits the attribute."""
        lost = unread(output)
        return suite.Score({"kept": lost or output.data["kept"], "readable": output.data["readable"]})
