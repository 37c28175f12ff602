"""Shots: what is drawn, what never is, and that runs with and without them keep their identities."""

import random
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tasks import Word, cells, plan_of, run

import suite
from suite.data.cache import Cache
from suite.data.registry import Registry
from suite.data.view import DataView, obtain
from suite.errors import ConfigError, DataError, NotFound
from suite.journal.run import Run
from suite.plugins import catalogue
from suite.report.run_facts import fact_lines, run_facts
from suite.report.sample_choice import SamplesWanted, find_samples
from suite.report.summary import summarise
from suite.run.estimate import estimate
from suite.shots import ShotParameters, Shots
from suite.task import Sample

Words = Sample[Word]


def words(*texts: str, groups: Callable[[int], str] = lambda n: f"g{n}") -> list[Words]:
    return [Sample(f"t{n}", Word(word=text), group=groups(n)) for n, text in enumerate(texts)]


def text_of(sample: Words) -> tuple[str]:
    return (sample.payload.word,)


def shots(train: Iterable[Words], **parameters: Any) -> Shots[Word]:
    return Shots(train, ShotParameters(**parameters), text_of)


def ids(found: Iterable[Words]) -> list[str]:
    return [one.id for one in found]


MANY = words(*(f"word {n}" for n in range(30)))
OTHER = Sample("asked", Word(word="asked"))

parts = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 6)), min_size=1, max_size=20).map(
    lambda rows: [Sample(f"t{n}", Word(word=text), f"g{group}") for n, (text, group) in enumerate(rows)]
)


@given(parts, st.integers(1, 4), st.integers(0, 5), st.sampled_from(["cell", "group"]), st.randoms())
def test_no_shot_shares_anything_with_the_sample_or_another_and_order_changes_nothing(
    train: list[Words], count: int, seed: int, per: str, chance: random.Random
) -> None:
    asked = chance.choice(train)
    wanted = {"shots": count, "shots_seed": seed, "shots_per": per}
    try:
        found = shots(train, **wanted).of(asked)
    except ConfigError:
        return
    every = [asked, *found]
    for names in (ids(every), [one.group for one in every], [one.payload.word for one in every]):
        assert len(set(names)) == len(every) == count + 1
    assert found == shots(chance.sample(train, len(train)), **wanted).of(asked)


@pytest.mark.parametrize("per", ["cell", "group"])
def test_more_shots_begin_with_the_fewer(per: str) -> None:
    drawn = [ids(shots(MANY, shots=count, shots_per=per).of(OTHER)) for count in range(6)]
    assert all(more[:-1] == fewer for fewer, more in pairwise(drawn))


def test_all_samples_share_the_shots_but_those_that_are_among_them() -> None:
    drawn = shots(MANY, shots=3)
    first = ids(drawn.of(OTHER))
    found = {one.id: ids(drawn.of(one)) for one in MANY}
    assert [name for name, told in found.items() if told != first] == sorted(
        first, key=lambda one: int(one[1:])
    )
    assert found[first[1]][:2] == [first[0], first[2]]


def test_each_group_has_its_own_where_that_is_wanted() -> None:
    drawn = shots(MANY, shots=3, shots_per="group")
    assert len({tuple(ids(drawn.of(one))) for one in MANY}) > 20
    one, two = (Sample(name, Word(word=name), "same") for name in "ab")
    assert drawn.of(one) == drawn.of(two)


def test_the_seed_of_the_cell_decides_and_that_of_the_run_does_not() -> None:
    drawn = [shots(MANY, shots=3, shots_seed=seed).of(OTHER) for seed in range(4)]
    assert len({tuple(ids(one)) for one in drawn}) == 4
    assert shots(MANY, shots=3).of(Sample("asked", Word(word="asked"), seed=7)) == drawn[0]


def test_content_is_compared_without_case_and_white_space() -> None:
    drawn = shots(words("Two  words", "other", "third"), shots=2)
    assert sorted(ids(drawn.of(Sample("asked", Word(word="two words"))))) == ["t1", "t2"]


@pytest.mark.parametrize(
    "train",
    [
        words("a", "b", "c"),
        words("a", "b", "c", "d", "A ", " b"),  # copies are one
        words("a", "b", "c", "d", groups=lambda n: f"g{n % 3}"),
        [],
    ],
)
def test_one_more_than_the_shots_must_be_there(train: list[Words]) -> None:
    if len(train) == 6:
        assert len(shots(train, shots=3).of(OTHER)) == 3
        train = train[1:]
    with pytest.raises(ConfigError, match=r"shots=4: only \d different examples in train, of \d in all"):
        shots(train, shots=4)


def test_an_id_that_comes_twice_is_refused() -> None:
    with pytest.raises(DataError, match="train gives the sample 't0' twice"):
        shots([*MANY, *MANY[:1]], shots=1)


def test_a_sample_that_shares_too_much_is_never_shown_what_it_shares() -> None:
    drawn = shots(words("a", "b", "c"), shots=2)
    with pytest.raises(ConfigError, match="shots=2: only 1 different examples"):
        drawn.of(Sample("x", Word(word="a"), cluster="g1"))


def test_an_unknown_part_is_named_with_what_there_is() -> None:
    registry = Registry(catalogue().registry_folders())
    data = DataView({"pairs": obtain("prefeval-mini", registry, Cache())})
    train = (Sample(row["topic"], Word(word="w")) for row in data.rows("pairs", dict, part="implicit-choise"))
    with pytest.raises(NotFound, match=r"implicit-choise'\n  its parts: explicit, implicit-choice"):
        shots(train, shots=1)


def test_without_shots_the_train_part_is_not_read() -> None:
    unread: Iterable[Words] = iter(lambda: pytest.fail("the train part was read"), None)
    drawn = shots(unread)
    assert (drawn.of(OTHER), drawn.facts()) == ((), {})


def test_what_is_drawn_does_not_count_where_nothing_is() -> None:
    assert (
        ShotParameters.model_validate({"shots": "0", "shots_seed": 3, "shots_per": "group"})
        == ShotParameters()
    )
    assert ShotParameters().solve_values() == {}
    assert ShotParameters(shots=2, shots_seed=1).solve_values() == {"shots": 2, "shots_seed": 1}


class EchoParameters(ShotParameters):
    """style: how it is asked."""

    style: str = "plain"


class PlainParameters(suite.Parameters):
    """The same, before there were shots."""

    style: str = "plain"


class Echo(suite.Task[Word, EchoParameters]):
    """Its train part is what it asks for, so that each sample is left out of its own shots."""

    info = suite.TaskInfo(name="words/echo", version=1, title="Echo", headline="said")
    metrics = (suite.Rate("said"),)

    def samples(self, data: suite.Data) -> Iterable[Words]:
        yield from MANY[:8]

    async def open(self, data: suite.Data, tools: suite.Tools) -> Mapping[str, str]:
        self.drawn = suite.Shots(self.samples(data), self.parameters, text_of)
        return self.drawn.facts()

    async def solve(self, sample: Words, models: suite.Models) -> suite.Output:
        turns: list[suite.Message] = []
        for shot in self.drawn.of(sample):
            turns += [suite.user(shot.payload.word), suite.assistant(shot.payload.word)]
        reply = await models.candidate.chat([*turns, suite.user(sample.payload.word)], max_tokens=9)
        return reply.output()

    async def score(self, sample: Words, output: suite.Output, models: suite.Models) -> suite.Score:
        return suite.Score({"said": sample.payload.word in output.text})


class Plain(suite.Task[Word, PlainParameters]):
    """The same task before there were shots."""

    info, metrics = Echo.info, Echo.metrics
    samples, score = Echo.samples, Echo.score

    async def solve(self, sample: Words, models: suite.Models) -> suite.Output:
        return (await models.candidate.chat(sample.payload.word, max_tokens=9)).output()


MODEL = {"candidate": "scripted/echo"}


async def test_no_shots_are_the_cell_and_the_calls_of_before(tmp_path: Path) -> None:
    (new,), (old,) = cells(Echo, {"shots": 0}), cells(Plain)
    assert new.id == old.id
    made = []
    for name, cell in (("new", new), ("old", old)):
        plan = plan_of(MODEL, [cell])
        await run(plan, tmp_path / name)
        made.append((plan.sha256, sorted(call.id for call in Run(tmp_path / name).journal.calls)))
    assert made[0] == made[1]


async def test_a_run_tells_of_its_shots_and_repeats_them_at_any_concurrency(tmp_path: Path) -> None:
    found = []
    for concurrency in (1, 16):
        sweep = cells(Echo, *({"shots": count, "shots_seed": 5} for count in (0, 3)))
        folder = tmp_path / str(concurrency)
        outcome = await run(plan_of(MODEL, sweep, concurrency=concurrency), folder)
        assert outcome.exit_code == 0
        found.append(sorted(call.id for call in Run(folder).journal.calls))
    assert found[0] == found[1]
    opened = Run(folder)
    none, three = opened.manifest.cells
    assert (none.facts, three.parameters) == ({}, {"style": "plain", "shots": 3, "shots_seed": 5})
    told = three.facts["shots"]
    assert told.startswith("3 of 8 in train, the same for all samples they share nothing with, seed 5, ")
    assert three.swept == ["shots", "shots_seed"]
    assert ("shots", told) in fact_lines(run_facts(opened))


async def test_a_sweep_shows_what_a_cell_leaves_out_at_its_default(tmp_path: Path) -> None:
    sweep = cells(Echo, {"shots": 0}, {"shots": 2}, {"shots": 2, "shots_per": "group"})
    await run(plan_of(MODEL, sweep), tmp_path / "run")
    made = Run(tmp_path / "run")
    assert [cell.parameters for cell in made.manifest.cells] == [
        {"style": "plain"}, {"style": "plain", "shots": 2},
        {"style": "plain", "shots": 2, "shots_per": "group"},
    ]  # fmt: skip
    (task,) = summarise(made).tasks
    assert (task.swept, [cell.values for cell in task.cells]) == (
        ("shots", "shots_per"), [(0, "cell"), (2, "cell"), (2, "group")],
    )  # fmt: skip
    assert find_samples(made, SamplesWanted(cells=("shots=0",))).total == 8


async def test_too_many_shots_end_a_run_before_a_model_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shots=8: only 8 different examples"):
        await run(plan_of(MODEL, cells(Echo, {"shots": 8})), tmp_path / "run")
    assert not (tmp_path / "run/calls.jsonl").exists()


async def test_a_dry_run_says_that_there_are_too_many_shots() -> None:
    with pytest.raises(ConfigError, match="shots=8: only 8 different examples"):
        await estimate(plan_of(MODEL, cells(Echo, {"shots": 8})))


def test_what_is_told_counts_examples_that_share_something_once() -> None:
    train = words("warm", "cold", "Warm ", "dry", "wet", groups=lambda n: f"g{min(n, 3)}")
    told = shots(train, shots=2).facts()["shots"]
    assert told.startswith("2 of 5 in train (3 that share nothing with each other), ")
