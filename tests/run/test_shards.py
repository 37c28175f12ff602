"""A run in shards: the same records and results as a run without, whatever is killed, stopped or woken."""

import asyncio
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openai_server import OpenAIServer
from small_tasks import cells, plan_of, run, scripted

from suite.cli.main import run_command
from suite.cli.shards import named_shard, shared_devices
from suite.errors import CallFailed, ConfigError, EngineError, RunError
from suite.journal.run import Run
from suite.journal.shards import Shard, leases, owner_of
from suite.roles import Stage
from suite.run.lease_folder import LeaseFolder
from suite.run.merging import merge_shards
from suite.run.progress import Progress
from suite.run.shard_processes import ShardProcesses

HERE = Path(__file__).resolve().parent
TASK = HERE.parents[1] / "docs/one-file/units.py"
JUDGES = "scripted/constant?text=yay", "scripted/constant?text=no"
SLURM = {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "5"}
INDEXED = {"JOB_COMPLETION_INDEX": "2"}


def start(url: str, folder: Path, shard: str = "", lease_s: str = "60") -> subprocess.Popen[bytes]:
    """A process that works on a run, or on a shard of it."""
    env = {**os.environ, "PYTHONPATH": str(HERE.parent / "servers"), "SUITE_LEASE_S": lease_s}
    command = [sys.executable, str(HERE / "killed.py"), url, str(folder), *([shard] if shard else [])]
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE)


async def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The exit code of a process, and what it said."""
    _, said = await asyncio.to_thread(process.communicate)
    return process.returncode, said.decode()


def size(folder: Path) -> int:
    """Bytes of journals in the leases that count."""
    last = [one for shard in folder.glob("shards/*") for one in leases(shard)[-1:]]
    return sum(path.stat().st_size for one in last for path in one.rglob("*.jsonl"))


async def grown(folder: Path, least: float, process: subprocess.Popen[bytes]) -> None:
    """Wait until the journals hold so many bytes, or the process has ended."""
    while process.poll() is None and size(folder) < least:
        await asyncio.sleep(0.001)


def records(folder: Path, scoring: str = "") -> dict[str, object]:
    """What a run holds, but for times and order."""
    there = Run(folder, scoring)
    found = msgspec.to_builtins(there.results)
    return {
        "outputs": sorted(msgspec.json.encode(one) for one in there.outputs()),
        "scores": sorted(msgspec.json.encode(one) for one in there.scores()),
        "calls": sorted((one.id, one.reply.text) for one in (*there.journal.calls, *there.judged.calls)),
        "results": {name: one for name, one in found.items() if name not in ("seconds", "run")},
    }


async def killed(tmp_path: Path, seed: int, kills: int, shards: int) -> None:
    """Work in shards, killing one of the processes again and again; the merged run equals an unbroken one."""
    chance = random.Random(seed)
    async with OpenAIServer(latency_s=0.005) as server:
        assert await ended(start(server.url, tmp_path / "whole")) == (0, "")
        total = sum(path.stat().st_size for path in (tmp_path / "whole").rglob("*.jsonl"))
        folder, names = tmp_path / "run", [f"{which + 1}/{shards}" for which in range(shards)]
        working = {name: start(server.url, folder, name) for name in names}
        for _ in range(kills):
            name = chance.choice(names)
            process = working[name]
            await grown(folder, size(folder) + chance.random() * total / kills, process)
            process.kill()
            await ended(process)
            working[name] = start(server.url, folder, name)
        assert [await ended(process) for process in working.values()] == [(0, "")] * shards
    for _ in range(2):
        merge_shards(folder, cells())
        assert records(folder) == records(tmp_path / "whole")


@pytest.mark.parametrize("seed", [1])
async def test_killed_shards_hold_what_an_unbroken_run_holds(tmp_path: Path, seed: int) -> None:
    await killed(tmp_path, seed, kills=2, shards=2)


@pytest.mark.slow
async def test_fifty_kills_of_shards_change_nothing(tmp_path: Path) -> None:
    await killed(tmp_path, seed=17, kills=50, shards=3)


@pytest.mark.slow
async def test_an_owner_that_wakes_after_a_takeover_changes_nothing(tmp_path: Path) -> None:
    async with OpenAIServer(latency_s=0.02) as server:
        folder = tmp_path / "run"
        first = start(server.url, folder, "1/1", lease_s="0.5")
        await grown(folder, 20_000, first)
        first.send_signal(signal.SIGSTOP)
        second = start(server.url, folder, "1/1", lease_s="0.5")
        assert await ended(second) == (0, "")
        counts = leases(Shard(0, 1).folder(folder))[-1]
        before = {path: path.read_bytes() for path in counts.rglob("*") if path.is_file()}
        first.send_signal(signal.SIGCONT)
        code, said = await ended(first)
        assert code == 2
        assert f"taken over by process {second.pid}" in said
        assert {path: path.read_bytes() for path in counts.rglob("*") if path.is_file()} == before
        assert counts.name == "0002"


async def test_a_scoring_in_shards_is_that_of_one_process(tmp_path: Path) -> None:
    models, other = ({"candidate": "scripted/echo", "judge": judge} for judge in JUDGES)
    await run(plan_of(models), tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "whole")
    await run(plan_of(other), tmp_path / "whole", stages=("score",))
    before = {path: path.read_bytes() for path in tmp_path.glob("run/*.jsonl")}
    for which in range(2):
        lease = LeaseFolder(plan_of(other), tmp_path / "run", Shard(which, 2), ("score",))
        assert (await run(lease.plan, lease, stages=("score",))).exit_code == 0
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(RunError, match="have ended: `suite runs merge .*run` comes first"):
        await run(plan_of(other), tmp_path / "run", stages=("score",))
    merge_shards(tmp_path / "run", cells())
    scoring = plan_of(other).scoring_id
    assert records(tmp_path / "run", scoring) == records(tmp_path / "whole", scoring)
    again = await run(plan_of(other), tmp_path / "run", stages=("score",))
    assert (again.exit_code, again.pending) == (0, 0)


async def test_a_run_whose_shards_ended_with_pending_samples_is_scored_anew_once_merged(
    tmp_path: Path,
) -> None:
    models, other = ({"candidate": "scripted/echo", "judge": judge} for judge in JUDGES)
    folder, asked = tmp_path / "run", 0

    async def refusing(request: Any, asking: Any) -> str:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise CallFailed("status-400", "no", retryable=False)
        return "yes"

    for which in range(2):
        lease = LeaseFolder(plan_of(models), folder, Shard(which, 2), ("solve", "score"))
        scripted(refusing, lease.plan)
        await run(lease.plan, lease)
    with pytest.raises(RunError, match="have ended: `suite runs merge .*run` comes first"):
        await run(plan_of(other), folder, stages=("score",))
    assert not merge_shards(folder, cells())[0].complete
    scored = await run(plan_of(other), folder, stages=("score",))
    outputs, scores = Run(folder).outputs(), Run(folder, scored.scoring).scores()
    assert (scored.pending, len(list(scores))) == (1, len(list(outputs)))
    with pytest.raises(RunError, match="same command with --shards 2 continues it"):
        await run(plan_of(models), folder)
    (leases(Shard(0, 2).folder(folder))[-1] / "released").unlink()  # at work again
    with pytest.raises(RunError, match="same command with --shards 2 continues it"):
        await run(plan_of(other), folder, stages=("score",))


async def test_a_second_interruption_ends_a_process_that_was_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("suite.run.shard_processes.KILL_AFTER_S", 0.01)
    processes = ShardProcesses([], "", Progress([], 0, [], quiet=True), Stage.SOLVE)
    stopped = await asyncio.create_subprocess_exec("sleep", "600")
    stopped.send_signal(signal.SIGSTOP)
    processes._running.add(stopped)
    processes.interrupt()
    processes.interrupt()
    assert await stopped.wait() in (-signal.SIGKILL, -signal.SIGINT)


@pytest.mark.parametrize(
    ("settings", "typed", "told"),
    [
        ("shards = 4", ["--shard", "1/2"], "shard 1/2"),
        ("shards = 4", ["--on", "slurm", "--print"], "sbatch"),
        ('on = "slurm"', ["--shard", "1/2"], "shard 1/2"),
    ],
)
def test_who_works_by_a_typed_flag_is_not_who_settings_say(
    settings: str,
    typed: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite.toml").write_text(f"[eval]\n{settings}\n")
    command = ("eval", "--task", str(TASK), "--model", "scripted/echo", "-O", str(tmp_path / "run"))
    code, (out, err) = run_command(*command, *typed), capfd.readouterr()
    assert (code, told in out, "--shards 4" in out) == (0, True, False), err


def test_a_command_for_other_shards_than_there_are_begins_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "run")
    command = ("eval", "--task", str(TASK), "--model", "scripted/echo", "-O", folder, "--quiet")
    assert [run_command(*command, "--shard", f"{which}/2") for which in (1, 2)] == [0, 0]
    assert run_command(*command, "--shards", "3") == 2
    assert "run is divided into 2 shards, not 3" in capfd.readouterr().err
    assert run_command("runs", "merge", folder) == 0
    for divided in (("--shards", "3"), ("--shard", "1/5")):  # all of it is scored
        assert run_command("score", folder, *divided, "--quiet") == 0
    assert not list(tmp_path.glob("run/scorings/*/shards"))


class Held:
    """Answers that wait until they are let go."""

    def __init__(self) -> None:
        self.free = asyncio.Event()

    async def answer(self, body: object) -> str:
        del body
        await self.free.wait()
        return "metric"


def started(server: OpenAIServer, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """`suite eval` of twelve samples."""
    model = ("--model", "openai/loopback", "-o", f"base_url={server.url}", "--output", str(folder), *more)
    words = [sys.executable, "-m", "suite", "eval", "--task", str(TASK), *model]
    return subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


async def owners(folder: Path, server: OpenAIServer) -> list[int]:
    """The processes that work on two shards, once requests wait."""
    found = [Shard(which, 2).folder(folder) / "0001" for which in range(2)]
    while not all(one.is_dir() for one in found) or server.requests < 2:
        await asyncio.sleep(0.01)
    return [owner_of(one).pid for one in found]


async def test_a_process_of_this_machine_that_dies_is_started_again(tmp_path: Path) -> None:
    held = Held()
    async with OpenAIServer(answer=held.answer) as server:
        parent = started(server, tmp_path / "run", "--shards", "2")
        os.kill((await owners(tmp_path / "run", server))[0], signal.SIGKILL)
        held.free.set()
        code, said = await ended(parent)
        assert code == 0, said
        assert said.splitlines()[1:] == ["the process of shard 1/2 died (-9), and is started again"]
    assert Run(tmp_path / "run").results.complete


@pytest.mark.slow
async def test_an_interruption_reaches_every_shard_and_the_same_command_goes_on(tmp_path: Path) -> None:
    held = Held()
    async with OpenAIServer(answer=held.answer) as server:
        parent = started(server, tmp_path / "run", "--shards", "2", "--concurrency", "1")
        await owners(tmp_path / "run", server)
        parent.send_signal(signal.SIGINT)
        assert parent.stderr is not None
        said = [await asyncio.to_thread(parent.stderr.readline) for _ in range(2)]
        assert said[1].startswith(b"stopping: waiting for what is in flight")
        held.free.set()
        assert (await ended(parent))[0] == 130
        assert len([*(tmp_path / "run").glob("shards/*/0001/released")]) == 2
        assert (await ended(started(server, tmp_path / "run", "--shards", "2")))[0] == 0
    assert Run(tmp_path / "run").results.complete


@pytest.mark.slow
async def test_processes_whose_parent_is_killed_leave_in_good_order(tmp_path: Path) -> None:
    held = Held()
    async with OpenAIServer(answer=held.answer) as server:
        parent = started(server, tmp_path / "run", "--shards", "2")
        await owners(tmp_path / "run", server)
        parent.kill()
        await ended(parent)
        held.free.set()
        while len([*(tmp_path / "run").glob("shards/*/0001/released")]) < 2:
            await asyncio.sleep(0.01)


async def test_where_a_file_system_has_no_locks_shards_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", none)
    models = {"candidate": "scripted/echo"}
    with pytest.raises(RunError, match="has no locks: .*\n.*\n.*add --shards 1"):
        await run(plan_of(models), tmp_path / "whole")
    lease = LeaseFolder(plan_of(models), tmp_path / "run", Shard(0, 1), ("solve", "score"))
    await run(lease.plan, lease)
    merge_shards(tmp_path / "run", cells())
    assert Run(tmp_path / "run").results.complete


def test_processes_that_start_servers_have_gpus_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,4,5,7")
    given = [one["CUDA_VISIBLE_DEVICES"] for one in shared_devices(1, 2)]
    assert given == ["0,1", "4,5"]
    with pytest.raises(EngineError, match="2 × 3 = 6 GPUs, and 5 can be used"):
        shared_devices(3, 2)


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        ({"SUITE_SHARD": "3/8", **SLURM}, ("3/8", "SUITE_SHARD")),
        (SLURM, ("3/4", "SLURM_ARRAY_TASK_ID")),
        ({**SLURM, "SUITE_SHARDS": "9"}, ("7/9", "SLURM_ARRAY_TASK_ID")),
        ({**INDEXED, "SUITE_SHARDS": "4"}, ("3/4", "JOB_COMPLETION_INDEX")),
        ({**INDEXED, "JOB_COMPLETION_COUNT": "4"}, ("3/4", "JOB_COMPLETION_INDEX")),
    ],
)
def test_a_scheduler_names_the_shard(environment: dict[str, str], shard: tuple[str, str]) -> None:
    found, source = named_shard("auto", environment)
    assert (str(found), source) == shard


@pytest.mark.parametrize(
    ("environment", "what"),
    [
        ({}, "finds no shard"),
        (INDEXED, "nothing says of how many"),
        ({"SLURM_ARRAY_TASK_ID": "3"}, "nothing says of how many"),
        ({**SLURM, "SLURM_ARRAY_TASK_ID": "9"}, "with steps or gaps does not say which of 4"),
        ({**SLURM, "SLURM_ARRAY_TASK_STEP": "2"}, "with steps or gaps does not say which of 4"),
        ({**SLURM, "SLURM_ARRAY_TASK_ID": "x"}, "SLURM_ARRAY_TASK_ID=x is no whole number"),
        ({"JOB_COMPLETION_INDEX": "3", "SUITE_SHARDS": "3"}, "shard 4 of 3 .*INDEX=3 and SUITE_SHARDS=3"),
        ({"SUITE_SHARD": "4/3"}, "SUITE_SHARD: '4/3' is no shard"),
    ],
)
def test_an_environment_that_names_no_shard_is_refused(environment: dict[str, str], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        named_shard("auto", environment)
