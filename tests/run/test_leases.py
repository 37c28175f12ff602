"""Leases of shards: taken once, kept by a beat, taken over from the dead, of no worth to who lost one."""

import ast
import asyncio
import importlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tasks import Spell, cells, plan_of, run, scripted

from suite.errors import ConfigError, RunError
from suite.journal.repairs import REFERRING, repair
from suite.journal.shards import Shard, leases, owner_of, parse_shard, shards_of
from suite.run.lease_folder import LeaseFolder
from suite.run.leases import Lease, take
from suite.run.ledger import BudgetSpent
from suite.run.merging import merge_shards
from suite.run.outcome import RunSettings
from suite.run.session import Session

HERE = Path(__file__).resolve().parent
SHARD, ONLY = Shard(2, 8), Shard(0, 1)
WORKING_ON_SHARDS = ("suite.journal.shards", "suite.run.leases", "suite.run.lease_folder")
LOCKS_AND_CLOCKS = {
    "fcntl", "flock", "lockf", "filelock", "portalocker", "msvcrt", "folder_lock", "held", "datetime",
    "utime", "getmtime", "getctime", "getatime", "st_mtime", "st_mtime_ns", "st_ctime", "st_ctime_ns",
    "st_atime", "st_atime_ns", "st_birthtime", "localtime", "gmtime", "time_ns",
}  # fmt: skip


def silent(line: str) -> None:
    """Nobody listens."""


def lost(error: RunError) -> None:
    raise AssertionError(f"the lease was lost: {error}")


def left(folder: Path, shard: Shard = SHARD) -> Path:
    """A lease whose owner has left; its folder."""
    lease = take(shard, folder, silent)
    with lease.kept(lost):
        return lease.path


def stranger(lease: Path) -> None:
    """Make the owner one of another machine, of whose process nothing can be known here."""
    owner = msgspec.structs.replace(owner_of(lease), host="far", system="another")
    (lease / "lease.json").write_bytes(msgspec.json.encode(owner))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is silent is soon taken for dead."""
    monkeypatch.setenv("SUITE_LEASE_S", "0.3")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is silent for three seconds is taken for dead; who lives beats in a fifth of that."""
    monkeypatch.setenv("SUITE_LEASE_S", "3")


@pytest.mark.parametrize("name", WORKING_ON_SHARDS)
def test_no_file_lock_and_no_clock_decides_who_holds_a_shard(name: str) -> None:
    source = Path(str(importlib.import_module(name).__file__)).read_text("utf-8")
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            used.add(node.attr)
            if isinstance(node.value, ast.Name) and node.value.id == "time":
                assert node.attr in ("monotonic", "sleep"), f"line {node.lineno}: time.{node.attr}"
        elif isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.alias):
            used.add(node.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            used.add(str(node.module).partition(".")[0])
    assert used & LOCKS_AND_CLOCKS == set()


def test_a_takeover_locks_nothing_and_reads_no_file_times(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "watched_takeover.py"), str(tmp_path)],
        env={**os.environ, "SUITE_LEASE_S": "0.3"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "0002 taken over\n"), done.stderr


@given(data=st.data(), takers=st.integers(1, 5), rounds=st.integers(1, 3))
@settings(max_examples=6, deadline=None)
def test_of_those_who_saw_the_same_lease_one_takes_the_next(
    data: st.DataObject, takers: int, rounds: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = SHARD.folder(tmp_path_factory.mktemp("run"))
    folder.mkdir(parents=True)
    late: list[Lease] = []
    for _ in range(rounds):
        last = next(reversed(leases(folder)), None)
        ready = [Lease.after(SHARD, folder, last) for _ in range(takers)]
        won = []
        for one in [*late, *data.draw(st.permutations(ready))]:
            try:
                won.append(one.won().path)
            except RunError as error:
                assert "taken" in str(error) or "cannot take" in str(error)
        assert won == leases(folder)[-1:]
        late = [Lease.after(SHARD, folder, last)]  # slept since before the winner came
    assert len(leases(folder)) == rounds


def test_of_threads_that_take_at_once_one_wins(tmp_path: Path) -> None:
    left(tmp_path)
    together = threading.Barrier(6)

    def taking(_: int) -> bool:
        together.wait()
        try:
            take(SHARD, tmp_path, silent)
        except RunError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(taking, range(6))) == 1


def test_a_rename_that_happened_though_the_file_system_says_no_is_a_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.rename

    def twice(self: Path, target: Path) -> Path:
        real(self, target)
        raise FileNotFoundError("asked a second time")

    ready = Lease.after(SHARD, tmp_path, None)
    monkeypatch.setattr(Path, "rename", twice)
    assert ready.won().path == tmp_path / "0001"


def test_a_living_owner_keeps_its_shard_and_is_named(tmp_path: Path, patient: None) -> None:
    lease = take(SHARD, tmp_path, silent)
    with lease.kept(lost), pytest.raises(RunError, match=f"process {os.getpid()} on .* working on shard 3/8"):
        take(SHARD, tmp_path, silent)


def test_what_was_left_is_taken_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger(left(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waits"))
    assert take(SHARD, tmp_path, silent).path.name == "0002"


def test_only_the_last_two_leases_keep_their_records(tmp_path: Path) -> None:
    for _ in range(4):
        (left(tmp_path) / "attempts.jsonl").touch()
    held = {one.parent.name for one in SHARD.folder(tmp_path).glob("*/attempts.jsonl")}
    assert (held, len(leases(SHARD.folder(tmp_path)))) == ({"0003", "0004"}, 4)


def test_an_owner_whose_process_has_ended_is_dead_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; from suite.run.leases import *; take(Shard(2, 8), Path(sys.argv[1]), print)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waits"))
    assert take(SHARD, tmp_path, silent).path.name == "0002"


def test_another_process_under_the_number_of_a_dead_one_is_not_its_owner(tmp_path: Path) -> None:
    lease = take(SHARD, tmp_path, silent).path
    owner = msgspec.structs.replace(owner_of(lease), process="1")
    (lease / "lease.json").write_bytes(msgspec.json.encode(owner))
    assert take(SHARD, tmp_path, silent).path.name == "0002"


def test_an_owner_elsewhere_is_dead_after_its_beat_stood_still(tmp_path: Path, short: None) -> None:
    stranger(take(SHARD, tmp_path, silent).path)
    assert take(SHARD, tmp_path, silent).path.name == "0002"


def test_an_owner_elsewhere_lives_as_long_as_it_beats(tmp_path: Path, patient: None) -> None:
    lease = take(SHARD, tmp_path, silent)
    stranger(lease.path)
    with lease.kept(lost), pytest.raises(RunError, match="on far is working"):
        take(SHARD, tmp_path, silent)


def test_who_lost_its_shard_hears_it_from_its_next_look(tmp_path: Path, short: None) -> None:
    told: list[RunError] = []
    heard = threading.Event()
    lease = take(SHARD, tmp_path, silent)

    def hear(error: RunError) -> None:
        told.append(error)
        heard.set()

    with lease.kept(hear):
        Lease.after(SHARD, lease.path.parent, lease.path).won()
        assert heard.wait(30)
    assert "taken over by process" in str(told[0])


@pytest.mark.parametrize("text", ["abc", "60s", "-1", "0", "nan", "inf"])
def test_seconds_that_are_none_are_refused_before_a_lease_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SUITE_LEASE_S", text)
    with pytest.raises(ConfigError, match=f"SUITE_LEASE_S={text} is no number"):
        take(SHARD, tmp_path, silent)
    assert not list(tmp_path.iterdir())


def test_a_beat_that_fails_in_whatever_way_is_heard_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: None
) -> None:
    told: list[RunError] = []
    heard = threading.Event()
    lease = take(SHARD, tmp_path, silent)
    monkeypatch.setattr("suite.run.leases.leases", lambda _: 1 / 0)

    def hear(error: RunError) -> None:
        told.append(error)
        heard.set()

    with lease.kept(hear):
        assert heard.wait(30)
    assert "shard 3/8 can no longer be kept: ZeroDivisionError" in str(told[0])


def test_an_empty_folder_is_no_lease(tmp_path: Path) -> None:
    first = left(tmp_path)
    first.with_name("0002").mkdir()
    first.with_name("0007").mkdir()
    assert leases(first.parent) == [first]
    assert left(tmp_path).name == "0002"


def test_a_lease_that_lacks_who_took_it_is_named(tmp_path: Path) -> None:
    lease = left(tmp_path)
    (lease / "lease.json").unlink()
    with pytest.raises(RunError, match=r"of shard 3-of-8 has no lease.json\n.*\n.*move this folder away"):
        take(SHARD, tmp_path, silent)


@pytest.mark.parametrize("text", ["0/8", "9/8", "3", "3/", "-1/8", "3/0", "3/99999", "x/8", "３/8"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no shard"):
        parse_shard(text)


def test_shards_are_told_by_their_folders(tmp_path: Path) -> None:
    for name in ("2-of-3", "1-of-3", "10-of-12", "x-of-3", "note"):
        (tmp_path / "shards" / name).mkdir(parents=True)
    assert list(map(str, shards_of(tmp_path))) == ["1/3", "2/3", "10/12"]


def folder_of(root: Path, shard: Shard = ONLY, **given: Any) -> LeaseFolder:
    made = cells(Spell, {"turns": 0}, {"turns": 2})
    return LeaseFolder(
        plan_of({"candidate": "scripted/echo"}, made, **given), root, shard, ("solve", "score")
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lease of a run's only shard, done."""
    folder = folder_of(tmp_path_factory.mktemp("finished") / "run")
    asyncio.run(run(folder.plan, folder))
    return folder.own


@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_whatever_beginnings_of_its_files_a_dead_owner_left_the_next_has_whole_records(
    finished: Path, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shard")
    shutil.copytree(finished, folder / "0001")
    for path in sorted((folder / "0001").rglob("*.jsonl")):
        body = path.read_bytes()
        path.write_bytes(body[: data.draw(st.integers(0, len(body)), path.name)])
    new = Lease.after(SHARD, folder, folder / "0001").won()
    assert repair(new.path) == {}
    for pattern in REFERRING:
        for path in new.path.glob(pattern):
            old = (folder / "0001" / path.relative_to(new.path)).read_bytes()
            assert set(path.read_bytes().splitlines(keepends=True)) <= set(old.splitlines(keepends=True))


async def test_a_shard_that_is_done_is_not_taken_again(finished: Path) -> None:
    folder = folder_of(finished.parents[2])
    outcome = await run(folder.plan, folder)
    assert (outcome.pending, outcome.exit_code, leases(finished.parent)) == (0, 0, [finished])


async def test_a_folder_in_other_shards_is_refused(finished: Path) -> None:
    folder = folder_of(finished.parents[2], Shard(0, 2))
    with pytest.raises(RunError, match="divided into 1 shards, not 2"):
        await run(folder.plan, folder)
    assert list(map(str, shards_of(finished.parents[2]))) == ["1/1"]


async def test_a_run_without_shards_does_not_go_into_a_folder_with_open_ones(finished: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"}, cells(Spell, {"turns": 0}, {"turns": 2}))
    with pytest.raises(RunError, match="have ended: `suite runs merge .*run` comes first"):
        await run(plan, finished.parents[2])


async def test_a_shard_does_not_go_into_the_folder_of_a_run_without(tmp_path: Path) -> None:
    await run(plan_of({"candidate": "scripted/echo"}), tmp_path / "run")
    folder = folder_of(tmp_path / "run")
    with pytest.raises(RunError, match="begun without shards"):
        await run(folder.plan, folder)


async def test_what_was_merged_from_shards_that_are_gone_is_not_told_otherwise(
    finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished.parents[2], tmp_path / "run")
    merge_shards(tmp_path / "run", cells(Spell, {"turns": 0}, {"turns": 2}))
    shutil.rmtree(tmp_path / "run/shards")
    with pytest.raises(RunError, match="merged from shards whose folders are gone"):
        folder_of(tmp_path / "run").check_division()


async def test_the_shards_of_another_plan_are_refused(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished.parents[2], tmp_path / "run")
    shutil.rmtree(tmp_path / "run/shards")
    folder = folder_of(tmp_path / "run", seed=4)
    with pytest.raises(RunError, match=r"another plan; differing: seed \(0 there, 4 here\)"):
        await run(folder.plan, folder)


async def test_a_budget_is_divided_among_the_shards(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "run", Shard(0, 4))
    session = Session(folder.plan, folder, ("solve",), RunSettings(budget="10ktokens", quiet=True))
    assert session.ledger is not None
    assert session.ledger.budget.amount == 2500
    with pytest.raises(BudgetSpent, match=r"budget of 2,500 tokens \(1/4 of --budget 10ktokens"):
        raise session.ledger._over(1)


async def test_a_process_that_loses_its_shard_stops_and_says_who_has_it(tmp_path: Path, short: None) -> None:
    folder = folder_of(tmp_path / "run")

    async def slow(request: Any, asking: Any) -> str:
        if len(leases(folder.own.parent)) == 1:
            Lease.after(folder.shard, folder.own.parent, folder.own).won()
        await asyncio.sleep(3600)
        return "never"

    scripted(slow, folder.plan)
    outcome = await run(folder.plan, folder)
    assert outcome.exit_code == 2
    assert f"taken over by process {os.getpid()} on {socket.gethostname()}" in str(outcome.error)
    assert not any("continues this run" in line for line in outcome.lines())
    assert not (tmp_path / "run/outputs.jsonl").exists()
