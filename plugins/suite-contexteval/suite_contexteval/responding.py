"""contexteval/respond: one model's responses, without context and with it.

Both kinds in one run: `-P context=false,true`. The runs of two models are what `contexteval/judge` reads.
"""

from collections.abc import Iterable

import suite
from suite_contexteval import official, reading, views, wording, wrapping
from suite_contexteval.parameters import RespondParameters
from suite_contexteval.reading import CONTEXTS, MINI, Item


class Respond(suite.Task[Item, RespondParameters]):
    """A free answer."""

    info = suite.TaskInfo(
        name="contexteval/respond",
        version=1,
        title="ContextEval stage: responses without and with context",
        paper="arXiv 2411.07237",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="answered",
        datasets=(CONTEXTS,),
        mini={CONTEXTS: MINI},
        presets={
            "both": [{"context": False}, {"context": True}],
            "paper": [{"context": context, "temperature": None} for context in (False, True)],
        },
    )
    metrics = (
        suite.Rate("answered", about="The model gave a response."),
        suite.Rate("complete", about="The response is there and not cut off."),
        suite.Mean("words", direction="neither", about="Words of the response."),
    )
    prompts = wording.PAIRWISE

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Item]]:
        """Queries with their contexts."""
        return (reading.sample(item) for item in reading.contextual(data))

    async def solve(self, sample: suite.Sample[Item], models: suite.Models) -> suite.Output:
        """text: the response. data: {example_id, query, source, index, qas or context, with_context}."""
        item = sample.payload
        reply = await models.candidate.chat(
            wrapping.asked(item.query, item.context if self.parameters.context else "", self.prompts),
            max_tokens=self.parameters.max_tokens,
            temperature=self.parameters.temperature,
        )
        return reply.output({**item.data(), "with_context": self.parameters.context})

    async def score(
        self,
        sample: suite.Sample[Item],  # noqa: ARG002
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """answered: whether there is a response; complete: not cut off; words: its length."""
        answered = not official.failed(output.text)
        return suite.Score(
            {
                "answered": answered,
                "complete": answered and output.finish != "length",
                "words": len(output.text.split()),
            }
        )

    def show(
        self,
        sample: suite.Sample[Item],
        output: suite.Output,  # noqa: ARG002
        score: suite.Score | None,  # noqa: ARG002
    ) -> Iterable[suite.Block]:
        """The context, where it was shown."""
        return views.context(sample.payload) if self.parameters.context else ()
