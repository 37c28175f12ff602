"""Pairs a second through the suite's vLLM provider, against vLLM's own offline API on the same texts.

    python benchmarks/reward.py --model FOLDER [--pairs 24] [--words 300] [--rounds 3] [-o name=value]

FOLDER holds a sequence classifier with a chat template; SUITE_VLLM_PYTHON names vLLM's interpreter. Each
side loads the model once, in turn, and scores the same pairs for some rounds; every round has references of
its own, so that no prefix cache of an earlier round helps. Reported: pairs a second (median over rounds),
their ratio, the largest difference of scores, and the server's prefix cache hits. Ratios on a busy machine
vary: the sides do not run at the same time.
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
from typing import Any

from suite.chat import Request, user
from suite.models.base import Asking, Surroundings
from suite.models.spec import parse_spec
from suite.models.vllm import provider

IN_FLIGHT = 64  # pairs the suite may have open at once
MARK = "RESULT "

OFFLINE = """
import json, sys, time
from vllm import LLM, PoolingParams
given = json.loads(open(sys.argv[1], encoding="utf-8").read())
llm = LLM(given["model"], runner="pooling", **given["options"])
words = llm.get_tokenizer()
def texts(pairs):
    for prompt, *answers in pairs:
        for answer in answers:
            talk = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            yield {"prompt_token_ids": words.apply_chat_template(talk, tokenize=True, return_dict=False)}
raw = PoolingParams(use_activation=False)
llm.classify(list(texts(given["warm"])), pooling_params=raw, use_tqdm=False)
found = []
for pairs in given["rounds"]:
    start = time.perf_counter()
    done = llm.classify(list(texts(pairs)), pooling_params=raw, use_tqdm=False)
    found.append([time.perf_counter() - start, [one.outputs.probs[0] for one in done]])
print("RESULT " + json.dumps(found))
"""

Pair = tuple[str, str, str]
Round = tuple[float, list[float]]  # seconds, scores in order


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


def offline(python: str, given: dict[str, Any]) -> list[Round]:
    """vLLM's LLM.classify in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "given.json"
        path.write_text(json.dumps(given), "utf-8")
        env = {**os.environ, "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", **given["env"]}
        done = subprocess.run(
            [python, "-c", OFFLINE, str(path)], env=env, capture_output=True, text=True, check=False
        )
    line = next((line for line in done.stdout.splitlines() if line.startswith(MARK)), None)
    if line is None:
        sys.exit(f"the offline side failed:\n{done.stderr[-3000:]}")
    return [(seconds, scores) for seconds, scores in json.loads(line.removeprefix(MARK))]


async def served(given: dict[str, Any]) -> tuple[list[Round], dict[str, float]]:
    """The suite's provider: a server of its own, both answers of a pair in one request."""
    options = {**given["options"], "env": given["env"], "runner": "pooling"}
    engine = provider.engine(
        parse_spec(f"vllm/{given['model']}", [(name, json.dumps(one)) for name, one in options.items()])
    )
    await engine.start(Surroundings(wants=frozenset({"rate"})))
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(pair: Pair) -> list[float]:
        prompt, *answers = pair
        async with gate:
            reply = await engine.call(Request("rate", (user(prompt),), texts=tuple(answers)), Asking())
        if None in reply.scores:
            sys.exit(f"a pair was not scored: {reply.details}")
        return [score for score in reply.scores if score is not None]

    try:
        await asyncio.gather(*(one(pair) for pair in given["warm"]))
        before = dict(engine.counters())
        found: list[Round] = []
        for pairs in given["rounds"]:
            start = time.perf_counter()
            scores = await asyncio.gather(*(one(pair) for pair in pairs))
            found.append((time.perf_counter() - start, [score for pair in scores for score in pair]))
        after = engine.counters()
        return found, {name: after[name] - before.get(name, 0.0) for name in after}
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
    options: dict[str, Any] = {}
    for text in asked.options:
        name, _, value = text.partition("=")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    rounds = [make_pairs(asked.pairs, asked.words, seed) for seed in range(1, asked.rounds + 1)]
    given = {
        "model": str(asked.model.resolve()),
        "options": options,
        "env": {"VLLM_CPU_KVCACHE_SPACE": asked.kv_gib} if asked.kv_gib else {},
        "warm": make_pairs(4, asked.words, 0),
        "rounds": rounds,
    }
    python = os.environ.get("SUITE_VLLM_PYTHON") or sys.executable
    ours, counters = asyncio.run(served(given))
    theirs = offline(python, given)
    rates = [statistics.median(asked.pairs / seconds for seconds, _ in side) for side in (ours, theirs)]
    apart = max(
        abs(a - b) for one, two in zip(ours, theirs, strict=True) for a, b in zip(one[1], two[1], strict=True)
    )
    print(
        json.dumps(
            {
                "pairs_per_second": {"suite": round(rates[0], 3), "offline": round(rates[1], 3)},
                "ratio": round(rates[0] / rates[1], 3),
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
