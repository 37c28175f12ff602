"""What the sandbox adds to a run: a warm sandbox against a bare subprocess, the same tiny program.

    python benchmarks/sandbox.py [--runs 60]

Both start the same Python on `pass`, one after another, in turn, so that a busy machine hits both alike.
Reported: median milliseconds of each, and the median of the differences; the promise is at most 15 ms.
Exit code 1 if it is broken.
"""

import argparse
import asyncio
import statistics
import sys
import time

from suite.sandbox import Limits, Program, open_sandbox

PROMISE_MS = 15.0
CODE = "pass"


async def bare() -> float:
    """Milliseconds of a bare subprocess."""
    start = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", CODE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    await process.communicate()
    return 1000 * (time.perf_counter() - start)


async def measure(runs: int) -> tuple[float, float, float]:
    """Medians: (bare, sandboxed, difference), in milliseconds."""
    sandbox = await open_sandbox(workers=1)
    program, limits = Program((sys.executable, "-I", "-c", CODE)), Limits()
    pairs = []
    try:
        for turn in range(runs + 5):
            plain = await bare()
            start = time.perf_counter()
            result = await sandbox.run(program, limits)
            contained = 1000 * (time.perf_counter() - start)
            if not result.ok:
                raise SystemExit(f"the program failed: {result}")
            if turn >= 5:  # warm
                pairs.append((plain, contained))
    finally:
        await sandbox.close()
    return (
        statistics.median(one for one, _ in pairs),
        statistics.median(one for _, one in pairs),
        statistics.median(contained - plain for plain, contained in pairs),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Overhead of a warm sandbox over a bare subprocess")
    parser.add_argument("--runs", type=int, default=60)
    plain, contained, added = asyncio.run(measure(parser.parse_args().runs))
    print(
        f"bare {plain:.1f} ms, sandboxed {contained:.1f} ms, added {added:.1f} ms (promise: {PROMISE_MS:g})"
    )
    sys.exit(added > PROMISE_MS)


if __name__ == "__main__":
    main()
