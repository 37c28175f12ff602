"""Several judges' votes made one, by a policy that is said.

Votes are scores of the first answer (1 win, 0.5 tie, 0 loss) or labels. A judge without a verdict has no
vote; with fewer valid votes than the minimum there is no result. Agreement is taken from the votes
before they are combined (`suite.Agreement` over the parts).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from suite.scoring.pair_verdicts import PairResult
from suite.task import Part, Unscored, Value

Policy = Literal["majority", "unanimous", "mean"]
LabelT = TypeVar("LabelT", str, bool)
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
    sides = Counter((vote > 0.5) - (vote < 0.5) for vote in valid)
    side, count = sides.most_common(1)[0]
    needed = len(valid) if policy == "unanimous" else len(valid) // 2 + 1
    return (side + 1) / 2 if count >= needed else 0.5


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
    label, count = Counter(valid).most_common(1)[0]
    needed = len(valid) if policy == "unanimous" else len(valid) // 2 + 1
    return label if count >= needed else undecided


VoteT = TypeVar("VoteT")


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
