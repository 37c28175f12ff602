"""A run whose work is done by workers elsewhere: the records and results of a run in one process."""

from pathlib import Path

from msgspec.structs import replace
from small_tasks import Spell, cells, run, without_times
from workers_here import PoolHere, plan_here, run_here

from suite.journal.lines import Lines
from suite.journal.records import BlockRecord, encode
from suite.journal.run import Run

SWEEP = cells(Spell, {"turns": 0}, {"turns": 2}, {"style": "polite"})


def records(folder: Path) -> dict[str, list[bytes]]:
    """The records of a run by journal, sorted, without times; bodies, of which one may stand twice, once."""
    found = Run(folder)
    lines = {"outputs": [*map(encode, found.outputs())], "scores": [*map(encode, found.judged.scores)]}
    for name, journal in {"solved": found.journal, "judged": found.judged}.items():
        lines[f"calls {name}"] = [encode(replace(one, times=(0.0, 0.0))) for one in journal.calls]
        bodies = Lines(journal.folder / "blocks.jsonl", BlockRecord)
        lines[f"blocks {name}"] = [*{one.sha256: encode(one) for one in bodies}.values()]
    return {name: sorted(some) for name, some in lines.items()}


async def test_workers_leave_the_run_of_one_process(tmp_path: Path) -> None:
    here = await run(plan_here(SWEEP), tmp_path / "here")
    there = await run_here(plan_here(SWEEP), tmp_path / "there", PoolHere(2))
    assert there.exit_code == here.exit_code == 0
    assert records(tmp_path / "there") == records(tmp_path / "here")
    assert without_times(there.results) == replace(without_times(here.results), run="there")


async def test_one_worker_alone_comes_to_the_end(tmp_path: Path) -> None:
    outcome = await run_here(plan_here(), tmp_path / "run", PoolHere(1))
    assert (outcome.exit_code, outcome.pending) == (0, 0)
