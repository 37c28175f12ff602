"""All checks of a full Big run, 34,200 verifier calls, by batches of files through ruff.

    python benchmarks/verifiers.py [--problems 1140] [--single 100]

Programs differ from call to call, as a model's do. --single also times so many checks one call each and
compares their verdicts with those of the batch. The promise for the whole run is 20 s on two cores; exit
code 1 if it is broken or a verdict differs.
"""

import argparse
import random
import sys
import time

from suite_vibechecker.vericode import Item, check, check_many, instructions, open_linter

PROMISE_S = 20.0
FULL = 1140
PROGRAM = """
import json
from collections import Counter


def task_{n}(path, key="name", limit=10):
    # count values
    result = {{}}
    with open(path, "r") as file:
        data = json.load(file)
    values = []
    for row in data:
        if row.get(key) != None and len(row) > 2:
            values.append(row[key])
    for value in values:
        if value in result:
            result[value] += 1
        else:
            result[value] = 1
    if len(result) > limit:
        raise ValueError("there are more values than the limit of %d allows" % limit)
    return {{"counts": Counter(values), "total": sum(result.values())}}
"""


def items(problems: int) -> list[Item]:
    """The checks of all cells: k = 1 to 5 in two protocols, k instructions each."""
    rng = random.Random(0)
    rows = list(instructions().values())
    found = []
    for problem in range(problems):
        chosen = [(row.id, row.defaults()) for row in rng.sample(rows, 5)]
        for k in range(1, 6):
            for protocol in range(2):
                code = PROGRAM.format(n=f"{problem}_{k}_{protocol}")
                found += [Item(code, code, *one, mode="strict") for one in chosen[:k]]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time of all checks of a full Big run")
    parser.add_argument("--problems", type=int, default=FULL)
    parser.add_argument("--single", type=int, default=100)
    options = parser.parse_args()
    linter = open_linter()
    batch = items(options.problems)
    start = time.perf_counter()
    verdicts = check_many(batch, linter=linter)
    seconds = time.perf_counter() - start
    print(f"{len(batch)} checks in {seconds:.1f} s (promise for {30 * FULL}: {PROMISE_S:g} s)")
    broken = seconds > PROMISE_S * len(batch) / (30 * FULL)
    picked = random.Random(1).sample(range(len(batch)), min(options.single, len(batch)))
    start = time.perf_counter()
    alone = [
        check(one.code, one.response, one.instruction, one.parameters, one.mode, linter=linter)
        for one in (batch[place] for place in picked)
    ]
    seconds = time.perf_counter() - start
    differ = sum(one != verdicts[place] for one, place in zip(alone, picked, strict=True))
    print(f"{len(picked)} checks one call each in {seconds:.1f} s; {differ} verdicts differ")
    sys.exit(broken or differ > 0)


if __name__ == "__main__":
    main()
