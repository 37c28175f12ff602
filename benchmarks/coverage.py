"""How often the intervals that the suite prints hold the truth, how wide they are, how often there is none.

    python benchmarks/coverage.py [--quick] [--repeats N] [--only FAMILY] [--markdown FILE]

Draws data with a known truth, computes every default with the very functions that make results.json and
`suite compare`, and beside it what else could have been printed. Then holds the defaults to the bar: coverage
never below 0.93, 0.99 at most on average over p = 0.02, 0.04 … 0.98 (above it only where few samples force
it), and 1.3 times the width of the narrowest method that covers 0.93. Ends within 20 minutes on 2 cores;
exits with 1 where a coverage is too low beyond the simulation's error. The worlds are in coverage_worlds.py.
"""

import argparse
import math
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent))  # last: another package is called coverage, too

from coverage_worlds import DEFAULT, Setting, families

LEAST = 0.93
MOST = 0.99
WIDEST = 1.3
LISTED = (0.05, 0.5, 0.95, 0.98)
GRID = tuple(round(0.02 * i, 2) for i in range(1, 50))


@dataclass(frozen=True)
class Measured:
    """One method in one setting at one p. n: data drawn; none: how often there is no interval."""

    n: int
    covered: int
    width: float
    none: int

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth; nan without any."""
        return self.covered / (self.n - self.none) if self.n > self.none else math.nan

    @property
    def error(self) -> float:
        """Three standard errors of the coverage at the bar."""
        return 3 * math.sqrt(LEAST * (1 - LEAST) / max(1, self.n - self.none))


def measure(setting: Setting, p: float, repeats: int) -> dict[str, Measured]:
    """Every method of one setting on the same data. The seed follows from the setting, so results repeat."""
    chance = np.random.default_rng([len(setting.name), *setting.name.encode(), round(1000 * p)])
    world = setting.at(p)
    found: dict[str, list[float]] = {name: [0, 0, 0.0] for name in world.methods}
    for _ in range(repeats):
        data = world.draw(chance)
        for name, method in world.methods.items():
            ends = method(data)
            one = found[name]
            if ends is None or ends[0] is None or ends[1] is None:
                one[0] += 1
                continue
            one[1] += ends[0] - 1e-9 <= world.truth(data) <= ends[1] + 1e-9
            one[2] += ends[1] - ends[0]
    return {
        name: Measured(repeats, int(covered), width / max(1, repeats - none), int(none))
        for name, (none, covered, width) in found.items()
    }


def ratio(listed: dict[float, dict[str, Measured]], p: float) -> float | None:
    """Width of the default at p over that of the narrowest method that covers; None where none does.

    A method covers if it does so at every p of the setting, since nobody knows p, and lacks no more
    intervals.
    """
    fit = [
        found.width
        for name, found in listed[p].items()
        if all(one[name].coverage >= LEAST and one[name].none <= one[DEFAULT].none for one in listed.values())
    ]
    least = min(fit, default=0.0)
    return listed[p][DEFAULT].width / least if least else None


@dataclass(frozen=True)
class Line:
    """What one setting came to. listed: by p; average: coverage over the grid, None if it was not asked."""

    family: str
    name: str
    few: bool
    may_lack: bool
    listed: dict[float, dict[str, Measured]]
    average: float | None

    def wide(self) -> list[float]:
        """Widths over those of the narrowest method that covers, where there is one."""
        found = (ratio(self.listed, p) for p in self.listed)
        return [one for one in found if one is not None]

    def faults(self) -> Iterator[str]:
        """Where the default misses the bar."""
        for p, found in self.listed.items():
            own = found[DEFAULT]
            where = f"{self.family}, {self.name}, p {p}"
            if own.coverage < LEAST - own.error:
                yield f"LOW {where}: coverage {own.coverage:.3f}"
            wide = ratio(self.listed, p)
            if wide is not None and wide > WIDEST and not self.few:
                yield f"WIDE {where}: {wide:.2f} times the narrowest that covers"
            if own.none and not self.may_lack:
                yield f"NONE {where}: {own.none / own.n:.0%} without an interval"
        if self.average is not None and self.average > MOST and not self.few:
            yield f"HIGH {self.family}, {self.name}: coverage {self.average:.3f} on average over p"


def _line(asked: tuple[str, int, int, bool]) -> Line:
    name, place, repeats, averaged = asked
    family = next(one for one in families() if one.name == name)
    setting = family.settings[place]
    count = max(20, round(repeats * setting.share))
    listed = {p: measure(setting, p, count) for p in setting.points or LISTED}
    average = None
    if averaged and not setting.points:
        each = [measure(setting.alone(), p, max(10, count // 12))[DEFAULT] for p in GRID]
        average = sum(one.covered for one in each) / max(1, sum(one.n - one.none for one in each))
    return Line(name, setting.name, setting.few, setting.may_lack, listed, average)


def simulate(only: str = "", repeats: int = 300, *, quick: bool = False, processes: int = 1) -> list[Line]:
    """All settings of all families (or of those that `only` begins). quick: the hardest, no averages."""
    asked = [
        (family.name, place, repeats, not quick)
        for family in families()
        if family.name.startswith(only)
        for place, setting in enumerate(family.settings)
        if setting.hard or not quick
    ]
    if processes == 1:
        return [_line(one) for one in asked]
    with multiprocessing.Pool(processes) as pool:
        return list(pool.imap(_line, asked, chunksize=1))


def table(lines: Sequence[Line]) -> Iterator[str]:
    """Markdown: a row a setting; of other methods the lowest coverage, and width over the default's."""
    heads = ("what", "setting", "lowest", "average over p", "none", "width over narrowest", "other methods")
    yield f"| {' | '.join(heads)} |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for line in lines:
        own = [found[DEFAULT] for found in line.listed.values()]
        wide = line.wide()
        others = []
        for name in next(iter(line.listed.values())):
            if name == DEFAULT:
                continue
            rows = [(found[name], found[DEFAULT]) for found in line.listed.values()]
            known = [(one, mine) for one, mine in rows if one.n > one.none]
            if known:
                least = min(one.coverage for one, _ in known)
                width = np.mean([one.width / mine.width for one, mine in known if mine.width])
                others.append(f"{name} {least:.2f} ({width:.2f})")
        yield (
            f"| {line.family} | {line.name} | {min(one.coverage for one in own):.3f} "
            f"| {'' if line.average is None else f'{line.average:.3f}'} "
            f"| {max(one.none / one.n for one in own):.2f} "
            f"| {f'{max(wide):.2f}' if wide else ''} | {'; '.join(others)} |"
        )


def summary(lines: Sequence[Line]) -> Iterator[str]:
    """Markdown: a row a family, with the lowest coverage of each method over its settings and shares."""
    heads = (
        "what",
        "settings",
        "average over p",
        "lowest",
        "none",
        "width over narrowest",
        "lowest of others",
    )
    yield f"| {' | '.join(heads)} |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for family in dict.fromkeys(line.family for line in lines):
        own = [line for line in lines if line.family == family]
        averages = [line.average for line in own if line.average is not None]
        wide = [one for line in own for one in line.wide()]
        cells = [found for line in own for found in line.listed.values()]
        lowest: dict[str, float] = {}
        for name, one in ((name, one) for found in cells for name, one in found.items() if one.n > one.none):
            lowest[name] = min(lowest.get(name, 1.0), one.coverage)
        held = f"{min(averages):.3f} to {max(averages):.3f}" if averages else ""
        none = max(found[DEFAULT].none / found[DEFAULT].n for found in cells)
        yield (
            f"| {family} | {len(own)} | {held} | {lowest.pop(DEFAULT):.2f} "
            f"| {none:.2f} | {f'{max(wide):.2f}' if wide else ''} "
            f"| {'; '.join(f'{name} {low:.2f}' for name, low in lowest.items())} |"
        )


def main() -> int:
    """Simulate, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    start = time.perf_counter()
    lines = simulate(asked.only, asked.repeats, quick=asked.quick, processes=asked.processes)
    print(*summary(lines), "", *table(lines), sep="\n")
    if asked.markdown:
        asked.markdown.write_text("\n".join(table(lines)) + "\n")
    faults = [fault for line in lines for fault in line.faults()]
    print("", *faults, f"{len(lines)} settings, {time.perf_counter() - start:.0f} s", sep="\n")
    return int(any(fault.startswith("LOW") for fault in faults))


if __name__ == "__main__":
    raise SystemExit(main())
