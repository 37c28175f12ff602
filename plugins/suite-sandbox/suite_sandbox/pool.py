"""A warm pool: sandboxes that are started before they are needed, and used again after a clean run.

Starting one costs some 50 ms, more than many programs take; a fresh world in a started one costs 3. A box is
used again only if every run gets a world of its own in it, and its program ended by itself and left no
process. After `USES` runs it is retired.
Programs with other mounts, or other limits that are set at the start, need boxes of their own kind.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping

from suite import Limits, Mount, Program, Sandbox, SandboxResult, SandboxUnavailable
from suite_sandbox.boxes import Box

USES = 100
DEFAULT = Limits()

Kind = tuple[object, ...]
Starter = Callable[[tuple[Mount, ...], Limits], Awaitable[Box]]


class PooledSandbox(Sandbox):
    """A sandbox that keeps started boxes at hand.

    fixed: limits that are set when a box starts. workers: programs at once (default: processors).
    """

    def __init__(
        self,
        name: str,
        start: Starter,
        facts: Mapping[str, str],
        fixed: tuple[str, ...] = ("scratch_mib",),
        workers: int | None = None,
    ) -> None:
        self.name = name
        self.workers = workers or len(os.sched_getaffinity(0))
        self._start = start
        self._fixed = fixed
        self._facts = dict(facts)
        self._places = asyncio.Semaphore(self.workers)
        self._idle: list[tuple[Kind, Box]] = []
        self._busy: list[Box] = []
        self._spares: set[asyncio.Task[None]] = set()
        self._closed = False

    def facts(self) -> Mapping[str, str]:
        return self._facts

    async def run(self, program: Program, limits: Limits = DEFAULT) -> SandboxResult:
        """Run one program; at most `workers` run at once, others wait their turn."""
        async with self._places:
            if self._closed:
                raise SandboxUnavailable("the sandbox is closed")
            mounts = tuple(sorted(program.mounts))
            kind = (mounts, *(getattr(limits, name) for name in self._fixed))
            box = await self._ready(kind, mounts, limits)
            self._busy.append(box)
            try:
                result = await box.run(program, limits)
            except BaseException:
                await box.close()
                raise
            finally:
                self._busy.remove(box)
            await self._give_back(kind, box, result)
            if not box.alive:
                self._spare(kind, mounts, limits)
            return result

    async def _ready(self, kind: Kind, mounts: tuple[Mount, ...], limits: Limits) -> Box:
        """A box that can take a program: one at hand, unless it died meanwhile, else a new one."""
        while box := self._take(kind):
            try:
                await box.hello()
            except (EOFError, TimeoutError, ConnectionError):
                await box.close()
            else:
                return box
        return await self._start(mounts, limits)

    def _take(self, kind: Kind) -> Box | None:
        for place in range(len(self._idle) - 1, -1, -1):
            found, box = self._idle[place]
            if found == kind:
                del self._idle[place]
                if box.alive:
                    return box
        return None

    async def _give_back(self, kind: Kind, box: Box, result: SandboxResult) -> None:
        box.uses += 1
        clean = result.ended == "exited" and not result.leftovers and not result.hits
        if clean and box.fresh and box.alive and box.uses < USES and not self._closed:
            self._idle.append((kind, box))
        else:
            await box.close()
        while len(self._idle) > 2 * self.workers:
            _, oldest = self._idle.pop(0)
            await oldest.close()

    def _spare(self, kind: Kind, mounts: tuple[Mount, ...], limits: Limits) -> None:
        """Start the next box now, so that the next program need not wait for it."""

        async def start() -> None:
            try:
                box = await self._start(mounts, limits)
            except SandboxUnavailable:
                return  # the next run will meet it, and say so
            if self._closed:
                await box.close()
            else:
                self._idle.append((kind, box))

        if not self._closed and len(self._spares) < self.workers:
            task = asyncio.get_running_loop().create_task(start())
            self._spares.add(task)
            task.add_done_callback(self._spares.discard)

    async def close(self) -> None:
        """End all boxes. A program that still runs comes back as "killed"."""
        self._closed = True
        await asyncio.gather(*self._spares, return_exceptions=True)
        idle, self._idle = self._idle, []
        for _, box in idle:
            await box.close()
        for box in self._busy:
            box.kill()
        for _ in range(self.workers):  # until the last one has come back
            await self._places.acquire()
