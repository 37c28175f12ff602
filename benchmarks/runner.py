"""What the runner costs beside a bare aiohttp client, on the same loopback endpoint, in one run.

    python benchmarks/runner.py                 CPU per sample (2,000 and 20,000) and of the start, journal
    python benchmarks/runner.py --memory        peak memory at 2,000 and at 200,000 samples

Each variant runs in a process of its own; variants take turns; the ratio of medians is what counts, absolute
times depend on the machine. The runner has everything on: journal, checksums, cache, scoring, results.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = HERE.parent / "tests" / "servers" / "openai_server.py"
CONCURRENCY = 64
PROMPT, REPLY = 400, 1500
MARK = "RESULT "


def prompt(index: int) -> str:
    """A prompt of 400 bytes that no other sample has."""
    head = f"Sample {index}: "
    return (
        head
        + ("what would you recommend for a quiet weekend by the sea, and why? " * 8)[: PROMPT - len(head)]
    )


async def bare(url: str, samples: int) -> None:
    """What a careful person writes with aiohttp: a pool of workers, one JSON line an answer."""
    import aiohttp

    queue = iter(range(samples))
    with tempfile.TemporaryFile("w") as file:
        connector = aiohttp.TCPConnector(limit=CONCURRENCY)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def worker() -> None:
                for index in queue:
                    messages = [{"role": "user", "content": prompt(index)}]
                    body = {"model": "loopback", "messages": messages, "max_tokens": 300, "temperature": 0.0}
                    async with session.post(f"{url}/chat/completions", json=body) as response:
                        reply = await response.json()
                    text = reply["choices"][0]["message"]["content"]
                    file.write(json.dumps({"id": index, "text": text, "ok": "a" in text}) + "\n")

            await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


def runner(url: str, samples: int, folder: Path) -> int:
    """The suite's runner on a task of one turn; returns the bytes of its journal."""
    from pydantic import BaseModel

    import suite
    from suite.run.cells import make_cell
    from suite.run.outcome import RunSettings
    from suite.run.plan import make_plan
    from suite.run.request import EvalRequest
    from suite.run.session import run_plan

    class Row(BaseModel):
        index: int

    class OneTurn(suite.Task[Row, suite.Parameters]):
        info = suite.TaskInfo(
            "one-turn", 1, "One turn", {"candidate": suite.Role(needs={"chat"})}, headline="ok"
        )
        metrics = (suite.Rate("ok"),)

        def samples(self, data: suite.Data) -> Iterable[suite.Sample[Row]]:
            for index in range(samples):
                yield suite.Sample(f"s{index}", Row(index=index))

        async def solve(self, sample: suite.Sample[Row], models: suite.Models) -> suite.Output:
            reply = await models.candidate.chat([suite.user(prompt(sample.payload.index))], max_tokens=300)
            return suite.Output(reply.text, finish=reply.finish)

        async def score(
            self, sample: suite.Sample[Row], output: suite.Output, models: suite.Models
        ) -> suite.Score:
            return suite.Score({"ok": "a" in output.text})

    request = EvalRequest(
        (),
        models={"candidate": ["openai/loopback"]},
        options=[("", "base_url", url)],
        concurrency=CONCURRENCY,
    )
    plan = make_plan(request, cells=[make_cell(OneTurn(suite.Parameters()), "benchmark")])
    outcome = asyncio.run(run_plan(plan, folder, settings=RunSettings(quiet=True)))
    if outcome.pending or outcome.error:
        raise SystemExit(f"the run did not finish: {outcome}")
    return sum(path.stat().st_size for path in folder.rglob("*.jsonl"))


def child(variant: str, url: str, samples: int) -> None:
    """One measurement in a process of its own."""
    size = 0
    started = time.perf_counter()
    if variant == "bare":
        asyncio.run(bare(url, samples))
    else:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SUITE_CACHE"] = f"{folder}/cache"
            size = runner(url, samples, Path(folder) / "run")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": time.perf_counter() - started,
        "peak_mib": usage.ru_maxrss / 1024,
        "journal": size / samples,
    }
    print(MARK + json.dumps(found))


def measure(variant: str, url: str, samples: int) -> dict[str, float]:
    """Run one child."""
    command = [sys.executable, __file__, "--child", variant, "--url", url, "--samples", str(samples)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    line = next((one for one in done.stdout.splitlines() if one.startswith(MARK)), "")
    if not line:
        raise SystemExit(f"{variant} failed:\n{done.stdout}{done.stderr}")
    return dict(json.loads(line.removeprefix(MARK)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", default="")
    parser.add_argument("--url", default="")
    parser.add_argument("--samples", type=int, default=20000)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, arguments.url, arguments.samples)
        return
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        text = ("An answer with some words in it. " * 60)[:REPLY]
        server = subprocess.Popen(
            [sys.executable, str(SERVER), "--port-file", str(port_file), "--constant", text],
            stdout=subprocess.DEVNULL,
        )
        try:
            while not port_file.exists() or not port_file.read_text().strip():
                time.sleep(0.05)
            url = f"http://127.0.0.1:{port_file.read_text().strip()}/v1"
            memory(url) if arguments.memory else cpu(url, arguments.samples, arguments.repeats)
        finally:
            server.terminate()
            server.wait()
            shutil.rmtree(folder, ignore_errors=True)


def cpu(url: str, samples: int, repeats: int) -> None:
    """CPU per sample as the slope between two sizes, so that imports and start do not count."""
    small = max(samples // 10, 100)
    rows: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(repeats):
        for variant in ("bare", "suite"):
            for size in (small, samples):
                rows.setdefault((variant, size), []).append(measure(variant, url, size))
    slopes: dict[str, float] = {}
    starts: dict[str, float] = {}
    for variant in ("bare", "suite"):
        median = {
            size: statistics.median(r["cpu_s"] for r in rows[variant, size]) for size in (small, samples)
        }
        slopes[variant] = (median[samples] - median[small]) / (samples - small) * 1e6
        starts[variant] = median[small] - slopes[variant] * small / 1e6
        print(
            f"{variant:6} {slopes[variant]:7.1f} us of CPU a sample; "
            f"{samples:,}: {median[samples]:.2f} s in all"
        )
    print(f"ratio to the bare client: {slopes['suite'] / slopes['bare']:.2f}")
    print(f"start beyond the bare client: {starts['suite'] - starts['bare']:.2f} s of CPU")
    whole = [statistics.median(r["cpu_s"] for r in rows[v, samples]) for v in ("suite", "bare")]
    print(f"ratio with start and imports at {samples:,}: {whole[0] / whole[1]:.2f}")
    journal = rows["suite", samples][0]["journal"]
    # one reply text serves all samples here, but each call records its own reply
    print(f"journal: {journal:.0f} bytes a sample, {journal / (PROMPT + REPLY):.2f} times prompt and reply")


def memory(url: str) -> None:
    """Peak memory at 2,000 and 200,000 samples."""
    small, large = measure("suite", url, 2_000), measure("suite", url, 200_000)
    print(f"2,000: {small['peak_mib']:.0f} MiB; 200,000: {large['peak_mib']:.0f} MiB")
    print(f"ratio: {large['peak_mib'] / small['peak_mib']:.2f}")


if __name__ == "__main__":
    main()
