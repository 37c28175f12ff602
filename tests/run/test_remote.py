"""A run whose work is done by workers elsewhere: the records and results of a run in one process."""

import asyncio
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import workers_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from small_tasks import Spell, cells, plan_of, run, without_times
from workers_here import HERE, TASKS, Failing, Longer, MortalWorker, PoolHere, plan_here, records, run_here

from suite.errors import ConfigError
from suite.journal.run import Run
from suite.plugins import Catalogue, Plugin
from suite.run import remote, worker
from suite.run.session import Session
from suite.run.worker import OpenedWorker, Order

SWEEP = cells(Spell, {"turns": 0}, {"turns": 2}, {"style": "polite"})


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BEAT_S", 0.02)


def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many workers are lost, others go on."""
    monkeypatch.setattr(remote, "SPARE_LOSSES", 999)


async def test_workers_leave_the_run_of_one_process(tmp_path: Path) -> None:
    here = await run(plan_here(SWEEP), tmp_path / "here")
    there = await run_here(plan_here(SWEEP), tmp_path / "there", PoolHere(2))
    assert there.exit_code == here.exit_code == 0
    assert records(tmp_path / "there") == records(tmp_path / "here")
    assert without_times(there.results) == replace(without_times(here.results), run="there")


async def test_one_worker_alone_comes_to_the_end(tmp_path: Path) -> None:
    outcome = await run_here(plan_here(), tmp_path / "run", PoolHere(1))
    assert (outcome.exit_code, outcome.pending) == (0, 0)


async def test_every_call_of_a_worker_that_dies_is_there_or_asked_again_once(tmp_path: Path) -> None:
    workers_here.asked.clear()
    fates = iter(["after", "before"])
    pool = PoolHere(2, lambda: next(fates, ""))
    outcome = await run_here(plan_here(SWEEP, concurrency=2), tmp_path / "run", pool)
    calls = [one.id for journal in Run(tmp_path / "run").every_journal() for one in journal.calls]
    assert (outcome.exit_code, pool.made) == (0, 4)
    assert sorted(calls) == sorted(workers_here.asked)


FATE = st.sampled_from(["", "", "", "", "before", "after"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fates=st.lists(FATE, max_size=30),
    size=st.integers(1, 4),
    turns=st.sets(st.integers(0, 3), min_size=1, max_size=3),
    trials=st.integers(1, 2),
    concurrency=st.sampled_from([None, 1, 3]),
    one_engine=st.booleans(),
)
async def test_any_plan_with_any_deaths_leaves_the_run_of_one_process(
    tmp_path: Path,
    fates: list[str],
    size: int,
    turns: set[int],
    trials: int,
    concurrency: int | None,
    one_engine: bool,
) -> None:
    made = cells(Spell, *({"turns": one} for one in sorted(turns)))
    plan = plan_here(made, trials=trials, concurrency=concurrency)
    left = iter(fates)
    with TemporaryDirectory(dir=tmp_path) as folder, pytest.MonkeyPatch.context() as patched:
        endless(patched)
        here = await run(plan_here(made, trials=trials), Path(folder) / "here")
        pool = PoolHere(size, lambda: next(left, ""))
        there = await run_here(plan, Path(folder) / "there", pool, one_engine=one_engine)
        assert there.exit_code == here.exit_code == 0
        assert records(Path(folder) / "there") == records(Path(folder) / "here")
        assert without_times(there.results) == replace(without_times(here.results), run="there")


async def test_another_driver_goes_on_where_one_stopped(tmp_path: Path) -> None:
    def fate() -> str:
        if sessions and sum(workers_here.asked.values()) > 20:
            sessions.pop().interrupt()
        return ""

    sessions: list[Session] = []
    workers_here.asked.clear()
    first = await run_here(
        plan_here(cells(Longer), concurrency=1), tmp_path / "run", PoolHere(2, fate), begun=sessions.append
    )
    done = len(records(tmp_path / "run")["outputs"])
    second = await run_here(plan_here(cells(Longer)), tmp_path / "run", PoolHere(1))
    assert (first.exit_code, second.exit_code) == (130, 0)
    assert 0 < done < len(records(tmp_path / "run")["outputs"])
    assert set(workers_here.asked.values()) == {1}


async def test_a_worker_with_another_version_of_a_plugin_is_refused(tmp_path: Path) -> None:
    others = Catalogue((Plugin("tests", "tests", "1", TASKS), *HERE.plugins[1:]))
    with pytest.raises(ConfigError, match="plugins.words/spell: 'tests 0' at the driver, 'tests 1' here"):
        await run_here(plan_here(), tmp_path / "run", PoolHere(1, plugins=others))
    assert not (tmp_path / "run").exists()


async def test_workers_that_are_lost_one_after_the_other_stop_the_run(tmp_path: Path) -> None:
    outcome = await run_here(plan_here(), tmp_path / "run", PoolHere(1, lambda: "before"))
    assert outcome.exit_code == 2
    assert "4 workers were lost in a row, the last: killed" in str(outcome.error)


async def test_an_endpoint_that_is_down_for_every_worker_stops_the_run(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/fail"}, cells(Longer))
    outcome = await run_here(plan, tmp_path / "run", PoolHere(2))
    assert outcome.exit_code == 2
    assert "5 workers were lost in a row, the last: scripted/fail failed 20 calls" in str(outcome.error)
    assert outcome.pending == Longer.words


async def test_a_pool_that_makes_no_worker_stops_the_run(tmp_path: Path) -> None:
    class Broken(PoolHere):
        def worker(self) -> MortalWorker:
            raise ValueError("half a device")

    with pytest.raises(ValueError, match="half a device"):
        await run_here(plan_here(), tmp_path / "run", Broken(2))


async def test_one_worker_does_the_work_while_another_has_no_place(tmp_path: Path) -> None:
    class Waiting(MortalWorker):
        async def open(self, order: Order) -> OpenedWorker:
            await asyncio.Event().wait()
            return await super().open(order)

    class Crowded(PoolHere):
        def worker(self) -> MortalWorker:
            made = super().worker()
            return made if self.made > 1 else Waiting(str, HERE)

    outcome = await run_here(plan_here(SWEEP), tmp_path / "run", Crowded(2))
    assert (outcome.exit_code, outcome.pending) == (0, 0)


async def test_a_task_that_fails_everywhere_stops_the_run(tmp_path: Path) -> None:
    outcome = await run_here(plan_here(cells(Failing)), tmp_path / "run", PoolHere(2), errors_allowed=5)
    assert "failed with an error of the task itself" in str(outcome.error)


@pytest.mark.slow
async def test_fifty_deaths_lose_and_double_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    deaths = 0

    def fate() -> str:
        nonlocal deaths
        found = chance.choice(["before", "after", "", ""]) if deaths < 50 else ""
        deaths += bool(found)
        return found

    made = cells(Longer)
    here = await run(plan_here(made, trials=4), tmp_path / "here")
    endless(monkeypatch)
    pool = PoolHere(3, fate)
    there = await run_here(plan_here(made, trials=4, concurrency=1), tmp_path / "there", pool)
    assert (there.exit_code, deaths) == (0, 50)
    assert records(tmp_path / "there") == records(tmp_path / "here")
    assert without_times(there.results) == replace(without_times(here.results), run="there")
