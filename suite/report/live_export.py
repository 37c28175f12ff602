"""A run followed while it goes on: an exporter at work in a process of its own, and a bounded queue to it.

Nothing waits for that process while the run goes on: what it does not take in time is dropped, oldest first.
Where it is slow, hangs, fails or dies, that is said at the end, with the command that exports the run later.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path

from suite.errors import ConfigError, worded
from suite.report.exported_run import ExportedRun
from suite.report.exporter import Follower
from suite.report.exporters import export_run, made
from suite.report.hostile_text import one_line
from suite.report.table_exporters import TableExporter
from suite.run.outcome import Outcome
from suite.run.progress import LiveProgress
from suite.secrets import HIDDEN, safe_command, scrub_all

MOST_WAITING, EVERY_S = 32, 5.0  # updates that wait, and the time between two
PATIENCE_S, SHORT_PATIENCE_S = 120.0, 15.0  # after the end, for the export; where there is none
GRACE_S = 10.0  # for the process to end in, once the run's is gone


class LiveExport:
    """Follows one run. given: options of the exporter, as text. output: as -O says, or "".

    Raises NotFound, PluginError, ConfigError, and what the exporter raises.
    """

    def __init__(
        self, name: str, given: Mapping[str, str], folder: Path, scoring: str, output: str = ""
    ) -> None:
        exporter = made(name, given)
        if exporter.output and not output:
            fix = f"--to-option output={exporter.output}"
            raise ConfigError(f"--to {name} writes files, and nothing says where", fix=fix)
        of_others = Path(output).exists() and not (folder / "manifest.json").exists()
        if of_others and isinstance(exporter, TableExporter) and not exporter.options.force:
            raise ConfigError.of("report.exists", path=output)
        self._name, self._partial = name, exporter.options.allow_partial
        words = ["suite", "report", "export", str(folder), "--to", name, *(["-O", output] if output else [])]
        for key, value in given.items():
            words += [f"--{key.replace('_', '-')}", *([] if value.lower() == "true" else [value])]
        self._command = safe_command(words)
        self._waiting = deque[LiveProgress | bool](maxlen=MOST_WAITING)  # the oldest gives way
        self._more = threading.Semaphore(0)
        self._live: Callable[[], LiveProgress] | None = None
        self._last = LiveProgress()
        self._next, self._made, self._taken, self._ended = 0.0, 0, 0, False
        self._error = self._refused = ""  # the last of an update; of the end
        self._exported: list[str] = []
        spawn = get_context("spawn")
        self._pipe, self._theirs = spawn.Pipe()
        arguments = self._theirs, name, given, folder, scoring, output
        self._process = spawn.Process(target=_export, args=arguments)
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "LiveExport":
        self._process.start()
        self._theirs.close()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def tick(self, live: Callable[[], LiveProgress]) -> None:
        """Put into the queue how far the run is, if it is time and anything happened since its start."""
        self._last = LiveProgress(live().done) if self._live is None else self._last
        self._live = live
        if time.monotonic() >= self._next and (now := live()) != self._last:
            self._next, self._last, self._made = time.monotonic() + EVERY_S, now, self._made + 1
            self._put(now)

    def _put(self, told: LiveProgress | bool) -> None:
        self._waiting.append(told)
        self._more.release()

    def _work(self) -> None:
        """Pass one after the other on, each once the one before was answered."""
        with suppress(OSError, EOFError):
            while not self._ended:
                self._more.acquire()
                with suppress(IndexError):  # it gave way
                    self._pipe.send(told := self._waiting.popleft())
                    error, self._exported = self._pipe.recv()
                    if isinstance(told, bool):
                        self._refused, self._ended = error, True
                    else:
                        self._error, self._taken = error or self._error, self._taken + (not error)

    def end(self, outcome: Outcome) -> list[str]:
        """Tell the end, let the run be exported, and say how that went. Waits for it, within bounds."""
        if self._live is not None:
            self._next = 0.0
            self.tick(self._live)
        whole = outcome.results is not None and (outcome.exit_code == 0 or self._partial)
        self._put(whole)
        patience = PATIENCE_S if whole else SHORT_PATIENCE_S
        late = f"it took more than {patience:.0f} s"
        try:
            self._thread.join(patience)
            late = late if self._thread.is_alive() else "its process died"
        except KeyboardInterrupt:
            late = "nobody waited for it"
        late = self._error or ("it is too slow" if self._ended else late)
        why, to = one_line(late, 300), f"! {self._name}: "
        said = [f"{self._name}: {line}" for line in self._exported]
        if lost := self._made - self._taken:
            said.append(f"{to}{lost} of {self._made} live updates were lost: {why}")
        if not whole:
            said.append(f"{to}the run is not whole yet, and not exported: the same command goes on with both")
        elif self._refused or not self._ended:
            why = one_line(self._refused, 300) or why
            said += [f"{to}the run was not exported: {why}", f"  later: {self._command}"]
            said += [worded("report.hidden")] if HIDDEN in self._command else []
        return said


def _export(
    pipe: "Connection[tuple[str, list[str]], LiveProgress | bool]",
    name: str, given: Mapping[str, str], folder: Path, scoring: str, output: str,
) -> None:  # fmt: skip
    """What the process does, until the end of the run or of its process."""
    os.setsid()  # Ctrl-C is for the run's process
    os.nice(5)  # the run comes first
    for stream in (0, 1, 2):  # libraries ask and print
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    follower: Follower | None = None
    began = False

    def tell(told: LiveProgress | bool) -> list[str]:
        nonlocal began, follower
        if not isinstance(told, bool):
            if not began and (folder / "manifest.json").exists():
                follower = made(name, given).follow(ExportedRun(folder, scoring))
                began = True  # not before: who is down now may be up at the next update
            if follower is not None:
                follower.update(told)
            return []
        if follower is not None:
            follower.stop(told)
        if not told:
            return []
        done = export_run(ExportedRun(folder, scoring), name, Path(output) if output else None, given)
        unsent = ["nothing was sent: somebody has to agree"] if done.upload else []
        return [*(f"wrote {path}" for path in done.paths), *done.remarks, *unsent]

    while True:
        try:
            told = pipe.recv()
        except (EOFError, OSError):
            told = False
        error, lines = "", list[str]()
        try:
            lines = tell(told)
        except Exception as raised:  # third-party code, and a network behind it: anything may come out
            error = scrub_all(f"{type(raised).__name__}: {raised}".replace("\n  ", "; "))
        with suppress(OSError):
            pipe.send((error, lines))
        if isinstance(told, bool):
            os._exit(0)  # all was handed over: no library may wait at its exit


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
    time.sleep(GRACE_S)
    os._exit(1)
