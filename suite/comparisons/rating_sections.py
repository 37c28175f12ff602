"""A rating as typed blocks, and as the plain data of its JSON form."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from suite.blocks import Line, Section, Table
from suite.comparisons.rating import RatedModels
from suite.report.dot_plots import DotPlot
from suite.report.numbers import number
from suite.report.text_templates import Macros
from suite.scoring.stats.style_control import SIDE

FORMAT = "suite-ratings/1"
# of the table of models, by their names in `as_data`
COLUMNS = {"rank": "rank", "rank from": "rank_low", "to": "rank_high", "rating": "value"}
COLUMNS |= {name: name for name in ("low", "high", "votes", "prompts")}


def sections(found: RatedModels, *, compact: bool = False) -> list[Section]:
    """Ratings first, then what stands behind them."""
    names, order, boards = found.votes.models, _order(found), found.found.point.boards
    board = {i: number for number, one in enumerate(boards, 1) for i in one}
    columns = COLUMNS if compact else COLUMNS | {"arena rank": "arena_rank", "log score": "log_score"}
    rows = []
    for i in order:
        group = {"group": f"group {board.get(i, 0)}"} if len(boards) > 1 else {}
        told = _model(found, i)
        rows.append({"model": names[i], **group, **{name: told[key] for name, key in columns.items()}})
    rated = [i for i in order if found.found.estimates[i].value is not None][:40]
    line = Line.of("rating", [found.found.estimates[i] for i in rated])
    title, labels = "Ratings with their intervals", [names[i] for i in rated]
    plot = DotPlot([line], y="rating", title=title, x_labels=labels)
    each: dict[str, Sequence[float | None]]
    each = {f"rank, {name}": one.ranks for name, one in found.others.items()}
    each |= {f"rating, {name}": one.ratings for name, one in found.others.items()}
    placed = [(names[i], *(column[i] for column in each.values())) for i in order]
    ranks = Table(("model", *each), placed, "Ranks under each policy (scales differ between policies)")
    places = {i: place for place, i in enumerate(order, 1)}
    held = found.style.ratings if found.style else ()
    by_style = sorted(range(len(held)), key=lambda i: (held[i] is None, -(held[i] or 0.0)))
    mean = found.elo.mean if found.elo else ()
    by_elo = sorted(range(len(mean)), key=lambda i: -mean[i])
    orders = (places, by_style, by_elo)
    return _TEXTS.sections("sections", found, Table.of(rows), plot, ranks, *orders)


def rounded(value: float) -> float:
    """To a tenth of a point."""
    return round(float(value), 1)


_TEXTS = Macros("comparisons/templates/rating.j2", number, rounded, SIDE=SIDE)


def _order(found: RatedModels) -> list[int]:
    """Models by board, then by rating; those without one last."""
    ratings = found.found.point.ratings
    board = {i: number for number, one in enumerate(found.found.point.boards) for i in one}
    return sorted(
        range(len(found.votes.models)),
        key=lambda i: (board.get(i, 0), ratings[i] is None, -(ratings[i] or 0.0), found.votes.models[i]),
    )


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
