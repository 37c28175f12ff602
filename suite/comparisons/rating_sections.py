"""A rating as typed blocks, and as the plain data of its JSON form."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from suite.blocks import Block, Facts, Line, Section, Table, Text
from suite.comparisons.rating import RatedModels
from suite.report.dot_plots import DotPlot
from suite.scoring.stats.style_control import SIDE, StyleControlled
from suite.scoring.stats.vote_by_vote import Elo

FORMAT = "suite-ratings/1"
# of the table of models, by their names in `as_data`
COLUMNS = {"rank": "rank", "rank from": "rank_low", "to": "rank_high", "rating": "value"}
COLUMNS |= {name: name for name in ("low", "high", "votes", "prompts")}
POLICY = {"half": "half a win each", "drop": "left out", "davidson": "an outcome of their own (Davidson)"}


def sections(found: RatedModels, *, compact: bool = False) -> list[Section]:
    """Ratings first, then what stands behind them."""
    met = Table(
        ("a", "b", "votes", "win rate of a", "low", "high"),
        [(one.a, one.b, one.rate.n, one.rate.value, one.rate.low, one.rate.high) for one in found.pairs],
        title="Win rates of those that met, draws half",
    )
    parts = {
        "Ratings": _ratings(found, compact),
        "Draws": _draws(found),
        "Pairs": [met] if found.pairs else (),
        "Style held equal": _style(found, found.style) if found.style else (),
        "Elo, and how it depends on the order of votes": _elo(found, found.elo) if found.elo else (),
        "How easily the ranking moves": _robustness(found),
    }
    return [Section(title, made) for title, blocks in parts.items() if (made := tuple(blocks))]


def _order(found: RatedModels) -> list[int]:
    """Models by board, then by rating; those without one last."""
    ratings = found.found.point.ratings
    board = {i: number for number, one in enumerate(found.found.point.boards) for i in one}
    return sorted(
        range(len(found.votes.models)),
        key=lambda i: (board.get(i, 0), ratings[i] is None, -(ratings[i] or 0.0), found.votes.models[i]),
    )


def _ratings(found: RatedModels, compact: bool) -> Iterator[Block]:
    votes, point = found.votes, found.found.point
    yield Facts(
        {
            "votes": votes.n,
            "models": len(votes.models),
            "prompts": votes.prompts.count,
            "draws count as": POLICY[found.wanted.policy],
            "interval": f"{found.wanted.level:.0%}, {len(found.found.replicates):,} resamples of prompts",
            "without a verdict": votes.unscored,
            "of a model with itself": votes.self_pairs,
        }
    )
    if point.note:
        yield Text(f"Note: {point.note}.")
    if found.found.fallbacks:
        yield Text(f"{found.found.fallbacks} resamples needed the regularised fit.")
    if found.moved:
        yield Text(
            "The rank depends on how draws are counted for: " + ", ".join(found.moved) + " (see Draws)."
        )
    board = {i: number for number, one in enumerate(point.boards, 1) for i in one}
    columns = COLUMNS if compact else COLUMNS | {"arena rank": "arena_rank", "log score": "log_score"}
    rows = []
    for i in _order(found):
        group = {"group": f"group {board.get(i, 0)}"} if len(point.boards) > 1 else {}
        told = _model(found, i)
        rows.append({"model": votes.models[i], **group, **{name: told[key] for name, key in columns.items()}})
    yield Table.of(rows)
    shown = [i for i in _order(found) if found.found.estimates[i].value is not None][:40]
    yield DotPlot(
        [Line.of("rating", [found.found.estimates[i] for i in shown])],
        y="rating",
        title="Ratings with their intervals",
        x_labels=[votes.models[i] for i in shown],
    )
    yield Text(
        "Overlapping intervals do not show that two models are alike: their difference has an interval of "
        "its own, in the JSON form."
    )


def _draws(found: RatedModels) -> Iterator[Block]:
    votes = found.votes
    drawn = sum(votes.draws.values())
    yield Facts({"draws": drawn, "share of votes": round(drawn / votes.n, 4), **votes.draws})
    each: dict[str, Sequence[float | None]]
    each = {f"rank, {name}": one.ranks for name, one in found.others.items()}
    each |= {f"rating, {name}": one.ratings for name, one in found.others.items()}
    rows = [(votes.models[i], *(column[i] for column in each.values())) for i in _order(found)]
    yield Table(("model", *each), rows, title="Ranks under each policy (scales differ between policies)")
    for test in found.prequential:
        gain = test.gain.difference
        span = "" if gain.low is None else f", interval {gain.low:+.4f} to {gain.high:+.4f}"
        better = "no policy predicts better"
        if (gain.low or 0) > 0:
            better = "leaving draws out predicts better"
        elif (gain.high or 0) < 0:
            better = "counting draws predicts better"
        told = (test.accuracy, test.decided_accuracy, test.margins)
        yield Table(
            ("updated on", "accuracy", "among decided votes", "margin of a draw"),
            [(update, *(one[update] for one in told)) for update in test.accuracy],
            title=f"Prediction before each vote, {test.system}",
        )
        value = "none" if gain.value is None else f"{gain.value:+.4f}"
        order = "in order of time" if found.raw.ordered else "in the order of the file"
        last = ", which come last" if found.raw.ordered else ""
        if found.raw.undated:
            order += f" (no readable time in {found.raw.undated:,} votes{last})"
        yield Text(
            f"{test.votes:,} votes of {test.users:,} users {order}: decided only minus all {value}{span}: "
            f"{better}."
        )


def _style(found: RatedModels, style: StyleControlled) -> Iterator[Block]:
    if style.note:
        yield Text(f"Note: {style.note}.")
    rows = [
        (name, one.value, one.low, one.high, style.scales.get(name))
        for name, one in style.coefficients.items()
    ]
    yield Table(
        ("style", "effect on the log odds", "low", "high", "one unit is"),
        rows,
        title=f"Effect of one standard deviation more ({SIDE!r}: of the side)",
    )
    names = found.votes.models
    ratings = style.ratings
    order = sorted(range(len(names)), key=lambda i: (ratings[i] is None, -(ratings[i] or 0.0)))
    held = {i: place for place, i in enumerate(order, 1) if ratings[i] is not None}
    plain = {i: place for place, i in enumerate(_order(found), 1)}
    yield Table(
        ("model", "place", "place without", "rating", "rating without"),
        [(names[i], held.get(i), plain[i], ratings[i], found.others["half"].ratings[i]) for i in order],
    )
    yield Text("Descriptive: a style may be a real quality.")


def _elo(found: RatedModels, one: Elo) -> Iterator[Block]:
    names = found.votes.models
    order = sorted(range(len(names)), key=lambda i: -one.mean[i])
    columns = (one.given, one.backwards, one.mean, one.sd, one.low, one.high)
    yield Table(
        ("model", "in given order", "backwards", "mean", "sd", "lowest", "highest", "rank from", "to"),
        [(names[i], *(round(float(x[i]), 1) for x in columns), *one.ranks[i]) for i in order],
    )
    yield Text(
        f"The same votes in {one.orders} random orders. For looking at only: the ratings above do not depend "
        "on order."
    )


def _robustness(found: RatedModels) -> Iterator[Block]:
    if found.shifts:
        names = (
            "careless votes",
            "mean largest shift",
            "largest shift",
            "share of repeats with a change",
            "tau",
        )
        shifts = ((one.fraction, one.mean_largest, one.largest, one.changed, one.tau) for one in found.shifts)
        yield Table(names, [(f"{fraction:.0%}", *rest) for fraction, *rest in shifts])
    if found.left_out:
        left = found.left_out[:20]
        rows = [(found.annotators[one.annotator], one.votes, one.largest, one.model) for one in left]
        yield Table(("annotator left out", "votes", "largest shift", "of"), rows)
    if found.flips is not None:
        one = found.flips
        said = (
            f"no {one.votes // 5:,} votes turned round change who is first ({one.first})"
            if one.flips is None
            else f"{one.flips:,} of {one.votes:,} votes turned round put {one.then} before {one.first}"
        )
        yield Text(f"Fewest votes: {said}.")


def _model(found: RatedModels, i: int) -> dict[str, Any]:
    point, rank = found.found.point, found.ranks[i]
    return {
        "model": point.models[i],
        "log_score": point.log_scores[i],
        **{k: v for k, v in asdict(found.found.estimates[i]).items() if k != "n"},
        "votes": point.votes[i],
        "prompts": point.prompts[i],
        "regularised": point.regularised[i],
        "rank": rank.point,
        "rank_low": rank.low,
        "rank_high": rank.high,
        "arena_rank": rank.arena,
        "ranks": {policy: one.ranks[i] for policy, one in found.others.items()},
    }


def as_data(found: RatedModels) -> dict[str, object]:
    """The rating as plain data, with the difference of every two neighbours in the ranking."""
    votes, point = found.votes, found.found.point
    order = [i for i in _order(found) if point.ratings[i] is not None]
    names = votes.models
    return {
        "format": FORMAT,
        "policy": found.wanted.policy,
        "level": found.wanted.level,
        "rounds": len(found.found.replicates),
        "votes": votes.n,
        "prompts": votes.prompts.count,
        "unscored": votes.unscored,
        "self_pairs": votes.self_pairs,
        "ordered": found.raw.ordered,
        "undated": found.raw.undated,
        "draws": votes.draws,
        "note": point.note,
        "fallbacks": found.found.fallbacks,
        "groups": [[names[i] for i in board] for board in point.boards],
        "models": [_model(found, i) for i in _order(found)],
        "neighbours": [
            {"a": names[i], "b": names[j], **asdict(found.found.difference(names[i], names[j]))}
            for i, j in itertools.pairwise(order)
        ],
        "pairs": [{"a": one.a, "b": one.b, **asdict(one.rate)} for one in found.pairs],
        "style": None
        if found.style is None
        else {
            "coefficients": {name: asdict(one) for name, one in found.style.coefficients.items()},
            "log_scores": dict(zip(names, found.style.log_scores, strict=True)),
            "note": found.style.note,
        },
        "elo": None
        if found.elo is None
        else {
            name: {key: float(getattr(found.elo, key)[i]) for key in ("given", "mean", "sd")}
            for i, name in enumerate(names)
        },
        "prequential": [
            {key: value for key, value in asdict(one).items() if key not in ("users", "votes")}
            for one in found.prequential
        ],
        "careless": [{**asdict(one), "target_gain": None} for one in found.shifts],
    }
