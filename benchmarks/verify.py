"""What verifying a bundle costs: seconds for each rung, megabytes a second, peak memory.

    python benchmarks/verify.py                 100,000 samples, one request and one deterministic value each
    python benchmarks/verify.py --samples 2000

The run is made by the suite's own runner with a scripted model, packed and verified; making it is not timed.
Beside it stands what reading the same journals costs by itself (hashing and decoding), in the same run.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TASK = '''
import suite


class Row(suite.Payload):
    index: int


class Lengths(suite.Task[Row, suite.Parameters]):
    """One turn, one value that needs no judge."""

    info = suite.TaskInfo(
        name="bench-lengths",
        version=1,
        title="One turn",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="short",
    )
    metrics = (suite.Rate("short", by="parity"), suite.Mean("words", unit="words"))

    def samples(self, data):
        for index in range(SAMPLES):
            yield suite.Sample(id=f"s{index}", payload=Row(index=index), tags={"parity": str(index % 2)})

    async def solve(self, sample, models):
        filler = "what would you recommend for a quiet weekend by the sea, and why? " * 6
        question = suite.user(f"Sample {sample.payload.index}: {filler}")
        reply = await models.candidate.chat([question], max_tokens=300)
        return suite.Output(text=reply.text, finish=reply.finish)

    async def score(self, sample, output, models):
        words = len(output.text.split())
        return suite.Score({"short": words < 200, "words": float(words)})
'''
PLUGIN = """
import suite


@suite.hookimpl
def suite_register():
    return [suite.Entry("task", "bench-lengths", "One turn", "bench_lengths_task:Lengths")]
"""


def plugin(folder: Path, samples: int) -> None:
    """A distribution as an installer would leave it."""
    (folder / "bench_lengths.py").write_text(PLUGIN)
    (folder / "bench_lengths_task.py").write_text(TASK.replace("SAMPLES", str(samples)))
    info = folder / "bench_lengths-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-lengths\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[suite]\nbench-lengths = bench_lengths\n")


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, str]:
    """(seconds, peak MiB of the children so far, standard output) of a command."""
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, done.stdout


def plain_reading(run: Path) -> tuple[float, int]:
    """Seconds to hash and decode every line of a run's journals, and their bytes."""
    import msgspec

    started, total = time.perf_counter(), 0
    for path in sorted(run.rglob("*.jsonl")):
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for line in file:
                digest.update(line)
                msgspec.json.decode(line)
                total += len(line)
    return time.perf_counter() - started, total


def main() -> None:
    """Make, pack, verify, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=100_000)
    samples = parser.parse_args().samples
    with tempfile.TemporaryDirectory(prefix="suite-bench-") as name:
        folder = Path(name)
        (folder / "plugin").mkdir()
        plugin(folder / "plugin", samples)
        environment = {
            **os.environ,
            "PYTHONPATH": str(folder / "plugin"),
            "SUITE_CACHE": str(folder / "cache"),
        }
        suite = [sys.executable, "-m", "suite"]
        run, bundle = folder / "run", folder / "bundle.suite.zip"
        model = ["--model", "scripted/words", "-o", "words=60", "--no-cache"]
        print(f"making a run of {samples:,} samples", flush=True)
        timed([*suite, "eval", "--task", "bench-lengths", *model, "--output", str(run)], environment)
        declare = ["--organization", "nobody", "--submitter", "benchmark", "--relationship", "other"]
        declare += ["--selection-rule", "only_run", "--complete-runs", "1"]
        declare += ["--references-access", "no", "--traces-licence", "CC0-1.0"]
        packing, _, _ = timed([*suite, "submit", "pack", str(run), "-O", str(bundle), *declare], environment)
        plain, size = plain_reading(run)
        report = folder / "verification.json"
        seconds, memory, text = timed(
            [*suite, "submit", "verify", str(bundle), "--json", str(report)], environment
        )
        print(text)
        rungs = {one["id"]: one["seconds"] for one in json.loads(report.read_text())["rungs"]}
        print(f"journals {size / 1e6:,.0f} MB, bundle {bundle.stat().st_size / 1e6:,.1f} MB")
        print(f"pack {packing:.1f} s, verify {seconds:.1f} s ({size / 1e6 / seconds:.0f} MB/s)")
        print(f"peak {memory:,.0f} MiB over all commands; hashing and decoding alone {plain:.1f} s")
        print("rungs: " + ", ".join(f"{name} {spent:.1f} s" for name, spent in rungs.items() if spent))


if __name__ == "__main__":
    main()
