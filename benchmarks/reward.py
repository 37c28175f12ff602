"""Pairs a second through the suite's vLLM provider, against vLLM's own offline API on the same texts.

    python benchmarks/reward.py --model FOLDER [--pairs 24] [--words 300] [--rounds 3] [-o name=value]

FOLDER holds a sequence classifier with a chat template; SUITE_VLLM_PYTHON names vLLM's interpreter. Both
sides load the model and then take turns, round by round, on the same pairs; every round has references of its
own, so that no prefix cache of an earlier round helps. Reported: pairs a second (median over rounds), the
median of the rounds' ratios, the largest difference of scores, and the server's prefix cache hits. On a GPU
both must fit: -o gpu_memory_utilization=0.4 --kv-gib "".
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TypedDict

from suite.chat import Json, Request, user
from suite.models.engine import Asking, Engine, Surroundings
from suite.models.spec import parse_spec
from suite.models.vllm import provider

IN_FLIGHT = 64  # pairs the suite may have open at once
MARK = "RESULT "

OFFLINE = """
import json, sys, time
from vllm import LLM, PoolingParams
given = json.loads(sys.stdin.readline())
llm = LLM(given["model"], runner="pooling", **given["options"])
words = llm.get_tokenizer()
def texts(pairs):
    for prompt, *answers in pairs:
        for answer in answers:
            talk = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            yield {"prompt_token_ids": words.apply_chat_template(talk, tokenize=True, return_dict=False)}
raw = PoolingParams(use_activation=False)
print("RESULT ready", flush=True)
for line in sys.stdin:
    pairs = json.loads(line)
    start = time.perf_counter()
    done = llm.classify(list(texts(pairs)), pooling_params=raw, use_tqdm=False)
    found = [time.perf_counter() - start, [one.outputs.probs[0] for one in done]]
    print("RESULT " + json.dumps(found), flush=True)
"""

Pair = tuple[str, str, str]
Round = tuple[float, list[float]]  # seconds, scores in order


class Given(TypedDict):
    """What both sides are given. warm: pairs that do not count. rounds: those of each round."""

    model: str
    options: dict[str, Json]
    env: dict[str, str]
    warm: list[Pair]
    rounds: list[list[Pair]]


def make_pairs(count: int, words: int, seed: int) -> list[Pair]:
    """Pairs whose prompt is long and whose answers are short, as in retrieval-augmented answering."""
    chance = random.Random(seed)
    stock = [
        "hall",
        "opens",
        "nine",
        "ships",
        "leave",
        "quay",
        "near",
        "old",
        "town",
        "walls",
        "since",
        "winter",
    ]
    found = []
    for i in range(count):
        text = " ".join(chance.choices(stock, k=words))
        prompt = (
            f"## References\n\nReference [1] Text {seed}-{i}: {text}\n\n## Question\n\nWhen does it open?"
        )
        found.append((prompt, "It opens at nine, by reference [1].", "I think it probably opens at noon."))
    return found


class Offline:
    """vLLM's LLM.classify in a process of its own."""

    def __init__(self, python: str, given: Given, log: Path) -> None:
        env = {**os.environ, "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", **given["env"]}
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [python, "-c", OFFLINE],
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._say({"model": given["model"], "options": given["options"]})
        self._hear()

    def _say(self, value: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(MARK):
                return line.removeprefix(MARK)
        sys.exit(f"the offline side failed:\n{self._log.read_text('utf-8', 'replace')[-3000:]}")

    def round(self, pairs: list[Pair]) -> Round:
        """Score pairs; seconds without loading."""
        self._say(pairs)
        seconds, scores = json.loads(self._hear())
        return seconds, scores

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()


async def served_round(engine: Engine, pairs: list[Pair]) -> Round:
    """Score pairs through the suite's provider, both answers of a pair in one request."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(pair: Pair) -> list[float]:
        prompt, *answers = pair
        async with gate:
            reply = await engine.call(Request("rate", (user(prompt),), texts=tuple(answers)), Asking())
        if None in reply.scores:
            sys.exit(f"a pair was not scored: {reply.details}")
        return [score for score in reply.scores if score is not None]

    start = time.perf_counter()
    scores = await asyncio.gather(*(one(pair) for pair in pairs))
    return time.perf_counter() - start, [score for pair in scores for score in pair]


async def measure(given: Given, python: str, log: Path) -> tuple[list[Round], list[Round], dict[str, float]]:
    """Rounds of both sides in turn, and the counters of ours."""
    options = {**given["options"], "env": given["env"], "runner": "pooling"}
    engine = provider.engine(
        parse_spec(f"vllm/{given['model']}", [(name, json.dumps(one)) for name, one in options.items()])
    )
    ours: list[Round] = []
    theirs: list[Round] = []
    await engine.start(Surroundings(wants=frozenset({"rate"})))
    try:
        offline = await asyncio.to_thread(Offline, python, given, log)
        try:
            await served_round(engine, given["warm"])
            await asyncio.to_thread(offline.round, given["warm"])
            before = dict(await asyncio.to_thread(engine.counters))
            for place, pairs in enumerate(given["rounds"]):
                if place % 2:
                    theirs.append(await asyncio.to_thread(offline.round, pairs))
                ours.append(await served_round(engine, pairs))
                if not place % 2:
                    theirs.append(await asyncio.to_thread(offline.round, pairs))
            after = await asyncio.to_thread(engine.counters)
            return ours, theirs, {name: after[name] - before.get(name, 0.0) for name in after}
        finally:
            await asyncio.to_thread(offline.close)
    finally:
        await engine.close()


def main() -> None:
    """Measure both sides and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of a classifier")
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--words", type=int, default=300, help="words of references in a prompt")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", dest="options", action="append", default=[], help="an option of vLLM, for both")
    parser.add_argument("--kv-gib", default="1", help="VLLM_CPU_KVCACHE_SPACE; empty on a GPU")
    asked = parser.parse_args()
    options: dict[str, Json] = {}
    for text in asked.options:
        name, _, value = text.partition("=")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    rounds = [make_pairs(asked.pairs, asked.words, seed) for seed in range(1, asked.rounds + 1)]
    given: Given = {
        "model": str(asked.model.resolve()),
        "options": options,
        "env": {"VLLM_CPU_KVCACHE_SPACE": asked.kv_gib} if asked.kv_gib else {},
        "warm": make_pairs(4, asked.words, 0),
        "rounds": rounds,
    }
    python = os.environ.get("SUITE_VLLM_PYTHON") or sys.executable
    with tempfile.TemporaryDirectory() as scratch:
        ours, theirs, counters = asyncio.run(measure(given, python, Path(scratch) / "offline.log"))
    rates = [statistics.median(asked.pairs / seconds for seconds, _ in side) for side in (ours, theirs)]
    ratio = statistics.median(two[0] / one[0] for one, two in zip(ours, theirs, strict=True))
    apart = max(
        abs(a - b) for one, two in zip(ours, theirs, strict=True) for a, b in zip(one[1], two[1], strict=True)
    )
    print(
        json.dumps(
            {
                "pairs_per_second": {"suite": round(rates[0], 3), "offline": round(rates[1], 3)},
                "ratio": round(ratio, 3),
                "rounds_s": {
                    "suite": [round(seconds, 2) for seconds, _ in ours],
                    "offline": [round(seconds, 2) for seconds, _ in theirs],
                },
                "largest_difference_of_scores": apart,
                "prefix_cache": counters,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
