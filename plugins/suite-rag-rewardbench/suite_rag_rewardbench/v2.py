"""reward-bench/v2: one good answer of four in five domains, and Ties, where several are equally good.

Headline: the plain mean of the six domains, Ties by the paper's formula, which may exceed 1 by 0.01 and is
not clamped. Random is 25 % outside Ties. Source: arXiv 2506.01937 and its repository.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import suite
from suite_rag_rewardbench import asking, credit, formulas
from suite_rag_rewardbench.parameters import V2Parameters
from suite_rag_rewardbench.rows import ManyRow, askable

DATASET, PART = "reward-bench-2", "test"
_DOMAIN = {name.casefold(): name for name in formulas.DOMAINS}
ValuesOf = Callable[[Mapping[str, Any]], Mapping[str, suite.Value]]
_TIES_NEEDS = ("correct", "ties_gap", "ties_spread")
_RANGE = (-0.01, 1.01)  # of `formulas.ties_score`, and of a mean that may hold Ties alone


class Answers(suite.Payload):
    """A prompt with its answers, correct ones first. problem: why it is not scored, or ""."""

    prompt: str
    answers: tuple[str, ...]
    num_correct: int
    form: str
    problem: str = ""


class RewardBench2(suite.Task[Answers, V2Parameters]):
    """Best of four, and Ties."""

    info = suite.TaskInfo(
        name="reward-bench/v2",
        version=2,
        title="RewardBench 2: prefers the good answer of four, and ties fairly",
        paper="arXiv 2506.01937",
        roles=asking.roles("") | {"reference": suite.Role(needs={"prompt_logprobs"}, optional=True)},
        headline="overall",
        datasets=(DATASET,),
        mini={DATASET: "reward-bench-2-mini"},
        presets={
            "own-judge": [{"kind": "rank"}, {"kind": "rating"}],
            "mini": [{"guided": True, "max_tokens": 32}],
        },
        note=(
            "Chat models judge by our prompts and reader: not comparable with published rows of judges, "
            "which are the better of ranking and rating."
        ),
    )
    metrics = (
        suite.Custom(
            "overall",
            formulas.overall_2_of,
            needs=(*_TIES_NEEDS, "tag:subset", "tag:form"),
            range=_RANGE,
            about="The mean of the six domains.",
        ),
        suite.Custom(
            "ties",
            formulas.ties_of,
            needs=(*_TIES_NEEDS, "tag:form"),
            where={"subset": "Ties"},
            range=_RANGE,
            about="Right answers above wrong ones, and several right ones close together.",
        ),
        suite.Custom(
            "overall_official",
            formulas.overall_2_official_of,
            needs=(*(f"{name}_official" for name in _TIES_NEEDS), "tag:subset", "tag:form"),
            range=_RANGE,
            about="As `overall`, by the published code; chat judges have none.",
        ),
        suite.Custom(
            "ties_official",
            formulas.ties_official_of,
            needs=(*(f"{name}_official" for name in _TIES_NEEDS), "tag:form"),
            where={"subset": "Ties"},
            range=_RANGE,
            about="As `ties`, by the published code; chat judges have none.",
        ),
        suite.Rate(
            "correct",
            by=("subset", "form"),
            about="The good answer of four is preferred; of Ties, every right answer above the wrong ones.",
        ),
        suite.Rate(
            "correct_lenient", about="Of chat judges: as `correct`, with an unreadable verdict worth a guess."
        ),
        suite.Rate("tie", direction="neither", about="Several answers share the best score."),
        suite.Rate("failed", direction="lower", about="The model gave no verdict."),
    )

    def roles(self) -> Mapping[str, suite.Role]:
        """By the kind asked for."""
        return asking.roles(self.parameters.kind)

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Answers]]:
        """All prompts in the order of the data; the two prompts of a Ties number are one cluster."""
        for index, row in enumerate(data.rows(DATASET, ManyRow, PART)):
            yield _sample(index, row)

    async def solve(self, sample: suite.Sample[Answers], models: suite.Models) -> suite.Output:
        """Rate all answers at once; a chat model ranks four, and grades where each needs a number."""
        item = sample.payload
        if not askable(item.problem):
            return asking.unfit(item.problem)
        kind = asking.many_kind(models.candidate, self.parameters, grades=item.form != "best-of-n")
        return await asking.ask(models.candidate, (suite.user(item.prompt),), item.answers, kind)

    async def score(
        self,
        sample: suite.Sample[Answers],
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Credit by the rules of `credit`. Outside Ties, gap and spread are 0, so that sums can be made."""
        item = sample.payload
        if item.form != "best-of-n":
            return self._scored(item, output, partial(credit.ties, num_correct=item.num_correct), {})
        zero = dict.fromkeys(("ties_gap", "ties_spread", "ties_gap_official", "ties_spread_official"), 0.0)
        return self._scored(item, output, credit.best_of, zero)

    def _scored(
        self, item: Answers, output: suite.Output, values_of: ValuesOf, more: Mapping[str, float]
    ) -> suite.Score:
        if item.problem:
            more = more if askable(item.problem) else {}
            return suite.Score({**credit.only_official(item.problem, output.data, values_of), **more})
        return suite.Score({**values_of(output.data), **more})

    def show(
        self,
        sample: suite.Sample[Answers],
        output: suite.Output,
        score: suite.Score | None,  # noqa: ARG002
    ) -> Iterable[suite.Block]:
        """The prompt, and the answers with their scores."""
        item, data = sample.payload, output.data if isinstance(output.data, dict) else {}
        scores = data.get("scores") or [None] * len(item.answers)
        rows = [
            ("correct" if i < item.num_correct else "incorrect", scores[i], text)
            for i, text in enumerate(item.answers)
        ]
        yield suite.Text(item.prompt, title="Prompt")
        yield suite.Table(("answer", "score", "text"), rows)
        if item.problem or data.get("failure"):
            yield suite.Facts({"no verdict": item.problem or str(data["failure"])})


def _sample(index: int, row: ManyRow) -> suite.Sample[Answers]:
    subset = _DOMAIN.get(row.subset.casefold(), row.subset or "unknown")
    form, number = "best-of-n", ""
    if subset == formulas.TIES:
        form, _, number = str(row.id).partition(":")
    problem = row.problem(form)
    if not problem and form not in ("best-of-n", "ref", "tied"):
        problem = f"malformed-ties: id {row.id}"
    good, bad = row.chosen or (), row.rejected or ()
    return suite.Sample(
        id=f"{subset.casefold().replace(' ', '-')}/{index:05d}",
        payload=Answers(
            prompt=row.prompt or "", answers=(*good, *bad), num_correct=len(good), form=form, problem=problem
        ),
        cluster=f"ties/{number}" if number else "",
        tags={"subset": subset, "form": form},
    )
