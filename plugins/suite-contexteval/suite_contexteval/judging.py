"""contexteval/judge: two models' responses compared by a panel, in one of the three settings.

Reads two runs of `contexteval/respond`, joined by query. What the judges said is part of the outputs, so
that the next stage can read their reasons; how verdicts become a score can be changed without asking
again (`suite score RUN -P policy=unanimous`).
"""

from collections.abc import Iterable, Mapping

import suite
from suite_contexteval import metrics, official, pairs, reading, views, wording, wrapping
from suite_contexteval.pairwise import PAPER
from suite_contexteval.parameters import JudgeParameters
from suite_contexteval.reading import BASELINE_RESPONSES, MINI, RESPONSES, Item
from suite_contexteval.rows import PAPER_NAMES, SETTINGS, JudgeRecord, Response


class JudgedPair(Item):
    """A query with both responses."""

    candidate: str
    baseline: str
    candidate_finish: str = "stop"
    baseline_finish: str = "stop"


class Judge(suite.Task[JudgedPair, JudgeParameters]):
    """A panel compares."""

    info = suite.TaskInfo(
        name="contexteval/judge",
        version=2,
        title="ContextEval stage: two models' responses compared by a panel",
        paper="arXiv 2411.07237",
        roles={"judge": suite.Role(needs={"chat"}, many=True)},
        headline="win",
        questions={"win": "Which response serves the person better, in the context shown?"},
        datasets=(RESPONSES, BASELINE_RESPONSES),
        mini={RESPONSES: MINI, BASELINE_RESPONSES: MINI},
        presets={
            "settings": [{"setting": setting} for setting in SETTINGS],
            "paper": [
                {"setting": setting, "orders": PAPER["orders"], "temperature": None} for setting in SETTINGS
            ],
        },
    )
    metrics = metrics.PAIRS
    prompts = wording.PAIRWISE

    async def open(self, data: suite.Data, tools: suite.Tools) -> Mapping[str, str]:  # noqa: ARG002
        """Names the setting as the paper does, and what was left out."""
        facts = {"setting": PAPER_NAMES[self.parameters.setting]}
        both = self._responses(data)
        if left := _unmatched(*both):
            facts["left out"] = f"{len(left)} queries with a response of one model only"
        return facts

    def _responses(self, data: suite.Data) -> tuple[dict[str, Response], dict[str, Response]]:
        wanted = self.parameters.setting == "both"
        return (
            reading.responses(data, RESPONSES, "responses", with_context=wanted),
            reading.responses(data, BASELINE_RESPONSES, "baseline-responses", with_context=wanted),
        )

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[JudgedPair]]:
        """Queries that both models answered. Raises DataError for queries that only one did, unless told
        to skip them, and if none is left.
        """
        own, other = self._responses(data)
        left = _unmatched(own, other)
        if left and self.parameters.unmatched == "refuse":
            raise suite.DataError(
                f"{len(left)} queries have a response of one model only, the first is {left[0]!r}",
                where=f"{RESPONSES}, {BASELINE_RESPONSES}",
                fix="complete the runs, or leave these queries out: -P unmatched=skip",
            )
        if len(left) == len(own.keys() | other.keys()):
            raise suite.DataError("the two models share no query", where=f"{RESPONSES}, {BASELINE_RESPONSES}")
        for (name, row), draw in zip(own.items(), official.order_draws(), strict=False):
            if name not in other:
                continue
            item = reading.contextual_item(row, row.index or 0)
            yield suite.Sample(
                name,
                JudgedPair(
                    **{**item.model_dump(), "draw": draw},
                    candidate=row.answer,
                    baseline=other[name].answer,
                    candidate_finish=row.finish,
                    baseline_finish=other[name].finish,
                ),
                tags=reading.tags(row.source),
            )

    async def solve(self, sample: suite.Sample[JudgedPair], models: suite.Models) -> suite.Output:
        """data: {example_id, query, source, index, qas or context, setting, candidate, baseline, judges}.

        judges: [] where a side has no reply at all. One without an answer is judged for upstream's readings.
        """
        p, item = self.parameters, sample.payload
        records: tuple[JudgeRecord, ...] = ()
        finishes = (item.candidate_finish, item.baseline_finish)
        if not (any(_failed(item)) and pairs.unanswerable(*finishes)):
            context = "" if p.setting == "none" else item.context
            records = await pairs.ask_panel(
                models.all("judge"),
                wrapping.comparison(
                    item.query, context, justify=p.justify, may_tie=p.may_tie, prompts=self.prompts
                ),
                item.candidate,
                item.baseline,
                orders=p.orders,
                draw=item.draw,
                chance=sample.random,
                justify=p.justify,
                may_tie=p.may_tie,
                max_tokens=p.max_tokens,
                temperature=p.temperature,
            )
        data = {
            **item.data(),
            "setting": p.setting,
            "candidate": item.candidate,
            "baseline": item.baseline,
            "judges": [one.model_dump(mode="json") for one in records],
        }
        return suite.Output(data=data)

    async def score(
        self,
        sample: suite.Sample[JudgedPair],
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """The panel's verdict, from what the judges said. A side without an answer loses all the same."""
        p, item = self.parameters, sample.payload
        failed, other_failed = _failed(item)
        records = [JudgeRecord.model_validate(one) for one in output.data["judges"]]
        if failed or other_failed:
            return pairs.forfeited(failed, other_failed, records)
        return pairs.values(
            records, item.candidate, item.baseline, policy=p.policy, minimum=p.minimum, ties=p.ties
        )

    def compared(self, output: suite.Output) -> tuple[str, str]:
        """Both responses, the candidate's first."""
        return output.data["candidate"], output.data["baseline"]

    def show(
        self,
        sample: suite.Sample[JudgedPair],
        output: suite.Output,  # noqa: ARG002
        score: suite.Score | None,
    ) -> Iterable[suite.Block]:
        """Query, context, both responses, verdicts."""
        return views.pair(sample.payload, sample.payload.candidate, sample.payload.baseline, score)


def _failed(item: JudgedPair) -> tuple[bool, bool]:
    return (
        pairs.unanswered(item.candidate, item.candidate_finish),
        pairs.unanswered(item.baseline, item.baseline_finish),
    )


def _unmatched(own: Mapping[str, Response], other: Mapping[str, Response]) -> list[str]:
    return [name for name in (*own, *other) if (name in own) != (name in other)]
