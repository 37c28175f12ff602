"""Many models rated from their pairwise votes: everything that belongs beside a rating, computed once.

Ratings with intervals and rank intervals, the same under every policy of draws, style control, Elo with its
dependence on order, the prequential test of what draws say, and how easily the ranking moves.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suite.comparisons.votes_files import RawVotes
from suite.errors import ConfigError
from suite.scoring.stats import rating_intervals as intervals
from suite.scoring.stats.bradley_terry import Strengths, bradley_terry
from suite.scoring.stats.clusters import clusters_of
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.means import covering_mean
from suite.scoring.stats.style_control import StyleControlled, style_controlled
from suite.scoring.stats.vote_by_vote import SYSTEMS, Elo, Prequential, elo_over_orders, prequential
from suite.scoring.stats.votes import POLICIES, Policy, Votes, votes_of

MANY = 100_000  # votes from which the costly extras wait to be asked for
MOST_PAIRS = 12  # models up to which every pair is shown
MOST_ANNOTATORS = 200


@dataclass(frozen=True)
class RateWanted:
    """policy: of draws. rounds: of the bootstrap; None takes 1,000, or 100 for many votes. elo, prequential:
    None means: unless there are many votes. robustness: refit with bad votes. side: as a style.
    """

    policy: Policy = "half"
    rounds: int | None = None
    level: float = 0.95
    seed: int = 0
    styles: Sequence[str] = ()
    side: bool = False
    elo: bool | None = None
    prequential: bool | None = None
    robustness: bool = False


@dataclass(frozen=True)
class PairRate:
    """Two models that met: win rate of the first, ties half, with its interval; votes."""

    a: str
    b: str
    rate: Estimate


@dataclass(frozen=True)
class RatedModels:
    """found: ratings with intervals under the policy asked for. ranks: of it. others: point ratings by
    policy. moved: models whose rank differs between policies. annotators: labels in order of
    `LeftOut.annotator`.
    """

    raw: RawVotes
    votes: Votes
    wanted: RateWanted
    found: intervals.RatingIntervals
    ranks: tuple[intervals.Rank, ...]
    others: dict[Policy, Strengths]
    moved: tuple[str, ...]
    pairs: tuple[PairRate, ...]
    style: StyleControlled | None
    elo: Elo | None
    prequential: tuple[Prequential, ...]
    shifts: tuple[intervals.Shift, ...]
    left_out: tuple[intervals.LeftOut, ...]
    annotators: tuple[str, ...]
    flips: intervals.Flips | None


def rate(raw: RawVotes, wanted: RateWanted | None = None) -> RatedModels:
    """Rate the models of these votes.

    Raises ConfigError where there is nothing to rate: fewer than two models, or no vote between two.
    """
    asked = wanted or RateWanted()
    votes = votes_of(*([getattr(one, name) for one in raw.votes] for name in ("a", "b", "winner", "prompt")))
    if len(votes.models) < 2:
        raise ConfigError.of("rate.one-model", model=votes.models[0], raw=raw)
    if not votes.n:
        raise ConfigError.of("rate.no-verdict", votes=votes)
    many = votes.n > MANY
    rounds = asked.rounds if asked.rounds is not None else (100 if many else 1000)
    found = intervals.rating_intervals(votes, asked.policy, rounds=rounds, seed=asked.seed, level=asked.level)
    others = {policy: bradley_terry(votes, policy) for policy in POLICIES}
    ranks = zip(*(one.ranks for one in others.values()), strict=True)
    moved = [name for name, each in zip(votes.models, ranks, strict=True) if len(set(each)) > 1]
    kept = [one for one, keep in zip(raw.votes, votes.kept, strict=True) if keep]
    users = [one.user for one in kept if one.user is not None] or None
    style = None
    if asked.styles or asked.side:
        measured = {name: [one.styles[name] for one in kept] for name in asked.styles}
        style = style_controlled(votes, measured, side=asked.side, level=asked.level)
    with_elo = not many if asked.elo is None else asked.elo
    systems = SYSTEMS if (not many if asked.prequential is None else asked.prequential) else ()
    names = tuple(sorted(set(users or ())))
    owners = users if asked.robustness and len(names) <= MOST_ANNOTATORS else None
    return RatedModels(
        raw=raw, votes=votes, wanted=asked, found=found, ranks=intervals.rank_intervals(found), others=others,
        moved=tuple(moved), pairs=_pairs(votes, asked.level) if len(votes.models) <= MOST_PAIRS else (),
        style=style, elo=elo_over_orders(votes, seed=asked.seed) if with_elo else None,
        prequential=tuple(prequential(votes, users, system=one, seed=asked.seed) for one in systems),
        shifts=intervals.apathetic(votes, policy=asked.policy, seed=asked.seed) if asked.robustness else (),
        left_out=intervals.leave_one_out(votes, owners, policy=asked.policy) if owners else (),
        annotators=names,
        flips=intervals.flips_to_change_the_top(votes, policy=asked.policy) if asked.robustness else None,
    )  # fmt: skip


def _pairs(votes: Votes, level: float) -> tuple[PairRate, ...]:
    found = []
    score = (votes.outcome + 1) / 2
    low, high = np.minimum(votes.a, votes.b), np.maximum(votes.a, votes.b)
    for i, j in itertools.combinations(range(len(votes.models)), 2):
        met = (low == i) & (high == j)
        if met.any():
            x = np.where(votes.a[met] == i, score[met], 1 - score[met])
            shared = clusters_of(votes.prompts.codes[met], len(x))
            rate = covering_mean(x, shared, limits=(0.0, 1.0), level=level)
            found.append(PairRate(votes.models[i], votes.models[j], rate))
    return tuple(found)
