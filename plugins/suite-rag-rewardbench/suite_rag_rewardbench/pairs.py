"""What the two tasks of pairs share: solving a pair, scoring it, showing it."""

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

import suite
from suite_rag_rewardbench import asking, credit, diagnostics
from suite_rag_rewardbench.parameters import PairParameters
from suite_rag_rewardbench.rows import askable

P = TypeVar("P", bound=PairParameters)

COMMON: tuple[Any, ...] = (
    suite.Rate("correct_half", about="As `correct`, with equal scores worth a half."),
    suite.Rate("correct_official", about="As `correct`, by the published code; chat judges have none."),
    suite.Rate(
        "correct_lenient", about="Of chat judges: as `correct`, with an unreadable verdict worth a half."
    ),
    suite.Rate("correct_logp_sum", about="The better answer has the higher sum of token log probabilities."),
    suite.Rate(
        "correct_logp_mean", about="The better answer has the higher mean of token log probabilities."
    ),
    suite.Rate("tie", direction="lower", about="Both answers got the same score."),
    suite.Rate("failed", direction="lower", about="The model gave no verdict."),
    suite.Rate("consistent", about="The verdict is the same in both orders of the answers."),
    suite.Rate(
        "first_slot",
        over="parts",
        name="prefers_first_slot",
        direction="neither",
        about="The answer shown first is preferred; 0.5 without a bias.",
    ),
    suite.Rate(
        "prefers_longer", direction="neither", about="The model prefers the answer with more characters."
    ),
    suite.Rate(
        "longer_is_better",
        direction="neither",
        about="The better answer has more characters: of the data, not of the model.",
    ),
)


class Pair(suite.Payload):
    """A pair made ready. messages: the prompt, (role, text) each. problem: why it is not scored, or "";
    see `rows.askable`.
    """

    messages: tuple[tuple[str, str], ...]
    chosen: str
    rejected: str
    problem: str = ""
    cut: int = 0
    about: Mapping[str, str] = {}

    def prompt(self) -> tuple[suite.Message, ...]:
        """The conversation that is answered."""
        makers = {"user": suite.user, "assistant": suite.assistant, "system": suite.system}
        return tuple(makers[role](text) for role, text in self.messages)


def cluster_of(text: str) -> str:
    """Equal for equal questions, whatever their spacing and case."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:16]


def told(messages: tuple[suite.Message, ...]) -> tuple[tuple[str, str], ...]:
    """Messages as a payload holds them."""
    return tuple((one.role, one.content) for one in messages)


class PairTask(suite.Task[Pair, P], Generic[P]):
    """A task whose items are pairs; the better answer is the first."""

    with_baselines: ClassVar[bool] = False

    def roles(self) -> Mapping[str, suite.Role]:
        """By the kind asked for."""
        return asking.roles(self.parameters.kind)

    async def solve(self, sample: suite.Sample[Pair], models: suite.Models) -> suite.Output:
        """One preference. Both answers go together, so that an engine can share their prompt."""
        item = sample.payload
        if not askable(item.problem):
            return asking.unfit(item.problem)
        model = models.candidate
        kind = asking.pair_kind(model, self.parameters)
        drawn = kind.startswith("rank") and self.parameters.order == "random"
        key = f"order-{sample.seed}" if drawn else ""
        return await asking.ask(model, item.prompt(), (item.chosen, item.rejected), kind, key)

    async def score(
        self,
        sample: suite.Sample[Pair],
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Credit by the rules of `credit`, with the answers' lengths beside it."""
        item = sample.payload
        if item.problem:
            return suite.Score(credit.only_official(item.problem, output.data, credit.pair, "correct_half"))
        data = output.data
        values: dict[str, suite.Value] = {
            **credit.pair(data),
            **credit.likelihoods(data),
            **diagnostics.length(item.chosen, item.rejected, data["prefers"]),
        }
        if self.with_baselines:
            values |= diagnostics.baselines(item.chosen, item.rejected)
            values["references_cut"] = item.cut > 0
        if data.get("tokens"):
            values["tokens"] = max(data["tokens"])
        return suite.Score(values, credit.parts(data))

    def show(
        self, sample: suite.Sample[Pair], output: suite.Output, score: suite.Score | None
    ) -> tuple[suite.Block, ...]:
        """Both answers with their scores, and what the model preferred."""
        return show_pair(sample.payload, output, score)


def show_pair(item: Pair, output: suite.Output, score: suite.Score | None) -> tuple[suite.Block, ...]:
    """The last message, both answers with their scores, and the facts."""
    data = output.data if isinstance(output.data, dict) else {}
    scores = data.get("scores") or [None, None]
    facts: dict[str, str | float | int | bool | None] = dict(item.about)
    if item.problem:
        facts["never scored"] = item.problem
    elif data.get("failure"):
        facts["no verdict"] = str(data["failure"])
    else:
        prefers = data.get("prefers")
        facts["preferred"] = (
            "neither" if prefers is None else ("the better answer", "the worse answer")[prefers]
        )
    correct = score.values.get("correct") if score else None
    facts["correct"] = correct if isinstance(correct, int | float) else None
    return (
        suite.Facts(facts),
        suite.Text(item.messages[-1][1] if item.messages else "", title="Prompt"),
        suite.Table(
            ("answer", "score", "text"),
            (("better", scores[0], item.chosen), ("worse", scores[1], item.rejected)),
        ),
    )
