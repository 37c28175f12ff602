"""How long the command of a finished run takes when it is given again. Promise: 3 s for 200,000 samples.

    python benchmarks/resume.py [--samples N] [--repeats R]

Makes a finished run of one-turn samples (400 bytes asked, 1,500 answered) by `suite eval` itself, gives the
same command again in processes of their own and prints wall time, CPU time and peak memory of each: the
first after the run, the following ones, and one without the run's seal, so that all is read and made anew.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite.run.seal import SEAL

TASK = """
import suite


class Row(suite.Payload):
    id: str
    text: str


class Turns(suite.Task[Row, suite.Parameters]):
    info = suite.TaskInfo("turns", 1, "One turn each", headline="ok", rows={"texts": "turns.jsonl"})
    metrics = (suite.Rate("ok"),)

    def samples(self, data):
        return (suite.Sample(row.id, row) for row in data.rows("texts", Row))

    async def solve(self, sample, models):
        return (await models.candidate.chat(sample.payload.text, max_tokens=300)).output()

    async def score(self, sample, output, models):
        return suite.Score({"ok": "7" in output.text})
"""
ANSWER = """
from suite.chat import Reply, Usage

TEXT = ("An answer with some words in it. " * 60)[:1490]


def answer(request, asking):
    return Reply(TEXT + asking.sample, usage=Usage(prompt=100, completion=375))
"""
PROMPT = "what would you recommend for a quiet weekend by the sea, and why? " * 8


def write_task(folder: Path, samples: int) -> None:
    """The task, its rows and who answers."""
    (folder / "turns.py").write_text(TASK)
    (folder / "resume_answers.py").write_text(ANSWER)
    with (folder / "turns.jsonl").open("w") as file:
        for index in range(samples):
            head = f"Sample {index}: "
            file.write(json.dumps({"id": f"s{index}", "text": head + PROMPT[: 400 - len(head)]}) + "\n")


def command(folder: Path) -> dict[str, float]:
    """The command of the run, in a process of its own: seconds, CPU seconds, MiB."""
    model = "scripted/resume_answers:answer"
    given = ["eval", "--task", "./turns.py", "--model", model, "--quiet", "--output", "run", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "SUITE_CACHE": str(folder / "cache")}
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.Popen(
        [sys.executable, "-m", "suite", *given],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    output, errors = done.communicate()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"the command failed:\n{errors.decode()}")
    told = json.loads(output)
    if told["pending"]:
        raise SystemExit(f"{told['pending']} samples are pending")
    return {
        "wall_s": time.perf_counter() - started,
        "cpu_s": usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,  # of the largest child so far
    }


def measured(samples: int, repeats: int) -> dict[str, dict[str, float]]:
    """What was measured, by name."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_task(folder, samples)
        found = {"run": child(folder), "again": child(folder)}
        later = [child(folder) for _ in range(repeats)]
        found["again, median"] = {key: statistics.median(one[key] for one in later) for key in later[0]}
        for seal in (folder / "run").glob(f"scorings/*/{SEAL}"):
            seal.unlink()
        found["without seal"] = child(folder)
        size = sum(path.stat().st_size for path in (folder / "run").rglob("*.jsonl"))
        print(f"{samples:,} samples, journal {size / 2**20:,.0f} MiB")
    return found


def child(folder: Path) -> dict[str, float]:
    """`command` in a child of this process, so that its peak memory is its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--in", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--in", dest="folder", type=Path)
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(command(arguments.folder)))
        return
    for name, one in measured(arguments.samples, arguments.repeats).items():
        print(f"{name:18} {one['wall_s']:7.2f} s, {one['cpu_s']:7.2f} s of CPU, {one['peak_mib']:5.0f} MiB")


if __name__ == "__main__":
    main()
