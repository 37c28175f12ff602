"""Figures that want a GPU, in at most six minutes, the most important one first; each is written at once.

    python benchmarks/gpu.py --model FOLDER [--reward FOLDER] [--out FOLDER] [--size cpu|gpu] [--seconds 360]
        [-o name=value]

SUITE_VLLM_PYTHON names vLLM's interpreter (with pandas, which vLLM's benchmark client reads its requests
with; SUITE_BENCH_PATH names a folder that has it). FOLDER holds a chat model; without weights, give
`-o load_format=dummy`. Figures go to OUT/figures.jsonl, logs beside it:

1. throughput: new tokens a second by `suite eval` and by `vllm bench serve`, in turn, on the same requests to
   the same server, which the suite starts without prefix caching. Goal: 0.95 of vLLM's client.
2. sweep: prompt tokens computed in a PrefEval sweep, by one `suite eval` and by one a cell, on a server whose
   cache holds 20,000 tokens, less than three of the longest conversations. Goal: 2.8 times fewer.
3. reward: pairs a second through pooling beside vLLM's offline API (`benchmarks/reward.py`).
4. command: seconds until `suite eval` has started a server of its own, asked it and stopped it.

A part that fails or has no time left says so in its line; the others go on.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from gpu_task import prompts  # noqa: E402

from suite.chat import Json  # noqa: E402
from suite.errors import EngineError  # noqa: E402
from suite.journal.run import Run  # noqa: E402
from suite.models.devices import nvidia  # noqa: E402
from suite.models.engine import Surroundings  # noqa: E402
from suite.models.spec import parse_spec  # noqa: E402
from suite.models.vllm import VLLMEngine, provider  # noqa: E402
from suite.models.vllm_command import find_vllm  # noqa: E402

BENCH = """
import argparse, sys
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""
CACHE_TOKENS, BLOCK = 20_000, {"cpu": 32, "gpu": 16}
TURNS, METHODS = (0, 3, 8, 18), ("zero-shot", "remind")


class Size(NamedTuple):
    """How much is asked. rounds: of the throughput, each with requests of its own. items: PrefEval's."""

    requests: int
    words: int
    tokens: int
    at_once: int
    rounds: int
    items: int
    pairs: int


SIZES = {"cpu": Size(24, 60, 32, 8, 2, 6, 6), "gpu": Size(2048, 250, 128, 256, 3, 47, 256)}


class Server(NamedTuple):
    """A server that the suite started. options: of a command that attaches to it."""

    root: str
    key: str
    name: str

    @property
    def options(self) -> list[str]:
        return ["-o", f"url={self.root}", "-o", "api_key_env=BENCH_KEY"]

    @property
    def env(self) -> dict[str, str]:
        return {"BENCH_KEY": self.key, "OPENAI_API_KEY": self.key}


class Measurement:
    """What was asked for, and where figures go."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.size = given, SIZES[given.size]
        self.out = Path(given.out).resolve()
        self.out.mkdir(parents=True, exist_ok=True)
        self.ends = time.monotonic() + given.seconds
        self.python = os.environ.get("SUITE_VLLM_PYTHON") or sys.executable
        self.model = str(Path(given.model).resolve())
        usual = {"cpu": {"dtype": "float32", "enforce_eager": "true", "block_size": "32"}, "gpu": {}}
        own = [text.partition("=")[::2] for text in given.options]
        self.options: dict[str, str] = {"max_model_len": "8192", **usual[given.size], **dict(own)}
        self.server_env = {"VLLM_SERVER_DEV_MODE": "1"}  # for /reset_prefix_cache
        if given.size == "cpu":
            self.server_env["VLLM_CPU_KVCACHE_SPACE"] = "1"

    def write(self, name: str, figures: Mapping[str, Json]) -> None:
        """One line, at once, to the file and the terminal."""
        line = without_places(json.dumps({"part": name, "size": self.given.size, **figures}))
        print(line, flush=True)
        with (self.out / "figures.jsonl").open("a") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    async def run(self, name: str, command: Sequence[str], env: Mapping[str, str] = {}) -> float:
        """Run a command with its output in a log; seconds. Raises RuntimeError with the end of the log."""
        log, started = self.out / f"{name}.log", time.monotonic()
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **env},
            )
            try:
                code = await asyncio.wait_for(process.wait(), max(self.ends - started, 1.0))
            except BaseException:
                process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 5.0)
                if process.returncode is None:
                    process.kill()
                raise
        if code:
            raise RuntimeError(f"{name} ended with {code}: {log.read_text(errors='replace')[-600:]}")
        return time.monotonic() - started

    async def evaluate(self, name: str, words: Sequence[str], server: Server | None = None) -> Run:
        """`suite eval` in a process of its own."""
        folder = self.out / "runs" / name
        command = [sys.executable, "-m", "suite", "eval", *words, "--output", str(folder), "--no-cache"]
        command += ["--quiet", "--model", f"vllm/{server.name if server else self.model}"]
        await self.run(name, command + (server.options if server else []), server.env if server else {})
        return Run(folder)

    @asynccontextmanager
    async def serving(self, name: str, **options: str) -> AsyncIterator[Server]:
        """A server of the suite's own provider."""
        given = {**self.options, **options, "env": json.dumps(self.server_env)}
        engine = provider.engine(parse_spec(f"vllm/{self.model}", given.items()))
        assert isinstance(engine, VLLMEngine)
        started = time.monotonic()
        await engine.start(Surroundings(logs=self.out / name, say=print))
        print(f"{name}: server ready after {time.monotonic() - started:.0f} s", flush=True)
        try:
            yield Server(engine._root, engine._key, engine._served)
        finally:
            await engine.close()


def forget(server: Server) -> None:
    """Empty the server's prefix cache."""
    headers = {"Authorization": f"Bearer {server.key}"}
    request = urllib.request.Request(f"{server.root}/reset_prefix_cache", b"", headers)
    urllib.request.urlopen(request, timeout=30).close()


async def throughput(bench: Measurement) -> dict[str, Json]:
    """New tokens a second while requests are under way, without either client's start."""
    size, ours, theirs, same = bench.size, list[float](), list[float](), list[int]()
    async with bench.serving("throughput", enable_prefix_caching="false") as server:
        for number in range(size.rounds + 1):  # the first warms up
            file = bench.out / f"requests-{number}.jsonl"
            asked = prompts(size.requests if number else size.at_once, size.words, number)
            lines = [json.dumps({"prompt": one}) for one in asked]
            file.write_text("".join(f"{line}\n" for line in lines))
            found: dict[str, tuple[float, int]] = {}
            for side in ("suite", "vllm") if number % 2 else ("vllm", "suite"):
                name = f"{side}-{number}"
                found[side] = (
                    await suite_round(bench, server, name, number, len(lines))
                    if side == "suite"
                    else await vllm_round(bench, server, name, file, len(lines))
                )
            if number:
                ours.append(found["suite"][0])
                theirs.append(found["vllm"][0])
                same.append(found["suite"][1] - found["vllm"][1])
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "goal": 0.95,
        "suite_tokens_per_s": [round(one, 1) for one in ours],
        "vllm_tokens_per_s": [round(one, 1) for one in theirs],
        "tokens_more_than_vllm": list(same),
        "requests": size.requests,
        "at_once": size.at_once,
    }


async def suite_round(
    bench: Measurement, server: Server, name: str, number: int, count: int
) -> tuple[float, int]:
    """(New tokens a second, new tokens) of `suite eval`, by its journal."""
    size = bench.size
    given = {"count": count, "words": size.words, "tokens": size.tokens, "round": number}
    words = ["--task", str(HERE / "gpu_task.py"), "--concurrency", str(size.at_once)]
    words += [word for key, value in given.items() for word in ("-P", f"{key}={value}")]
    calls = list((await bench.evaluate(name, words, server)).journal.calls)
    tokens = sum(one.reply.usage.completion for one in calls)
    return tokens / (max(one.times[1] for one in calls) - min(one.times[0] for one in calls)), tokens


async def vllm_round(
    bench: Measurement, server: Server, name: str, file: Path, count: int
) -> tuple[float, int]:
    """The same of vLLM's benchmark client, by its own account."""
    size, result = bench.size, bench.out / f"{name}.json"
    given = {
        "backend": "openai-chat", "base-url": server.root, "endpoint": "/v1/chat/completions",
        "model": server.name, "tokenizer": bench.model, "dataset-name": "custom", "dataset-path": str(file),
        "custom-output-len": size.tokens, "num-prompts": count, "max-concurrency": size.at_once,
        "temperature": "0", "result-dir": str(bench.out), "result-filename": result.name,
    }  # fmt: skip
    command = [bench.python, "-c", BENCH, "--skip-chat-template", "--disable-shuffle", "--save-result"]
    command += [
        "--disable-tqdm",
        *(word for key, value in given.items() for word in (f"--{key}", str(value))),
    ]
    path = os.environ.get("SUITE_BENCH_PATH", "")
    await bench.run(name, command, {**server.env, "PYTHONPATH": path})
    said = json.loads(result.read_text())
    if said["completed"] != count:
        raise RuntimeError(f"vLLM's client completed {said['completed']} of {count} requests")
    return float(said["output_throughput"]), int(said["total_output_tokens"])


async def sweep(bench: Measurement) -> dict[str, Json]:
    """Prompt tokens that were not in the prefix cache, in one run and in a run a cell."""
    size, block = bench.size, BLOCK[bench.given.size]
    words = [
        "--task",
        str(HERE / "gpu_prefeval.py"),
        "--mini",
        "--limit",
        str(size.items),
        "--concurrency",
        "8",
    ]
    words += ["-P", "prefill=true", "-P", "max_tokens=1"]
    found: dict[str, Json] = {}
    computed: dict[str, int] = {}
    async with bench.serving("sweep", num_gpu_blocks_override=str(CACHE_TOKENS // block)) as server:
        for side in ("sweep", "cells"):
            forget(server)
            runs, started = list[Run](), time.monotonic()
            if side == "sweep":
                both = ["-P", f"inter_turns={','.join(map(str, TURNS))}", "-P", f"method={','.join(METHODS)}"]
                runs.append(await bench.evaluate("sweep", words + both, server))
            else:
                for turns in TURNS:
                    for method in METHODS:
                        one = ["-P", f"inter_turns={turns}", "-P", f"method={method}"]
                        runs.append(await bench.evaluate(f"cell-{turns}-{method}", words + one, server))
            calls = [one for run in runs for one in run.journal.calls]
            computed[side] = sum(one.reply.usage.prompt - one.reply.usage.cached for one in calls)
            found[side] = {
                "calls": len(calls),
                "computed": computed[side],
                "cached": sum(one.reply.usage.cached for one in calls),
                "asked_s": round(sum(span(run) for run in runs), 2),
            }
            print(f"{side}: {found[side]}, {time.monotonic() - started:.1f} s", flush=True)
    return {"ratio": round(computed["cells"] / computed["sweep"], 2), "goal": 2.8, **found}


def span(run: Run) -> float:
    """Seconds from the first request of a run to its last reply."""
    times = [one.times for one in run.journal.calls]
    return max(end for _, end in times) - min(start for start, _ in times)


async def reward(bench: Measurement) -> dict[str, Json]:
    """`benchmarks/reward.py`, whose servers share the GPU."""
    if not bench.given.reward:
        return {"skipped": "no --reward"}
    given = {**bench.options, "max_model_len": "2048"}
    given.pop("block_size", None)
    if bench.given.size == "gpu":
        given["gpu_memory_utilization"] = "0.3"
    command = [sys.executable, str(HERE / "reward.py"), "--model", bench.given.reward]
    command += [word for name, value in given.items() for word in ("-o", f"{name}={value}")]
    command += ["--pairs", str(bench.size.pairs), "--rounds", "2" if bench.given.size == "cpu" else "5"]
    command += ["--kv-gib", "1" if bench.given.size == "cpu" else ""]
    await bench.run("reward", command, {"SUITE_VLLM_PYTHON": bench.python})
    said = (bench.out / "reward.log").read_text(errors="replace")
    return dict(json.loads(said[said.rindex("\n{\n") if "\n{\n" in said else said.index("{") :]))


async def command(bench: Measurement) -> dict[str, Json]:
    """`suite eval` with a server of its own, from its start to its end."""
    words = ["--task", "prefeval/classification", "--mini", "--preset", "mini"]
    given = {**bench.options, "env": json.dumps(bench.server_env)}
    words += [word for name, value in given.items() for word in ("-o", f"{name}={value}")]
    started = time.monotonic()
    run = await bench.evaluate("command", words)
    return {
        "seconds": round(time.monotonic() - started, 1),
        "asked_s": round(span(run), 2),
        "calls": len(list(run.journal.calls)),
        "complete": run.results.complete,
    }


PARTS: Mapping[str, Callable[[Measurement], Awaitable[dict[str, Json]]]] = {
    "throughput": throughput,
    "sweep": sweep,
    "reward": reward,
    "command": command,
}


def refusals(given: argparse.Namespace) -> list[str]:
    """What would fail late: of parts, folders and vLLM's interpreter."""
    parts = given.parts.split(",")
    found = [f"--parts: {one!r} is none of {', '.join(PARTS)}" for one in parts if one not in PARTS]
    folders = {"--model": given.model, **({"--reward": given.reward} if given.reward else {})}
    for flag, folder in folders.items():
        if not (Path(folder) / "config.json").is_file():
            found.append(f"{flag}: no config.json in {folder}")
    if given.seconds <= 0:
        found.append(f"--seconds: {given.seconds:g} is not above 0")
    try:
        find_vllm()
    except EngineError as error:
        found.append(f"SUITE_VLLM_PYTHON: {error}")
    return found


def without_places(text: str) -> str:
    """A text whose absolute paths are their last parts: figures are published."""
    return re.sub(r"(?:(?<![\w.:/])|(?<=\\[nt]))/(?:[^\s\"',:;()\\/]+/)+([^\s\"',:;()\\/]*)", r"\1", text)


async def measure(bench: Measurement) -> None:
    """One part after the other, as far as the time goes."""
    gpus: list[Json] = [", ".join(one) for one in nvidia("name", "memory.total")]
    bench.write("machine", {"gpus": gpus, "cpus": os.cpu_count(), "options": dict(bench.options)})
    for name in bench.given.parts.split(","):
        started = time.monotonic()
        try:
            async with asyncio.timeout(bench.ends - started):
                figures = await PARTS[name](bench)
        except Exception as error:  # whatever it is, the other parts go on
            figures = {"failed": f"{type(error).__name__}: {error}"[:1500]}
        bench.write(name, {**figures, "took_s": round(time.monotonic() - started, 1)})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="folder of a chat model")
    parser.add_argument("--reward", default="", help="folder of a reward model")
    parser.add_argument("--out", default="gpu-figures", help="where figures and logs go")
    parser.add_argument("--size", choices=SIZES, default="gpu", help="how much is asked: cpu is a trial")
    parser.add_argument("--seconds", type=float, default=360.0, help="for all parts (default: 360)")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {','.join(PARTS)}, by commas, in order")
    parser.add_argument("-o", dest="options", action="append", default=[], help="an option of vLLM's")
    given = parser.parse_args()
    if wrong := refusals(given):
        parser.error("\n  ".join(wrong))
    asyncio.run(measure(Measurement(given)))


if __name__ == "__main__":
    main()
