"""contexteval/types: in which ways a query is underspecified. A side analysis; nothing builds on it."""

from collections.abc import Iterable

import suite
from suite_contexteval import parsers, reading, wording
from suite_contexteval.asking import told, unread
from suite_contexteval.parameters import Step
from suite_contexteval.parsers import LABELS
from suite_contexteval.reading import MINI, QUERIES, Item

VALUES = {label: label.lower().replace("-", "_") for label in LABELS}


class Types(suite.Task[Item, Step]):
    """Five labels, as many as apply."""

    info = suite.TaskInfo(
        name="contexteval/types",
        version=1,
        title="ContextEval stage: in which ways queries are underspecified",
        paper="arXiv 2411.07237",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="open_ended",
        datasets=(QUERIES,),
        mini={QUERIES: MINI},
        note="Published for 3,580 queries: open-ended 76 %, subjective 19 %, incomplete 18 %.",
    )
    metrics = (
        *(
            suite.Rate(name, by="source", direction="neither", about=f"The query is labelled {label}.")
            for label, name in VALUES.items()
        ),
        suite.Rate("readable", about="The reply could be read."),
    )
    prompts = wording.TYPES

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Item]]:
        """All queries."""
        return (reading.sample(item) for item in reading.queries(data))

    async def solve(self, sample: suite.Sample[Item], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, labels}."""
        verdict = await suite.judge(
            models.candidate,
            self.prompts.types(query=sample.payload.query),
            parse=parsers.type_labels,
            schema={"type": "array", "items": {"enum": list(LABELS)}, "minItems": 1, "maxItems": len(LABELS)},
            max_tokens=self.parameters.max_tokens,
            temperature=self.parameters.temperature,
        )
        return told(verdict, {**sample.payload.data(), "labels": list(verdict.value or ())})

    async def score(
        self,
        sample: suite.Sample[Item],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """One value a label."""
        lost = unread(output)
        labels = {name: lost or label in output.data["labels"] for label, name in VALUES.items()}
        return suite.Score({**labels, "readable": output.data["readable"]})
