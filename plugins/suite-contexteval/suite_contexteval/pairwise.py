"""contexteval/pairwise: which of two models answers a query better, with or without its context?

One run: candidate and baseline answer, the judges compare. `setting` says who sees the context. Any
dataset of queries with contexts can be given (`--data contexteval-contexts=FILE`); another pairwise task
may subclass `Pairwise` and say where its `items` come from. Not here: the stages one by one.
"""

from collections.abc import Iterable

import suite
from suite_contexteval import metrics, official, pairs, reading, views, wording, wrapping
from suite_contexteval.parameters import PairwiseParameters
from suite_contexteval.reading import CONTEXTS, MINI, Item
from suite_contexteval.rows import PAPER_NAMES, SETTINGS

PAPER = {"orders": "paper", "temperature": None, "judge_temperature": None}


class Pairwise(suite.Task[Item, PairwiseParameters]):
    """Two models, a query, a context, a panel."""

    info = suite.TaskInfo(
        name="contexteval/pairwise",
        version=2,
        title="Contextualized Evaluations: two models compared, with and without context",
        paper="arXiv 2411.07237",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "baseline": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score", many=True),
        },
        headline="win",
        questions={"win": "Which response serves the person better, in the context shown?"},
        datasets=(CONTEXTS,),
        mini={CONTEXTS: MINI},
        presets={
            "settings": [{"setting": setting} for setting in SETTINGS],
            "paper": [{"setting": setting, **PAPER} for setting in SETTINGS],
            # a little chance, so that a model compared with itself does not write the same twice; no ties, as
            # a small judge sees nothing else
            "mini": [
                {
                    "setting": setting,
                    "sources": ["own/kitchen"],
                    "max_tokens": 40,
                    "temperature": 0.7,
                    "justify": False,
                    "may_tie": False,
                    "judge_tokens": 24,
                }
                for setting in SETTINGS
            ],
        },
        note="Prompts are our own wording; the models and judges of the paper are retired in part.",
    )
    metrics = metrics.PAIRS
    prompts = wording.PAIRWISE

    async def open(self, data: suite.Data, tools: suite.Tools) -> dict[str, str]:  # noqa: ARG002
        """Names the setting as the paper does."""
        return {"setting": PAPER_NAMES[self.parameters.setting]}

    def items(self, data: suite.Data) -> Iterable[Item]:
        """Queries with their contexts."""
        return reading.contextual(data)

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Item]]:
        """All queries of the sources wanted. Upstream's order is drawn for every query, wanted or not."""
        sources = self.parameters.sources
        for item, draw in zip(self.items(data), official.order_draws(), strict=False):
            if not sources or item.source in sources:
                yield reading.sample(item.model_copy(update={"draw": draw}))

    async def solve(self, sample: suite.Sample[Item], models: suite.Models) -> suite.Output:
        """One answer of each model; data: {"baseline", "baseline_finish"}."""
        item = sample.payload
        context = item.context if self.parameters.setting == "both" else ""
        request = wrapping.asked(item.query, context, self.prompts)
        how = {"max_tokens": self.parameters.max_tokens, "temperature": self.parameters.temperature}
        own, other = await suite.together(
            [model.chat(request, **how) for model in (models.candidate, models.baseline)]  # type: ignore[arg-type]
        )
        beside = other.output()
        return own.output({"baseline": beside.text, "baseline_finish": beside.finish})

    async def score(
        self, sample: suite.Sample[Item], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        """The panel's verdict. A side without an answer loses; upstream's readings have it judged."""
        p, item, baseline = self.parameters, sample.payload, output.data["baseline"]
        finishes = (output.finish, output.data["baseline_finish"])
        failed, other_failed = (
            pairs.unanswered(text, finish)
            for text, finish in zip((output.text, baseline), finishes, strict=True)
        )
        if (failed or other_failed) and pairs.unanswerable(*finishes):
            return pairs.forfeited(failed, other_failed)
        records = await pairs.ask_panel(
            models.all("judge"),
            wrapping.comparison(
                item.query,
                "" if p.setting == "none" else item.context,
                justify=p.justify,
                may_tie=p.may_tie,
                prompts=self.prompts,
            ),
            output.text,
            baseline,
            orders=p.orders,
            draw=item.draw,
            chance=sample.random,
            justify=p.justify,
            may_tie=p.may_tie,
            max_tokens=p.judge_tokens,
            temperature=p.judge_temperature,
        )
        if failed or other_failed:
            return pairs.forfeited(failed, other_failed, records)
        return pairs.values(records, output.text, baseline, policy=p.policy, minimum=p.minimum, ties=p.ties)

    def compared(self, output: suite.Output) -> tuple[str, str]:
        """The candidate's response and the baseline's."""
        return output.text, output.data["baseline"]

    def show(
        self, sample: suite.Sample[Item], output: suite.Output, score: suite.Score | None
    ) -> Iterable[suite.Block]:
        """Query, context, both responses, verdicts."""
        return views.pair(sample.payload, output.text, output.data["baseline"], score)
