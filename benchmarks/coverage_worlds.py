"""The worlds of coverage.py: data with a known truth, what the suite prints of them, and what else it could.

Every default goes the way of a run: a table of scores, `computing.compute`, a row of results.json;
comparisons go through `compare.differences.pair`. p is the mean of the values, or what the family says.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from coverage_rivals import clopper_pearson, macro_random, macro_t, newcombe, percentile, textbook
from numpy.typing import NDArray

from suite.comparisons.differences import Side, pair
from suite.scoring.computation import compute
from suite.scoring.measures import Measure
from suite.scoring.metrics import Agreement, Custom, Mean, PassAt, Rate, Ratio, WinRate
from suite.scoring.stats.agreement import RatingTable, coefficient_of
from suite.scoring.stats.estimate import clip
from suite.scoring.stats.intervals import wilson
from suite.scoring.stats.rating_intervals import rating_intervals
from suite.scoring.stats.votes import votes_of
from suite.scoring.table import Column, Parts, ScoreTable, TagCodes

DEFAULT = "default"
UNIT = (0.0, 1.0)
Chance = np.random.Generator
Floats = NDArray[np.float64]
Ends = tuple[float | None, float | None]


@dataclass(frozen=True)
class Data:
    """One sample. columns: values by name. clusters, groups, samples, trials: of each row, None if there are
    none. truth: where it depends on the groups drawn.
    """

    columns: Mapping[str, NDArray[Any]]
    clusters: NDArray[np.intp] | None = None
    groups: NDArray[np.intp] | None = None
    samples: NDArray[np.intp] | None = None
    trials: NDArray[np.intp] | None = None
    truth: float = math.nan

    @property
    def x(self) -> Floats:
        return next(iter(self.columns.values()))


@dataclass(frozen=True)
class World:
    """How to draw data at one p, their truth, and every method by name; the default is "default"."""

    draw: Callable[[Chance], Any]
    truth: Callable[[Any], float]
    methods: Mapping[str, Callable[[Any], Ends | None]]


@dataclass(frozen=True)
class Setting:
    """at: the world at p. hard: part of the quick run. few: so few samples that they force a wide interval.
    may_lack: some data have no number at all. share: of the repeats. points: the only p, instead of a grid.
    """

    name: str
    at: Callable[[float], World]
    hard: bool = False
    few: bool = False
    may_lack: bool = False
    share: float = 1.0
    points: tuple[float, ...] = ()

    def alone(self) -> "Setting":
        """With the default alone."""

        def at(p: float) -> World:
            world = self.at(p)
            return replace(world, methods={DEFAULT: world.methods[DEFAULT]})

        return replace(self, at=at)


@dataclass(frozen=True)
class Family:
    """Settings of one kind of number."""

    name: str
    settings: Sequence[Setting] = field(default_factory=tuple)


def table_of(data: Data) -> ScoreTable:
    """The table of scores that a run of these data makes."""
    n = len(data.x)
    rows = np.arange(n, dtype=np.uint64) if data.samples is None else data.samples.astype(np.uint64)
    clusters = rows if data.clusters is None else data.clusters.astype(np.uint64) + np.uint64(10**9)
    state = np.zeros(n, dtype=np.uint8)
    tags = {}
    if data.groups is not None:
        names = tuple(f"g{i}" for i in range(int(data.groups.max()) + 1))
        tags["g"] = TagCodes((data.groups + 1).astype(np.uint16), ("", *names))
    nothing = np.zeros(0, dtype=np.uint32)
    return ScoreTable(
        cells=("c",),
        cell=np.zeros(n, dtype=np.uint8),
        sample=rows,
        cluster=clusters,
        trial=None if data.trials is None else data.trials.astype(np.uint16),
        tags=tags,
        values={name: Column(x.astype(np.float64), state, ()) for name, x in data.columns.items()},
        parts=Parts(nothing, nothing, {}, {}),
    )


def printed(metric: Any, name: str = "") -> Callable[[Data], Ends]:
    """What a run prints: the interval of a row of results.json."""
    wanted = name or metric.rows()[0]

    def of(data: Data) -> Ends:
        rows = compute([metric], wanted, table_of(data))
        row = next(one for one in rows if one.name == wanted and not one.slice)
        return row.low, row.high

    return of


def _classic(binary: bool, **how: Any) -> Callable[[Data], Ends]:
    def of(data: Data) -> Ends:
        return textbook(data.x, data.clusters, binary, how.get("limits", UNIT))

    return of


def _resampled(kind: str) -> Callable[[Data], Ends]:
    def of(data: Data) -> Ends:
        labels = np.arange(len(data.x)) if data.clusters is None else data.clusters
        return percentile(lambda units: float(data.x[units].mean()), labels, kind, 300)

    return of


def _fixed(p: float) -> Callable[[Data], float]:
    return lambda _: p


# --- shares and graded values, of single samples


def _share(n: int) -> Callable[[float], World]:
    def at(p: float) -> World:
        def wilsons(data: Data) -> Ends:
            return wilson(float(data.x.mean()), n)

        def exact(data: Data) -> Ends:
            return clopper_pearson(int(data.x.sum()), n)

        methods = {
            DEFAULT: printed(Rate("x")),
            "Wilson": wilsons,
            "Clopper-Pearson": exact,
            "t": _classic(False),
        }
        return World(lambda c: Data({"x": (c.random(n) < p) * 1.0}), _fixed(p), methods)

    return at


def _beta(chance: Chance, p: float | Floats, concentration: float, n: int) -> Floats:
    p = np.asarray(p)
    return chance.beta(np.maximum(p * concentration, 1e-6), np.maximum((1 - p) * concentration, 1e-6), n)


def _lumps(chance: Chance, p: float, n: int) -> Floats:
    """Mostly one end of the range, the rest anywhere between."""
    q = 2 * min(p, 1 - p)
    x = np.where(chance.random(n) < q, chance.random(n), 1.0)
    return x if p >= 0.5 else 1 - x


def _alike(chance: Chance, p: float, n: int) -> Floats:
    """Nearly always p itself, else anything with the same mean."""
    return np.where(chance.random(n) < 0.97, p, _beta(chance, p, 1.0, n))


def _normal(chance: Chance, p: float, n: int) -> Floats:
    """Close around p."""
    return p + 0.15 * min(p, 1 - p) * np.clip(chance.normal(size=n), -6, 6)


SHAPES: dict[str, Callable[[Chance, float, int], Floats]] = {
    "very skewed (beta, 1)": lambda c, p, n: _beta(c, p, 1.0, n),
    "skewed (beta, 5)": lambda c, p, n: _beta(c, p, 5.0, n),
    "narrow (beta, 40)": lambda c, p, n: _beta(c, p, 40.0, n),
    "five steps": lambda c, p, n: c.binomial(4, np.clip(_beta(c, p, 2.0, n), 0, 1)) / 4,
    "mostly one value": _lumps,
    "nearly all alike": _alike,
    "close to normal": _normal,
}


def _graded(shape: str, n: int) -> Callable[[float], World]:
    def at(p: float) -> World:
        methods = {
            DEFAULT: printed(Mean("x", range=UNIT)),
            "t": _classic(False),
            "Wilson, effective n": _wilson_effective,
            "percentile": _resampled("percentile"),
            "BCa": _resampled("bca"),
        }
        return World(lambda c: Data({"x": SHAPES[shape](c, p, n)}), _fixed(p), methods)

    return at


def _wilson_effective(data: Data) -> Ends:
    m, n = float(data.x.mean()), len(data.x)
    variance = float(data.x.var(ddof=1))
    return wilson(m, n if variance < 1e-12 else max(1.0, m * (1 - m) / variance * n))


def _unbounded(n: int) -> Callable[[float], World]:
    def at(p: float) -> World:
        methods = {DEFAULT: printed(Mean("x")), "t": _classic(False, limits=None)}
        return World(lambda c: Data({"x": c.exponential(p, n)}), _fixed(p), methods)

    return at


# --- clusters


def _clustered(clusters: int, icc: float, binary: bool, equal: bool) -> Callable[[float], World]:
    def at(p: float) -> World:
        def draw(chance: Chance) -> Data:
            sizes = np.full(clusters, 5) if equal else 2 + chance.poisson(4, clusters)
            own = np.full(clusters, p) if icc == 0 else _beta(chance, p, 1 / icc - 1, clusters)
            codes = np.repeat(np.arange(clusters), sizes)
            n = len(codes)
            x = (chance.random(n) < own[codes]) * 1.0 if binary else _beta(chance, own[codes], 2.0, n)
            return Data({"x": x}, codes)

        methods = {
            DEFAULT: printed(Rate("x") if binary else Mean("x", range=UNIT)),
            "CR1, t": _classic(False),
            "percentile": _resampled("percentile"),
        }
        if binary:
            methods["Wilson, effective n"] = _classic(True)
        return World(draw, _fixed(p), methods)

    return at


# --- macro


def _macro(groups: int, limit: int, binary: bool, unlike: bool) -> Callable[[float], World]:
    """A run with --limit: each sample's group is a matter of chance. The truth is that of the groups seen."""

    def at(p: float) -> World:
        own = np.where(np.arange(groups) % 2 == 0, p, 1 - p) if unlike else np.full(groups, p)

        def draw(chance: Chance) -> Data:
            g = chance.integers(0, groups, limit)
            x = (chance.random(limit) < own[g]) * 1.0 if binary else _beta(chance, own[g], 2.0, limit)
            return Data({"x": x}, groups=g, truth=float(own[np.unique(g)].mean()))

        kind = Rate if binary else Mean
        metric = kind("x", by="g", average="macro", range=UNIT)

        def normal(data: Data) -> Ends:
            parts = [data.x[data.groups == one] for one in np.unique(np.asarray(data.groups))]
            value = sum(float(one.mean()) for one in parts) / len(parts)
            known = [float(one.var(ddof=1)) / len(one) for one in parts if len(one) > 1]
            half = 1.96 * math.sqrt(sum(known)) / len(parts)
            return clip((value - half, value + half), UNIT) if half else (None, None)

        methods = {
            DEFAULT: printed(metric, "x"),
            "t of the smallest group": lambda data: macro_t(data.x, np.asarray(data.groups)),
            "normal": normal,
            "random groups": lambda data: macro_random(data.x, np.asarray(data.groups)),
        }
        return World(draw, lambda data: data.truth, methods)

    return at


# --- ratios, trials, wins, agreement, formulas, ratings


def _ratio(n: int) -> Callable[[float], World]:
    def at(p: float) -> World:
        def draw(chance: Chance) -> Data:
            below = 1.0 + chance.poisson(3, n)
            return Data(
                {"top": chance.binomial(below.astype(int), _beta(chance, p, 5.0, n)) * 1.0, "below": below}
            )

        def resampled(kind: str) -> Callable[[Data], Ends]:
            def of(data: Data) -> Ends:
                top, below = data.columns.values()
                share = lambda units: float(top[units].sum() / below[units].sum())  # noqa: E731
                return percentile(share, np.arange(n), kind, 300)

            return of

        methods = {
            DEFAULT: printed(Ratio("top", "below", range=UNIT)),
            "percentile": resampled("percentile"),
            "BCa": resampled("bca"),
        }
        return World(draw, _fixed(p), methods)

    return at


def _passes(n: int, trials: int, k: int) -> Callable[[float], World]:
    """pass@k; p is the mean chance of one answer, samples differ."""

    def at(p: float) -> World:
        a, b = 2 * p, 2 * (1 - p)
        none = math.prod((b + i) / (a + b + i) for i in range(k))  # E[(1 - q)^k] of a beta distribution

        def draw(chance: Chance) -> Data:
            right = chance.random((n, trials)) < chance.beta(a, b, n)[:, None]
            samples = np.repeat(np.arange(n), trials)
            return Data({"x": right.ravel() * 1.0}, samples=samples, trials=np.tile(np.arange(trials), n))

        def values(data: Data) -> Data:
            right = data.x.reshape(n, trials).sum(axis=1)
            ways = [1 - math.comb(trials - int(c), k) / math.comb(trials, k) for c in right]
            return Data({"x": np.array(ways)})

        methods = {
            DEFAULT: printed(PassAt("x", k=(k,)), f"x@{k}"),
            "t": lambda data: _classic(False)(values(data)),
            "percentile": lambda data: _resampled("percentile")(values(data)),
        }
        return World(draw, _fixed(1 - none), methods)

    return at


def _wins(n: int, row: int) -> Callable[[float], World]:
    """Win rates by their four readings; p is the chance of a win among the decided, a fifth are ties."""

    def at(p: float) -> World:
        def draw(chance: Chance) -> Data:
            won = (chance.random(n) < p) * 1.0
            return Data({"win": np.where(chance.random(n) < 0.2, 0.5, won)})

        truth = (0.1 + 0.8 * p, p, 0.8 * p, 0.8 * (2 * p - 1))[row]
        metric = WinRate("win")
        methods: dict[str, Callable[[Data], Ends | None]] = {DEFAULT: printed(metric, metric.rows()[row])}
        if row == 0:
            methods |= {"t": _classic(False), "BCa": _resampled("bca")}
        return World(draw, _fixed(truth), methods)

    return at


def _agreement(name: str, n: int, kappa: float) -> Callable[[float], World]:
    """Two raters with equal margins p; the truth is the coefficient of very many items."""

    def at(p: float) -> World:
        a = p * (1 - p) * kappa
        cells = np.array([(1 - p) ** 2 + a, p * (1 - p) - a, p * (1 - p) - a, p * p + a])
        many = np.repeat(np.arange(4), np.round(cells * 400_000).astype(int))

        def value(codes: NDArray[np.int64]) -> float | None:
            return coefficient_of(name, RatingTable(codes, 2), "nominal")[0]

        def draw(chance: Chance) -> Data:
            drawn = chance.choice(4, n, p=cells)
            return Data({"a": (drawn // 2) * 1.0, "b": (drawn % 2) * 1.0})

        def resampled(data: Data) -> Ends:
            codes = np.stack([*data.columns.values()], axis=1).astype(np.int64)
            return percentile(lambda units: value(codes[units]), np.arange(n), "percentile", 200)

        metric = Agreement("x", raters=("a", "b"), categories=(0.0, 1.0), coefficients=(name,))
        truth = value(np.stack([many // 2, many % 2], axis=1)) or 0.0
        return World(draw, _fixed(truth), {DEFAULT: printed(metric), "percentile": resampled})

    return at


def _f1(columns: Mapping[str, Any]) -> float | None:
    said, right = columns["said"], columns["right"]
    below = float(said.sum() + right.sum())
    return 2 * float((said * right).sum()) / below if below else None


def _formula(n: int) -> Callable[[float], World]:
    """F1 of answers that are right with chance p; half of the samples are positive."""

    def at(p: float) -> World:
        def draw(chance: Chance) -> Data:
            right = (chance.random(n) < 0.5) * 1.0
            return Data({"said": np.where(chance.random(n) < p, right, 1 - right), "right": right})

        def old(data: Data) -> Ends:
            columns = dict(data.columns)
            return percentile(lambda u: _f1({k: x[u] for k, x in columns.items()}), np.arange(n), "auto", 200)

        metric = Custom("f1", _f1, needs=("said", "right"), range=UNIT, draws=300)
        return World(draw, _fixed(p), {DEFAULT: printed(metric), "percentile, BCa": old})

    return at


def _ratings(models: int, prompts: int) -> Callable[[float], World]:
    """The rating of the first of several models by votes; p is its chance against any other."""

    def at(p: float) -> World:
        names = [f"m{i}" for i in range(models)]
        gap = 400 * math.log10(p / (1 - p)) if 0 < p < 1 else 0.0

        def draw(chance: Chance) -> Any:
            pairs = np.array([sorted(chance.choice(models, 2, replace=False)) for _ in range(prompts)])
            won = chance.random(prompts) < np.where(pairs[:, 0] == 0, p, 0.5)
            a, b = ([names[i] for i in side] for side in pairs.T)
            return a, b, np.where(won, "a", "b").tolist()

        def rated(votes: Any) -> Ends:
            found = rating_intervals(votes_of(*votes), rounds=200).estimates[0]
            return found.low, found.high

        truth = 1000 + gap * (models - 1) / models
        return World(draw, _fixed(truth), {DEFAULT: rated})

    return at


# --- comparisons


def _side(data: Data, x: Floats) -> Side:
    n = len(x)
    ids = np.arange(n, dtype=np.uint64)
    clusters = ids if data.clusters is None else data.clusters.astype(np.uint64)
    columns: dict[str, NDArray[Any]] = {"x": x}
    if data.groups is not None:
        columns["tag:g"] = data.groups.astype(str).astype(object)
    return Side(ids, clusters, ids, columns)


def compared(measure: Measure) -> Callable[[Data], Ends]:
    """What `suite compare` prints: the interval of A minus B."""

    def of(data: Data) -> Ends:
        a, b = data.columns.values()
        found = pair(measure, _side(data, a), _side(data, b), seed=0, level=0.95).comparison.difference
        return found.low, found.high

    return of


def _paired(n: int, kind: str, apart: float) -> Callable[[float], World]:
    """A at p, B at p less `apart`; samples share their difficulty."""

    def at(p: float) -> World:
        q = max(p - apart, 0.01)

        def draw(chance: Chance) -> Data:
            groups = clusters = None
            if kind == "clusters":
                clusters = np.arange(n) // 5
                hard = np.repeat(chance.random(-(-n // 5)), 5)[:n]
            else:
                hard = chance.random(n)
            if kind == "macro":
                groups = chance.integers(0, 12, n)
            shared = chance.random(n) < 0.6
            lucks = [np.where(shared, hard, chance.random(n)) for _ in range(2)]
            if kind == "graded":
                a, b = (
                    np.where(luck < one, 1.0, chance.random(n) ** 3)
                    for luck, one in zip(lucks, (p, q), strict=True)
                )
            else:
                a, b = ((luck < one) * 1.0 for luck, one in zip(lucks, (p, q), strict=True))
            return Data({"a": a, "b": b}, clusters, groups)

        metric: Any = Rate("x") if kind in ("0/1", "clusters") else Mean("x", range=UNIT)
        if kind == "macro":
            metric = Rate("x", by="g", average="macro")

        def t(data: Data) -> Ends:
            a, b = data.columns.values()
            return _classic(False, limits=(-1.0, 1.0))(replace(data, columns={"d": a - b}))

        truth = (p - q) * (0.75 if kind == "graded" else 1.0)
        methods = {DEFAULT: compared(metric.measures()[0]), "t": t}
        if kind == "0/1":
            methods["Newcombe"] = lambda data: newcombe(*data.columns.values())
        if kind == "clusters":
            methods["CR1, t"] = t
        return World(draw, _fixed(truth), methods)

    return at


def families() -> list[Family]:
    """Every kind of number that the suite prints with an interval."""
    return [
        Family(
            "share", [Setting(f"n {n}", _share(n), n == 10, n < 10) for n in (6, 10, 20, 30, 100, 300, 1000)]
        ),
        Family(
            "graded",
            [
                Setting(f"{shape}, n {n}", _graded(shape, n), n == 10 and "skewed" in shape, n < 20)
                for shape in SHAPES
                for n in (5, 10, 30, 100, 300)
            ],
        ),
        Family(
            "graded without a range",
            [Setting(f"exponential, n {n}", _unbounded(n), few=n < 20, points=(0.5,)) for n in (10, 30, 100)],
        ),
        Family(
            "clusters, 0/1",
            [
                Setting(
                    f"{c} {'equal' if equal else 'unequal'}, ICC {icc}",
                    _clustered(c, icc, True, equal),
                    few=c < 20,
                    hard=c == 5 and not equal,
                )
                for c in (5, 10, 20)
                for icc in (0.1, 0.5)
                for equal in (True, False)
            ],
        ),
        Family(
            "clusters, graded",
            [
                Setting(
                    f"{c} {'equal' if equal else 'unequal'}, ICC {icc}",
                    _clustered(c, icc, False, equal),
                    few=c < 20,
                    hard=c == 5 and equal,
                )
                for c in (5, 10, 20)
                for icc in (0.1, 0.5)
                for equal in (True, False)
            ],
        ),
        Family(
            "macro, 0/1",
            [
                Setting(
                    f"{k} groups{', unlike' if unlike else ''}, limit {limit}",
                    _macro(k, limit, True, unlike),
                    limit == 10 and k == 20 and not unlike,
                    limit < 30,
                )
                for k in (1, 2, 12, 20)
                for unlike in ((False, True) if k > 1 else (False,))
                for limit in (6, 10, 20, 30, 100, 300, 1000)
            ],
        ),
        Family(
            "macro, graded",
            [
                Setting(
                    f"{k} groups, limit {limit}",
                    _macro(k, limit, False, False),
                    limit == 10 and k == 12,
                    limit < 30,
                )
                for k in (1, 2, 12, 20)
                for limit in (6, 10, 20, 30, 100, 300, 1000)
            ],
        ),
        Family("ratio", [Setting(f"n {n}", _ratio(n), n == 10, n < 20) for n in (5, 10, 30, 100)]),
        Family(
            "pass@k",
            [
                Setting(f"n {n}, pass@{k} of 5", _passes(n, 5, k), few=n < 20)
                for n in (10, 30, 100)
                for k in (1, 3)
            ],
        ),
        Family(
            "win rate",
            [
                Setting(f"{name}, n {n}", _wins(n, row), few=n < 20, may_lack=row == 1)
                for row, name in enumerate(("half", "excluded", "strict", "net"))
                for n in (10, 30, 100)
            ],
        ),
        Family(
            "agreement",
            [
                Setting(
                    f"{name}, kappa {kappa}, n {n}",
                    _agreement(name, n, kappa),
                    n == 30 and name == "cohen" and kappa == 0.5,
                    n < 100,
                    True,
                    0.4,
                    (0.5, 0.9, 0.95, 0.98),
                )
                for name in ("percent", "cohen", "alpha", "ac1")
                for kappa in (0.5, 0.8)
                for n in (10, 30, 100)
            ],
        ),
        Family(
            "formula",
            [
                Setting(
                    f"F1, n {n}",
                    _formula(n),
                    few=n < 30,
                    share=0.3,
                    points=(0.05, 0.5, 0.95, 0.98),
                    may_lack=True,
                )
                for n in (10, 30, 100)
            ],
        ),
        Family(
            "paired difference",
            [
                Setting(
                    f"{kind}, n {n}, apart {apart}", _paired(n, kind, apart), n == 30 and apart == 0.0, n < 30
                )
                for kind in ("0/1", "graded", "clusters", "macro")
                for n in (10, 30, 100)
                for apart in (0.0, 0.1)
            ],
        ),
        Family(
            "rating",
            [
                Setting(
                    f"{m} models, {n} votes",
                    _ratings(m, n),
                    few=n < 100,
                    share=0.15,
                    points=(0.5, 0.7, 0.9),
                    may_lack=True,
                )
                for m in (2, 4)
                for n in (30, 100, 300)
            ],
        ),
    ]
