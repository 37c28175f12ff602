"""A run on Slurm for real: an array of shards, one of them killed, restarted by the job that merges."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from slurm_cluster import PROGRAMS, slurm_cluster, told, wait_for

from suite.journal.run import Run

TASK = '''
"""Says a number again; the process of shard 2 dies in the middle, once."""

import os
import signal
from pathlib import Path

import suite


class Row(suite.Payload):
    id: str


class Again(suite.Task[Row, suite.Parameters]):
    info = suite.TaskInfo("again", 1, "Again", headline="right", rows={"rows": "rows.jsonl"})
    metrics = (suite.Rate("right"),)

    def samples(self, data):
        return (suite.Sample(one.id, one) for one in data.rows("rows", Row))

    async def solve(self, sample, models):
        reply = await models.candidate.chat(sample.id, max_tokens=10)
        Path(f"solved-{sample.id}").touch()
        if os.environ.get("SLURM_ARRAY_TASK_ID") == "2" and not Path("died").exists():
            Path("died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return reply.output()

    async def score(self, sample, output, models):
        return suite.Score({"right": output.text == sample.id})
'''


def results(folder: Path) -> dict[str, object]:
    """Without times and the run's name."""
    found = msgspec.to_builtins(Run(folder).results)
    return {name: value for name, value in found.items() if name not in ("seconds", "run")}


def outputs(folder: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in (folder / "outputs.jsonl").read_text().splitlines()]
    return sorted((row["sample"], json.dumps(row["output"], sort_keys=True)) for row in rows)


@pytest.mark.slow
@pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason="Slurm is not installed")
def test_a_killed_shard_is_restarted_and_the_merged_run_is_that_of_one_process(tmp_path: Path) -> None:
    (tmp_path / "again.py").write_text(TASK)
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"id": "{number}"}}\n' for number in range(40)))

    def suite(environment: dict[str, str], *more: str) -> str:
        command = [sys.executable, "-m", "suite", "eval", "--task", "./again.py", "--model", "scripted/echo"]
        done = subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    with slurm_cluster() as slurm:
        options = ("shards=3", "cpus=1", f"setup=export SUITE_CACHE={tmp_path}/cache")
        flags = [word for one in options for word in ("--on-option", one)]
        (tmp_path / "run.sh").write_text(suite(slurm, "--output", "run", "--on", "slurm", *flags, "--print"))
        subprocess.run(["bash", "run.sh"], cwd=tmp_path, env=slurm, check=True)
        suite({**slurm, "SUITE_CACHE": str(tmp_path / "other")}, "--output", "alone", "--quiet")
        wait_for(lambda: told(["squeue", "-h"], slurm) == "")
    log = next(tmp_path.glob("run.slurm/*/merge.log")).read_text()
    assert (tmp_path / "died").exists()
    assert "shards 2: job" in log, "the job that merges submits the dead shard again, and no other"
    assert outputs(tmp_path / "run") == outputs(tmp_path / "alone"), log
    assert results(tmp_path / "run") == results(tmp_path / "alone")
