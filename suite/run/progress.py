"""What somebody who waits sees: a live view on a terminal, plain lines elsewhere, on stderr.

Rate, time left, cost, retries, what is under way and what it waits for, and the headline of each cell so far
with an approximate interval. No line of the live view is wider than the terminal, and none is cut.
"""

import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

from suite.journal.records import OutputRecord, ScoreRecord
from suite.parameters import distinguishing
from suite.roles import Stage
from suite.run.cells import Cell, by_task
from suite.run.seats import MemberCost
from suite.scoring.headline import RunningHeadline
from suite.scoring.stats.estimate import Estimate

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

LINE_EVERY_S = 10.0
LONGEST_SILENCE_S = 60.0
REFRESH_PER_S = 4
MOST_CELLS = 8
MOST_IN_LINE = 2


class ProgressView(Protocol):
    """Where progress goes instead of the terminal; called on the run's thread."""

    def show(self, line: str) -> None:
        """How far the run is, each second: in place of the line before."""

    def say(self, line: str) -> None:
        """A line that stays."""


@dataclass(frozen=True)
class LiveProgress:
    """How far a run is. done, pending: samples over all cells and trials that are through, in earlier starts
    too, or could not be. headlines: of each cell, over the samples scored since this start; approximate."""

    done: int = 0
    pending: int = 0
    headlines: Mapping[str, Estimate] = field(default_factory=dict)


# Who is called each second, on the run's thread, with what tells how far it is; it must return at once
Watcher = Callable[[Callable[[], LiveProgress]], None]


@dataclass(eq=False)
class Progress:
    """Counts what happens and shows it. quiet: count only. view: who shows it, the terminal by default.
    watcher: who follows it beside."""

    cells: Sequence[Cell]
    works: int
    stages: Sequence[Stage]
    _: KW_ONLY
    quiet: bool = False
    file: TextIO = field(default_factory=lambda: sys.stderr)
    view: ProgressView | None = None
    watcher: Watcher | None = None

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, str] = {}  # kind of failure -> what the first of them said
        self.new = 0
        self._started = time.monotonic()
        self._live: Live | None = None
        self._next = self._started + LINE_EVERY_S
        self._every = LINE_EVERY_S
        self.tallies: Callable[[], Mapping[str, MemberCost]] = dict
        self._waits: Callable[[], list[str]] = list
        self._told = {task: distinguishing(some) for task, some in by_task(self.cells).items()}
        self._headlines = {
            cell.id: RunningHeadline(cell.task.metrics, cell.task.info.headline) for cell in self.cells
        }

    def __enter__(self) -> "Progress":
        if not self.quiet and self.view is None and self.file.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self.file)
            self._live = Live(
                console=console, refresh_per_second=REFRESH_PER_S, transient=True,
                get_renderable=lambda: self, redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.watcher is not None:
            self.watcher(self.live)
        if self._live is not None:
            self._live.stop()
            self._live = None

    def watch(self, tallies: Callable[[], Mapping[str, MemberCost]], waits: Callable[[], list[str]]) -> None:
        """Where the counts of calls are, and what is under way and being waited for."""
        self.tallies = tallies
        self._waits = waits

    def say(self, line: str) -> None:
        """One line for the person who waits."""
        if not self.quiet:
            self.warn(line)

    def warn(self, line: str) -> None:
        """One line that changes what the numbers mean: shown though quiet."""
        if self.view is not None:
            self.view.say(line)
        elif self._live is not None:
            self._live.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=self.file, flush=True)

    def solved(self) -> None:
        self.counts[Stage.SOLVE] += 1
        if Stage.SCORE not in self.stages:
            self._step()

    def scored(self, cell: Cell, output: OutputRecord, score: ScoreRecord) -> None:
        self.counts[Stage.SCORE] += 1
        if not self.quiet or self.watcher is not None:
            self._headlines[cell.id].add(score, output)
        self._step()

    def already(self, stage: Stage) -> None:
        """A sample was done before."""
        self.counts[stage] += 1
        self.counts[f"already-{stage}"] += 1

    def pending(self, kind: str, detail: str) -> None:
        """A sample could not be done, and why: the kind, and in words."""
        self.examples.setdefault(kind, detail)
        self.counts["pending"] += 1
        self.reasons[kind] += 1
        self._step()

    def _step(self) -> None:
        self.new += 1
        self._every = LINE_EVERY_S

    def tick(self) -> None:
        """Show a line if it is time: every 10 s, and where nothing happens less often, up to a minute."""
        if self.watcher is not None:
            self.watcher(self.live)
        if self.view is not None:
            self.view.show(self.line())
            return
        now = time.monotonic()
        if now < self._next or self._live is not None or self.quiet:
            return
        self.say(self.line())
        self._next = now + self._every
        self._every = min(2 * self._every, LONGEST_SILENCE_S)

    @property
    def finished(self) -> int:
        """Works that are through the last stage of this run."""
        return self.counts[Stage.SCORE if Stage.SCORE in self.stages else Stage.SOLVE]

    def live(self) -> LiveProgress:
        """How far it is, for who follows it."""
        now = {cell.id: self._headlines[cell.id].value() for cell in self.cells}
        found = {cell: one for cell, one in now.items() if one is not None}
        return LiveProgress(self.finished, self.counts["pending"], found)

    def line(self) -> str:
        """Everything in one line."""
        return "  ".join(one.strip() for one in self.lines(10_000, MOST_IN_LINE))

    def _state(self) -> list[str]:
        """How far it is, how fast it goes and when it ends."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = self.new / seconds
        left = self.works - self.finished - self.counts["pending"]
        parts = [f"{self.finished}/{self.works}"]
        if self.new:
            pace = f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min"
            parts += [pace, f"{_duration(left / rate)} left"]
        tallies = list(self.tallies().values())
        if tokens := sum(one.completion for one in tallies):
            parts.append(f"{tokens / seconds:.0f} tok/s")
        for name in ("retries", "cached", "recorded"):
            if count := sum(getattr(one, name) for one in tallies):
                parts.append(f"{count} {name}")
        if self.counts["pending"]:
            why = ", ".join(f"{kind} {n}" for kind, n in self.reasons.most_common(3))
            parts.append(f"{self.counts['pending']} pending ({why})")
        return parts

    def _found(self) -> list[tuple[str, str, str]]:
        """(task, what tells a cell from its others, its headline) of the cells that have one."""
        found = []
        for cell in self.cells:
            now, task = self._headlines[cell.id].value(), cell.plan.task
            if now is not None:
                label = " ".join(f"{name}={getattr(cell.task.parameters, name)}" for name in self._told[task])
                ends = "" if now.low is None or now.high is None else f" [{now.low:.3f}, {now.high:.3f}]"
                found.append((task, label, f"{cell.task.info.headline} {now.value:.3f}{ends} n={now.n}"))
        return found

    def lines(self, width: int, most: int = MOST_CELLS) -> list[str]:
        """The live view, no line wider than `width`; a cell takes two where one is too narrow."""
        cells, before = self._found(), ""
        column = max((len(label) for _, label, _ in cells[:most]), default=0)
        lines = _packed([*self._state(), *self._waits()], width)
        for task, label, text in cells[:most]:
            lines += _packed([task], width) if task != before else []
            one = f"  {_printable(label):{column}}  {text}" if label else f"  {text}"
            lines += [one] if len(one) <= width else _packed([label, text], width, "    ")
            before = task
        if left := len(cells[most:]):
            lines.append(f"  and {left} more cell{'s' * (left > 1)}")
        return lines

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.progress_bar import ProgressBar
        from rich.segment import Segment
        from rich.text import Text

        width = options.max_width
        yield ProgressBar(total=max(self.works, 1), completed=self.finished, width=min(width, 60))
        yield Segment.line()
        yield from (Text(line, no_wrap=True) for line in self.lines(width))


def _printable(text: str) -> str:
    """Text of an endpoint or a task: nothing in it moves the cursor."""
    return "".join(one if one.isprintable() else " " for one in text)


def _packed(parts: Iterable[str], width: int, indent: str = "") -> list[str]:
    """Parts in lines of at most `width` characters, as many in each as fit; a longer one is broken."""
    lines: list[str] = []
    for part in parts:
        first, *more = textwrap.wrap(_printable(part), max(width - len(indent), 10)) or [""]
        if lines and len(lines[-1]) + 2 + len(first) <= width:
            lines[-1] += f"  {first}"
        else:
            lines.append(indent + first)
        lines += [indent + one for one in more]
    return lines


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
