"""A run at work in a thread and on an event loop of its own, while its caller waits and shows how far it is.

So a call works inside a running event loop (a notebook's) and beside another one, and an interrupt meets the
caller, never the journal: what is in flight ends, the rest stays pending, engines stop.
"""

import asyncio
import html
import sys
import threading
from concurrent.futures import Future, wait
from typing import Any

from suite.api.preparation import PreparedRun
from suite.report.hostile_text import one_line
from suite.report.run_reports import outcome_reports
from suite.run.outcome import Outcome
from suite.run.session import Session

DRAW_EVERY_S = 0.2
DROPPED = 2  # stops after which nobody waits for calls, nor for reports: the next call writes them
MOST_LINES = 12  # of what was said, in a notebook


class Screen:
    """Where progress and remarks of a call go: an output of a notebook's cell, updated in place, or standard
    error, on which the run draws its progress by itself. progress: False shows nothing."""

    def __init__(self, progress: bool | None = None) -> None:
        shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
        self.off = progress is False
        self.in_notebook = not self.off and hasattr(shell, "kernel")
        self._lines: list[str] = []
        self._line = self._drawn = ""
        self._handle: Any = None  # of IPython

    def show(self, line: str) -> None:
        """How far the run is, in place of the line before."""
        self._line = line

    def say(self, line: str) -> None:
        if self.in_notebook:
            self._lines.append(line)
        elif not self.off:
            sys.stderr.write(f"{line}\n")

    def draw(self) -> None:
        """Show in a notebook what is new; called on the caller's thread."""
        text = "\n".join(one_line(one, 500) for one in [*self._lines[-MOST_LINES:], self._line] if one)
        if not self.in_notebook or text == self._drawn:
            return
        self._drawn = text
        shown = {"text/plain": text, "text/html": f"<pre>{html.escape(text)}</pre>"}
        if self._handle is None:
            self._handle = sys.modules["IPython"].display.display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


class BackgroundRun:
    """A run that has begun. Its outcome comes with results.json and reports written."""

    def __init__(self, run: PreparedRun, screen: Screen) -> None:
        self.done: Future[Outcome] = Future()
        self._run, self._screen = run, screen
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stops = 0
        threading.Thread(target=self._work, name=f"suite {run.folder.name}").start()

    def _work(self) -> None:
        try:
            outcome = asyncio.run(self._drive())
            if outcome.results is not None and self._stops < DROPPED:
                outcome_reports(outcome, say=self._screen.say)
        except BaseException as error:  # whatever it is belongs to who waits
            self.done.set_exception(error)
        else:
            self.done.set_result(outcome)

    async def _drive(self) -> Outcome:
        try:
            return await self._run.start(self._begun)
        finally:
            with self._lock:
                self._session = None

    def _begun(self, session: Session) -> None:
        with self._lock:
            self._session, self._loop = session, asyncio.get_running_loop()
            for _ in range(self._stops):
                session.interrupt()

    def stop(self) -> None:
        """Let what is in flight end and stop; the second time, drop it. From any thread."""
        with self._lock:
            self._stops += 1
            if self._session is not None and self._loop is not None:
                self._loop.call_soon_threadsafe(self._session.interrupt)

    def wait(self) -> Outcome:
        """Wait for the end. Raises KeyboardInterrupt once the run has closed down, and what it raises."""
        interrupted = False
        while not self.done.done():
            try:
                wait([self.done], timeout=DRAW_EVERY_S)
                self._screen.draw()
            except KeyboardInterrupt:
                interrupted = True
                self.stop()
            except BaseException:  # whatever keeps the caller from waiting: nothing goes on behind his back
                self.stop()
                wait([self.done])
                raise
        return self._end(interrupted)

    async def wait_async(self) -> Outcome:
        """The same on the caller's event loop; where it is cancelled, what is in flight is dropped."""
        future = asyncio.wrap_future(self.done)
        try:
            while not (await asyncio.wait([future], timeout=DRAW_EVERY_S))[0]:
                self._screen.draw()
        except (asyncio.CancelledError, Exception):
            for _ in range(DROPPED):
                self.stop()
            await asyncio.wait([future])
            raise
        finally:
            if future.done():
                future.exception()  # it is told below, or the caller knows that it was cancelled
        return self._end(False)

    def _end(self, interrupted: bool) -> Outcome:
        self._screen.show("")
        self._screen.draw()
        outcome = self.done.result()
        if interrupted or outcome.interrupted:
            lines = "\n".join(outcome.lines("the same call"))
            raise KeyboardInterrupt(f"interrupted\n{lines}" if lines else "interrupted")
        for line in outcome.lines("the same call"):
            self._screen.say(line)
        self._screen.draw()
        return outcome
