"""CPU of `suite --help` and `suite tasks list` beyond a bare interpreter. Promise: 150 ms and 250 ms.

    python benchmarks/startup.py [--repeats N]

Runs each command and `python -c pass` in turn, N times, with what is installed here; prints the
smallest and the median CPU time (user and system, of the process alone) and the wall time beside it.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "suite --help": ["-m", "suite", "--help"],
    "suite tasks list": ["-m", "suite", "tasks", "list"],
    "suite plugin list": ["-m", "suite", "plugin", "list"],
}
PROMISES = {"suite --help": 0.150, "suite tasks list": 0.250}


class Took(NamedTuple):
    """Seconds of one command: CPU and wall."""

    cpu: float
    wall: float


def timed(arguments: list[str]) -> Took:
    """Run an interpreter with these arguments; CPU and wall time of that process."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Took(cpu, wall)


def main() -> int:
    """Print a table; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    found: dict[str, list[Took]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, arguments in COMMANDS.items():
            found[name].append(timed(arguments))
    bare = statistics.median(took.cpu for took in found["python -c pass"])
    broken = False
    print(f"{'command':18} {'CPU min':>9} {'median':>9} {'beyond':>9} {'wall':>9}   milliseconds")
    for name, all_took in found.items():
        cpu = sorted(took.cpu for took in all_took)
        beyond = statistics.median(cpu) - bare
        wall = statistics.median(took.wall for took in all_took)
        promise = PROMISES.get(name)
        broken = broken or (promise is not None and beyond > promise)
        note = "" if promise is None else f"  promised {promise * 1000:.0f}"
        numbers = (cpu[0], statistics.median(cpu), beyond, wall)
        print(f"{name:18} {' '.join(f'{one * 1000:9.0f}' for one in numbers)} {note}")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
