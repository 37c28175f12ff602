"""How long `suite view` takes from its start to the first answered page. Promise: 1 s with 200 runs.

    python benchmarks/view.py RUN [--runs N] [--repeats N]

RUN is copied N times into a folder of its own, without reports and logs. Prints CPU and wall time of the
start and the first page, and how long the list takes once more while nothing has changed.
"""

import argparse
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PROMISED_S = 1.0


def cpu() -> float:
    """Seconds of all processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def first_page(folder: Path) -> tuple[float, float, float]:
    """(CPU, wall time to the first page, wall time of a second one)."""
    before, began = cpu(), time.perf_counter()
    command = [sys.executable, "-m", "suite", "view", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[0]
        urllib.request.urlopen(address).read()
        first = time.perf_counter()
        urllib.request.urlopen(address).read()
        again = time.perf_counter()
        server.send_signal(signal.SIGINT)
    return cpu() - before, first - began, again - first


def main() -> int:
    """Print a table; 1 if the CPU alone breaks the promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(given.runs):
            left = shutil.ignore_patterns("report*", "logs")
            shutil.copytree(given.run, Path(scratch) / f"run-{number:04}", ignore=left)
        took = [first_page(Path(scratch)) for _ in range(given.repeats)]
    for used, wall, again in took:
        print(
            f"{given.runs} runs: CPU {used:.2f} s, first page after {wall:.2f} s, again {1000 * again:.0f} ms"
        )
    return 1 if min(used for used, _, _ in took) > PROMISED_S else 0


if __name__ == "__main__":
    sys.exit(main())
