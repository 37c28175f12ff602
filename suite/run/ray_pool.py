"""`--on ray`: workers as actors of a Ray cluster, an existing one or one of this machine.

An actor owns the engines of a worker, so it asks for their devices; one that has no place yet waits for it,
as where a cluster grows. Ray restarts and repeats nothing: a lost actor is the driver's to replace. Not here:
what workers do (`worker`), what becomes of their groups (`remote`).
"""

import asyncio
import contextlib
import gc
import logging
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Awaitable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from suite.errors import ConfigError, RunError, SuiteError
from suite.models.extras import need
from suite.run.executor import Executor
from suite.run.outcome import Outcome
from suite.run.remote import WorkerLost, manned_by
from suite.run.session import COLLECT_AFTER, Session
from suite.run.worker import Batch, Given, OpenedWorker, Order, Worker

T = TypeVar("T")
LOCAL = "local"  # Ray's name of a cluster of this machine alone
CLOSE_S = 60.0  # for engines to stop; then their actor is killed


class WorkerActor(Worker):
    """A worker in a process of Ray's. folder: of the command, so that its paths mean the same here."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        with contextlib.suppress(OSError):
            os.chdir(folder)
        gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])

    async def turn_of(self, given: bytes, more: bool, stop: bool, linger_s: float) -> Batch:
        """See `turn`. given: pickled, since Ray's own processes do not know the tasks."""
        return await self.turn(pickle.loads(given), more=more, stop=stop, linger_s=linger_s)  # noqa: S301


class RayWorker:
    """An actor as the driver calls it. A call that Ray cannot carry out means that the worker is lost."""

    def __init__(self, actor: Any) -> None:  # of Ray, which has no type for it
        self._actor = actor

    async def open(self, order: Order) -> OpenedWorker:
        try:
            return await _told(self._actor.open.remote(order))
        except BaseException:
            self._kill()
            raise

    async def turn(self, given: Sequence[Given], *, more: bool, stop: bool, linger_s: float) -> Batch:
        return await _told(self._actor.turn_of.remote(pickle.dumps(given), more, stop, linger_s))

    async def close(self) -> Batch:
        try:
            return await asyncio.wait_for(_told(self._actor.close.remote()), CLOSE_S)
        except TimeoutError as error:
            raise WorkerLost("its engines did not stop") from error
        finally:
            self._kill()

    def _kill(self) -> None:
        import ray

        with contextlib.suppress(Exception):  # it may be gone, and so may be the cluster
            ray.kill(self._actor)


async def _told(reply: Awaitable[T]) -> T:
    """What an actor answers. Raises its SuiteError, WorkerLost for all else."""
    from ray.exceptions import RayError

    try:
        return await reply
    except (RayError, ConnectionError) as error:
        cause = getattr(error, "cause", None)
        raise (cause if isinstance(cause, SuiteError) else WorkerLost(str(error))) from None


class RayExecutor(Executor):
    """Carries runs out on a Ray cluster: a pool of actors."""

    options: ClassVar[Mapping[str, str]] = {
        "address": "an existing cluster, auto or ray://HOST:PORT (default: one of this machine alone)",
        "workers": "how many at once (default: as many as the cluster's resources allow)",
        "gpus": "GPUs of each worker, a fraction too (default: those that its engines take)",
        "cpus": "CPUs of each worker, a fraction too (default: 1)",
    }

    def __init__(self, name: str, given: Mapping[str, str]) -> None:
        super().__init__(name, given)
        need("ray")
        self._address = given.get("address", LOCAL)
        self._workers = _number(given, "workers")
        if self._workers is not None and (self._workers < 1 or self._workers % 1):
            raise ConfigError(f"--on-option workers={given['workers']} is no whole number from 1")
        self._gpus, self._cpus = _number(given, "gpus"), _number(given, "cpus", 1.0)

    async def run(self, session: Session) -> Outcome:
        """Carry a run out. Raises ConfigError for a budget, which one process has to hold."""
        if session.ledger is not None:
            fix = "leave it out, or run with --shards: each has its share of the budget"
            raise ConfigError("--budget cannot be held by the workers of a cluster", fix=fix)
        if self._gpus is None:
            self._gpus = max((one.devices() for one in session.plan.filled.engines()), default=0)
        self._say = session.progress.say
        session.manned = manned_by(session, self)
        try:
            return await session.run()
        finally:
            if (ray := sys.modules.get("ray")) is not None:
                ray.shutdown()

    @cached_property
    def size(self) -> int:
        """How many workers at once; connects to the cluster, or starts one.

        Raises RunError where it cannot be reached, ConfigError where this machine has no room for a worker.
        """
        import ray

        before = signal.getsignal(signal.SIGTERM)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Ray, about its own future
                ray.init(self._address, logging_level=logging.ERROR, log_to_driver=False)
        except Exception as error:  # whatever a cluster that is not there makes of it
            raise RunError(f"no Ray cluster at {self._address}: {error}") from error
        signal.signal(signal.SIGTERM, before)  # ours lets what is in flight end
        has: Mapping[str, float] = ray.cluster_resources()
        room = {}
        for option, each in {"GPU": self._gpus, "CPU": self._cpus}.items():
            if each:
                room[option] = int(has.get(option, 0) / each)
                if not room[option] and self._address == LOCAL:
                    what = f"a worker takes {each:g} {option}, this machine has {has.get(option, 0):g}"
                    fix = f"give --on-option {option.lower()}s=…, or the address of a cluster"
                    raise ConfigError(what, fix=fix)
        size = int(self._workers or max(1, min(room.values(), default=1)))
        told = ", ".join(f"{has[name]:g} {name}" for name in ("GPU", "CPU") if name in has)
        self._say(f"Ray {ray.__version__}: up to {size} workers; the cluster has {told}")
        return size

    def worker(self) -> RayWorker:
        """Another actor, which waits where the cluster has no place for it yet."""
        import ray

        needs = {"num_gpus": self._gpus, "num_cpus": self._cpus, "max_restarts": 0, "max_task_retries": 0}
        try:
            return RayWorker(ray.remote(WorkerActor).options(**needs).remote(str(Path.cwd())))
        except ValueError as error:  # such as 1.5 GPUs
            raise ConfigError(f"Ray makes no such worker: {error}") from error


def _number(given: Mapping[str, str], option: str, otherwise: float | None = None) -> float | None:
    text = given.get(option)
    try:
        found = otherwise if text is None else float(text)
    except ValueError:
        found = -1.0
    if found is not None and not 0 <= found < 1e6:
        raise ConfigError(f"--on-option {option}={text} is no number from 0")
    return found
