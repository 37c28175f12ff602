"""Two answers put to a judge, in both orders, as one unit.

A judge that always takes the first slot would decide every pair; asked both ways it decides none. The
orders of one pair are one observation: if one of them has no verdict, the pair has no score. What the
order did is kept in the parts. Ties rules: `mean` averages the orders (1, 0.75, … 0), `agree` sees a
winner only where both orders name it (MT-Bench, arXiv 2306.05685). Why: docs/statistics.md, "Judges".

And several judges' votes made one, by a policy that is said. Votes are scores of the first answer (1 win,
0.5 tie, 0 loss) or labels. A judge without a verdict has no vote; with fewer valid votes than the minimum
there is no result. Agreement is taken from the votes before they are combined (`suite.Agreement` over parts).
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, Unpack

from pydantic import BaseModel

from suite.chat import Json, Message
from suite.errors import ConfigError
from suite.models.engine import together
from suite.roles import Model
from suite.scoring.judges import JudgeOptions, Tie, Verdict, numbered
from suite.scoring.judges import judge as ask
from suite.task import Part, Unscored, Value

Render = Callable[[str, str], Sequence[Message]]  # (answer shown first, answer shown second) -> request
Orders = Literal["both", "fixed", "swapped", "random"]
Ties = Literal["mean", "agree"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One order. swapped: the second answer was shown first. verdict: 1 or 2, the slot that won."""

    swapped: bool
    verdict: Verdict[int]

    @property
    def score(self) -> float | None:
        """Of the first answer: 1 win, 0.5 tie, 0 loss; None without a verdict."""
        if self.verdict.state == "tie":
            return 0.5
        if self.verdict.value is None:
            return None
        return float((self.verdict.value == 1) != self.swapped)

    @property
    def order(self) -> str:
        """ "first-second" or "second-first", as shown."""
        return "second-first" if self.swapped else "first-second"


@dataclass(frozen=True, slots=True)
class PairResult:
    """What one judge says of a pair.

    score: of the first answer, in {0, 0.25, 0.5, 0.75, 1}; Unscored if an order has no verdict.
    """

    asked: tuple[Asked, ...]
    score: float | Unscored

    @classmethod
    def of(cls, asked: Sequence[Asked], ties: Ties = "mean") -> "PairResult":
        """A pair from its orders, one or two, by a rule for ties."""
        lost = next((one.verdict for one in asked if not one.verdict.valid), None)
        if lost is not None:
            return cls(tuple(asked), Unscored(lost.state, lost.reason))
        scores = [one.score for one in asked if one.score is not None]
        apart = ties == "agree" and len(set(scores)) > 1
        return cls(tuple(asked), 0.5 if apart else sum(scores) / len(scores))

    @property
    def consistent(self) -> bool | None:
        """Whether both orders say the same of the pair; None if not both were asked and decided."""
        scores = [one.score for one in self.asked]
        return None if len(scores) < 2 or None in scores else scores[0] == scores[1]

    @property
    def flip(self) -> Literal["", "first", "second"]:
        """The slot that won in both orders, so that position decided; "" if it did not."""
        slots = {one.verdict.value for one in self.asked}
        if len(self.asked) < 2 or len(slots) != 1 or None in slots:
            return ""
        return "first" if slots == {1} else "second"

    def values(self, name: str = "win") -> dict[str, Value]:
        """Values of a score: NAME, NAME_consistent, NAME_flip_first, NAME_flip_second."""
        consistent = self.consistent
        return {
            name: self.score,
            f"{name}_consistent": consistent,
            f"{name}_flip_first": None if consistent is None else self.flip == "first",
            f"{name}_flip_second": None if consistent is None else self.flip == "second",
        }

    def parts(self, name: str = "win") -> list[Part]:
        """One part an order: NAME, first_slot (whether the slot shown first won; None for a tie), counts."""
        return [_part(one, name) for one in self.asked]


def _part(asked: Asked, name: str) -> Part:
    verdict = asked.verdict
    missing = None if verdict.valid else verdict.value_or_unscored()
    first_slot = None if verdict.state == "tie" else verdict.value == 1
    return Part(
        id=f"{verdict.judge}/{asked.order}",
        values={
            name: missing if asked.score is None else asked.score,
            "first_slot": first_slot if missing is None else missing,
            **verdict.counts(),
        },
        tags={"judge": verdict.judge, "order": asked.order},
    )


async def compare_pair(
    judge: Model,
    render: Render,
    first: str,
    second: str,
    *,
    orders: Orders = "both",
    ties: Ties = "mean",
    parse: Callable[[str], int | Tie] | None = None,
    chance: random.Random | None = None,
    schema: type[BaseModel] | Json = None,
    **how: Unpack[JudgeOptions],
) -> PairResult:
    """Ask which of two answers is better.

    render: makes the request from the answers as shown. parse: the winning slot, 1 or 2, or `TIE`; by
    default "Choose 1", "Choose 2", "Tie". orders: "random" shows one order, drawn from `chance`
    (`sample.random("order")`), "fixed" always first before second, "swapped" second before first.
    schema, how: for `suite.judge`.
    Raises CallFailed if any order got no reply: nothing of the pair counts then.
    """
    swaps = {"both": [False, True], "fixed": [False], "swapped": [True]}.get(orders)
    if swaps is None:
        if chance is None:
            raise ConfigError("a random order needs `chance`: pass sample.random('order')")
        swaps = [chance.random() < 0.5]
    read = parse or numbered(2, ties=True)

    async def one(*, swapped: bool) -> Asked:
        shown = (second, first) if swapped else (first, second)
        return Asked(swapped, await ask(judge, render(*shown), parse=read, schema=schema, **how))

    asked = await together([one(swapped=swapped) for swapped in swaps])
    return PairResult.of(asked, ties)


Policy = Literal["majority", "unanimous", "mean"]
LabelT = TypeVar("LabelT", str, bool)
VoteT = TypeVar("VoteT")
UNDECIDED = Unscored("undecided")


def panel_score(
    votes: Sequence[float | Unscored], policy: Policy = "majority", minimum: int | None = None
) -> float | Unscored:
    """One score from votes in [0, 1].

    majority: more than half of the valid votes win (above 0.5) or lose (below), else a tie.
    unanimous: all valid votes alike, else a tie. mean: their mean.
    minimum: fewest valid votes; by default more than half of the panel.
    """
    valid = _valid(votes, minimum)
    if isinstance(valid, Unscored):
        return valid
    if policy == "mean":
        return math.fsum(valid) / len(valid)
    side = _decided([(vote > 0.5) - (vote < 0.5) for vote in valid], policy)
    return 0.5 if side is None else (side + 1) / 2


def panel_label(
    votes: Sequence[LabelT | Unscored],
    policy: Literal["majority", "unanimous"] = "majority",
    minimum: int | None = None,
    undecided: LabelT | Unscored = UNDECIDED,
) -> LabelT | Unscored:
    """One label from votes: strict majority or unanimity of the valid ones; else `undecided`."""
    valid = _valid(votes, minimum)
    if isinstance(valid, Unscored):
        return valid
    label = _decided(valid, policy)
    return undecided if label is None else label


def _decided(votes: Sequence[VoteT], policy: Policy) -> VoteT | None:
    """What more than half of one vote or more say, or all of them."""
    found, count = Counter(votes).most_common(1)[0]
    return found if count >= (len(votes) if policy == "unanimous" else len(votes) // 2 + 1) else None


def _valid(votes: Sequence[VoteT | Unscored], minimum: int | None) -> list[VoteT] | Unscored:
    valid = [vote for vote in votes if not isinstance(vote, Unscored)]
    needed = max(1, len(votes) // 2 + 1 if minimum is None else minimum)
    if len(valid) < needed:
        return Unscored("too-few-verdicts", f"{len(valid)} of {len(votes)}, at least {needed} needed")
    return valid


def vote_agreement(votes: Sequence[object]) -> float | None:
    """Share of pairs of valid votes that are equal; None for fewer than two."""
    valid = [vote for vote in votes if not isinstance(vote, Unscored) and vote is not None]
    r = len(valid)
    if r < 2:
        return None
    return sum(n * (n - 1) for n in Counter(valid).values()) / (r * (r - 1))


@dataclass(frozen=True, slots=True)
class PanelResult:
    """What a panel says of a pair. score: by the policy. pairs: one result a judge, in seat order."""

    score: float | Unscored
    pairs: tuple[PairResult, ...]

    def values(self, name: str = "win") -> dict[str, Value]:
        """NAME, NAME_agreement, and the shares of judges that were consistent and that flipped."""
        told = [one.values("") for one in self.pairs if one.consistent is not None]
        shares: dict[str, Value] = {
            f"{name}{what}": sum(bool(one[what]) for one in told) / len(told) if told else None
            for what in ("_consistent", "_flip_first", "_flip_second")
        }
        votes = [one.score for one in self.pairs]
        return {name: self.score, f"{name}_agreement": vote_agreement(votes), **shares}

    def parts(self, name: str = "win") -> list[Part]:
        """One part a judge (its NAME as `vote`), and one a judge and order."""
        found = []
        for pair in self.pairs:
            judge = pair.asked[0].verdict.judge
            found.append(Part(judge, {"vote": pair.score}, {"judge": judge}))
            found += pair.parts(name)
        return found
