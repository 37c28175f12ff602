"""What a task may ask for when it opens: batching, the sandbox, a folder that lasts (`suite.task.Tools`)."""

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from suite.errors import PluginError, SandboxUnavailable
from suite.run.cells import Cell

if TYPE_CHECKING:
    from suite.sandbox.program import Sandbox

InT = TypeVar("InT")
OutT = TypeVar("OutT")
Function = Callable[[Sequence[InT]], Sequence[OutT] | Awaitable[Sequence[OutT]]]


@dataclass(eq=False)
class Batcher(Generic[InT, OutT]):
    """Turns a function of many into an awaitable of one.

    A batch goes when it is full, when everybody who could add to it waits for it, or after `wait_ms`.
    """

    name: str
    function: Function[InT, OutT]
    size: int
    wait_ms: float
    active: Callable[[], int]

    def __post_init__(self) -> None:
        self._items: list[InT] = []

    async def __call__(self, item: InT) -> OutT:
        if not self._items:
            self._full = asyncio.Event()
            self._batch = asyncio.ensure_future(self._run(self._items, self._full))
            self._batch.add_done_callback(lambda batch: batch.cancelled() or batch.exception())
        self._items.append(item)
        batch, place = self._batch, len(self._items) - 1
        if len(self._items) >= self.size:
            self._close()
        else:
            asyncio.get_running_loop().call_soon(self._close_if_all_wait)
        return (await asyncio.shield(batch))[place]

    def _close_if_all_wait(self) -> None:
        active = self.active()
        if self._items and active and len(self._items) >= active:
            self._close()

    def _close(self) -> None:
        self._full.set()
        self._items = []  # of the next batch

    async def _run(self, items: list[InT], full: asyncio.Event) -> Sequence[OutT]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.wait_ms / 1000):
                await full.wait()
        if items is self._items:
            self._close()
        found = self.function(items)
        results = await found if inspect.isawaitable(found) else found
        if len(results) != len(items):
            raise PluginError(f"batch {self.name!r} gave {len(results)} results for {len(items)} items")
        return results


class RunTools:
    """The tools of one run. active: how many works are in the stage that batches."""

    def __init__(self, cache: Path, active: Callable[[], int] = lambda: 0, scoring: bool = True) -> None:
        self.scoring = scoring
        self._cache = cache
        self._active = active
        self._sandbox: Sandbox | None = None
        self._proven: set[str] = set()
        self._opening = asyncio.Lock()

    def batch(
        self, name: str, function: Function[InT, OutT], size: int = 256, wait_ms: float = 20.0
    ) -> Callable[[InT], Awaitable[OutT]]:
        return Batcher(name, function, size, wait_ms, self._active)

    async def sandbox(self, python: str = "") -> "Sandbox":
        """The sandbox, opened on first use and proven with that interpreter. Raises SandboxUnavailable."""
        from suite.sandbox import open_sandbox, prove  # type: ignore[attr-defined,unused-ignore]

        async with self._opening:
            if self._sandbox is None:
                self._sandbox = await open_sandbox()
            if python not in self._proven:
                await prove(self._sandbox, python)
                self._proven.add(python)
            return self._sandbox

    def folder(self, name: str) -> Path:
        if not name or name.startswith(".") or "/" in name:
            raise PluginError(f"{name!r} cannot name a cache folder")
        found = self._cache / "tools" / name
        found.mkdir(parents=True, exist_ok=True)
        return found

    async def close(self) -> None:
        if self._sandbox is not None:
            await self._sandbox.close()
            self._sandbox = None


def check_sandbox(cells: Iterable[Cell]) -> None:
    """Try the sandbox where the scoring of a cell needs it, half a second. Raises SandboxUnavailable."""
    needing = dict.fromkeys(cell.plan.task for cell in cells if cell.task.info.sandbox)
    if not needing:
        return
    from suite.sandbox import probe  # type: ignore[attr-defined,unused-ignore]

    with ThreadPoolExecutor(1) as beside:  # it has a loop of its own, and one may run here
        report = beside.submit(probe).result()
    if not report.pop("works"):
        fix, tasks = report.pop("fix"), " and ".join(needing)
        why = "; ".join(f"{kind}: {why}" for kind, why in report.items())
        raise SandboxUnavailable.of("run.tools.no-sandbox", tasks=tasks, why=why, fix=fix)
