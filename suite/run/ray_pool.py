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
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from suite.errors import ConfigError, RunError, SuiteError
from suite.models.extras import need
from suite.run.executor import Executor
from suite.run.outcome import Outcome
from suite.run.remote import WorkerLost, manned_by
from suite.run.session import COLLECT_AFTER, Session
from suite.run.worker import Batch, Given, OpenedWorker, Order, Worker

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
            opened: OpenedWorker = await self._told("open", order)
            return opened
        except BaseException:
            self._kill()
            raise

    async def turn(self, given: Sequence[Given], *, more: bool, stop: bool, linger_s: float) -> Batch:
        batch: Batch = await self._told("turn_of", pickle.dumps(given), more, stop, linger_s)
        return batch

    async def close(self) -> Batch:
        try:
            batch: Batch = await asyncio.wait_for(self._told("close"), CLOSE_S)
            return batch
        except TimeoutError as error:
            raise WorkerLost("its engines did not stop") from error
        finally:
            self._kill()

    async def _told(self, name: str, *given: object) -> Any:
        """What the actor answers. Raises its SuiteError, WorkerLost for whatever else a transport raises."""
        try:
            return await getattr(self._actor, name).remote(*given)
        except Exception as error:
            cause = getattr(error, "cause", None)
            lost = WorkerLost(str(error) or type(error).__name__)
            raise (cause if isinstance(cause, SuiteError) else lost) from None

    def _kill(self) -> None:
        import ray

        with contextlib.suppress(Exception):  # it may be gone, and so may be the cluster
            ray.kill(self._actor)


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
        self._workers = _number(given, "workers", what="whole number from 1")
        self._gpus, self._cpus = _number(given, "gpus"), _number(given, "cpus", 1.0)

    async def run(self, session: Session) -> Outcome:
        """Carry a run out. Raises ConfigError for a budget, which one process has to hold."""
        if session.ledger is not None:
            raise ConfigError.of("run.ray.budget")
        if self._gpus is None:
            self._gpus = max((one.devices() for one in session.plan.filled.engines()), default=0)
        self._say = session.progress.say
        session.manned = manned_by(session, self)
        with contextlib.redirect_stdout(sys.stderr):  # where Ray tells of dead workers; ours is for results
            try:
                return await session.run()
            finally:
                if (ray := sys.modules.get("ray")) is not None:
                    with contextlib.suppress(Exception):  # the cluster may be gone
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
            # of calls that we drop at the end, and of a cluster that is gone: both are told by us
            logging.getLogger("ray.util.client").setLevel(logging.CRITICAL)
            has: Mapping[str, float] = ray.cluster_resources()
        except Exception as error:  # whatever a cluster that is not there makes of it
            token = Path.home() / ".ray" / "auth_token"
            if "RAY_AUTH_MODE" not in os.environ and token.exists():
                raise RunError.of("run.ray.token", address=self._address, error=error, token=token) from error
            raise RunError(f"no Ray cluster at {self._address}: {error}") from error
        finally:
            signal.signal(signal.SIGTERM, before)  # ours lets what is in flight end
        room = {}
        for option, each in {"GPU": self._gpus, "CPU": self._cpus}.items():
            if each:
                room[option] = int(has.get(option, 0) / each)
                if not room[option] and self._address == LOCAL:
                    about = {"option": option, "flag": f"{option.lower()}s", "has": has.get(option, 0)}
                    raise ConfigError.of("run.ray.room", each=each, **about)
        size = int(self._workers or max(1, min(room.values(), default=1)))
        told = ", ".join(f"{has[name]:g} {name}" for name in ("GPU", "CPU") if name in has)
        self._say(f"Ray {ray.__version__}: up to {size} workers; the cluster has {told}")
        return size

    def worker(self) -> RayWorker:
        """Another actor, which waits where the cluster has no place for it yet.

        Raises ConfigError for one that cannot be, RunError where the cluster is gone.
        """
        import ray

        needs = {"num_gpus": self._gpus, "num_cpus": self._cpus, "max_restarts": 0, "max_task_retries": 0}
        try:
            if not ray.is_initialized():  # Ray would start another cluster
                raise ConnectionError("the connection is lost")
            return RayWorker(ray.remote(WorkerActor).options(**needs).remote(str(Path.cwd())))
        except ValueError as error:  # such as 1.5 GPUs
            raise ConfigError(f"Ray makes no such worker: {error}") from error
        except Exception as error:
            raise RunError.of("run.ray.gone", address=self._address, error=error) from error


def _number(
    given: Mapping[str, str], option: str, otherwise: float | None = None, what: str = "number from 0"
) -> float | None:
    text = given.get(option)
    try:
        found = otherwise if text is None else float(text)
    except ValueError:
        found = -1.0
    whole = found is None or "whole" not in what or (found >= 1 and not found % 1)
    if found is not None and not (0 <= found < 1e6 and whole):
        raise ConfigError(f"--on-option {option}={text} is no {what}")
    return found
