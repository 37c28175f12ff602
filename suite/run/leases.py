"""Leases: how one process holds a shard of a run, and how another takes it over when that one is dead.

A lease is a folder that one process writes. It is made beside its place, with all whole records of the lease
before it, and renamed to the next number, which succeeds once. Only the highest number counts, so an owner
that was stopped and wakes after a takeover writes where nobody reads; it looks each second, and stops.

Whether an owner lives is told by its process, on this machine, or by its beat: a file that it renames every
two seconds and that others watch. A wrong guess costs the calls in flight and nothing else. There are no file
locks and no comparison of clocks or file times: shared file systems disagree about all of them.
"""

import math
import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from suite.errors import ConfigError, RunError
from suite.files import sync_folder, trying
from suite.journal.journal_file import CHOOSE_FOLDER
from suite.journal.repairs import REFERRING, repair
from suite.journal.shards import LEASE, RELEASED, LeaseOwner, Shard, leases, owner_of

BEAT_S, POLL_S = 2.0, 0.2
_beat_name = "beat-{:06}".format


def lease_s() -> float:
    """Seconds without a beat after which an owner is dead. Raises ConfigError."""
    text = os.environ.get("SUITE_LEASE_S") or "60"
    with suppress(ValueError):
        if math.isfinite(seconds := float(text)) and seconds > 0:
            return seconds
    raise ConfigError.of("run.leases.seconds", text=text)


def take(shard: Shard, base: Path, say: Callable[[str], None], run: Path | None = None) -> "Lease":
    """Take a shard that nobody holds: a new one, one that was left, or one whose owner is dead.

    base: the folder of the run or the scoring. run: of a scoring that stands by itself, the run it scores.
    Raises RunError where its owner lives, or where somebody else takes it at this moment, ConfigError.
    """
    folder = shard.folder(base)
    lease_s()  # what is wrong with it shows before anything is made
    with trying("make the folder of the shard", folder, CHOOSE_FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
        last = next(reversed(leases(folder)), None)
    if last is not None and (owner := _living(shard, last, say)) is not None:
        raise RunError.of("run.leases.held", owner=owner, shard=shard, lease=last)
    return Lease.after(shard, folder, last, run).won()


class Lease(NamedTuple):
    """A lease made ready beside its place, then this process's own. told: what was repaired, in words."""

    shard: Shard
    made: Path
    path: Path
    owner: LeaseOwner
    told: str

    @classmethod
    def after(cls, shard: Shard, folder: Path, last: Path | None, run: Path | None = None) -> "Lease":
        """The next one of a shard, with the whole records of the last. Raises RunError."""
        owner = LeaseOwner(secrets.token_hex(8), socket.gethostname(), os.getpid(), *_process(os.getpid()))
        made, path = folder / f".new-{owner.token}", folder / f"{int(last.name) + 1 if last else 1:04}"
        try:
            with trying("make a lease of the shard", folder, CHOOSE_FOLDER):
                made.mkdir()
                if last is not None:
                    _copy(last, made)
                lost = repair(made, run=run)
                _write(made / LEASE, msgspec.json.encode(owner) + b"\n")
                _write(made / _beat_name(0))
                sync_folder(made)
        except BaseException as error:
            shutil.rmtree(made, ignore_errors=True)
            if isinstance(error, RunError) and path.is_dir():  # who won removed it
                raise taken_over(shard, path) from error
            raise
        told = ", ".join(f"{count:,} in {name}" for name, count in lost.items())
        told = f"records that lack a part count as not done: {told}" if told else ""
        return cls(shard, made, path, owner, told)

    def won(self) -> "Lease":
        """Put it in its place. Raises RunError where another was put there before."""
        folder = self.path.parent
        try:
            self.made.rename(self.path)
        except OSError as error:  # which a network's file system may say though it did rename
            shutil.rmtree(self.made, ignore_errors=True)
            if not self.path.is_dir():
                raise RunError(f"cannot take shard {self.shard}: {error.strerror}", str(folder)) from error
        sync_folder(folder)
        if owner_of(self.path) != self.owner or leases(folder)[-1] != self.path:
            raise taken_over(self.shard, leases(folder)[-1])
        for left in folder.glob(".new-*"):  # of a killed process, or of one that is late
            with suppress(OSError):
                shutil.rmtree(left.rename(f"{left}-"))  # out of its hands first
        for old in leases(folder)[:-2]:  # nobody reads them; what stays keeps their number from coming again
            for one in old.iterdir():
                with suppress(OSError):
                    if one.name != LEASE:
                        shutil.rmtree(one) if one.is_dir() else one.unlink()
        return self

    @contextmanager
    def kept(self, lost: Callable[[RunError], None]) -> Iterator[None]:
        """Beat while the block runs, then say that it was left in good order.

        lost: called at most once, on another thread, with who took the shard over, or why nothing beats.
        """
        ended = threading.Event()
        (beating := threading.Thread(target=self._beat, args=(ended, lost), daemon=True)).start()
        try:
            yield
        finally:
            ended.set()
            beating.join()
            with suppress(OSError):
                _write(self.path / RELEASED)

    def _beat(self, ended: threading.Event, lost: Callable[[RunError], None]) -> None:
        try:
            self._beat_until(ended, lost)
        except Exception as error:  # who does not beat is taken for dead: never in silence
            what = f"shard {self.shard} can no longer be kept: {type(error).__name__}: {error}"
            lost(RunError(what, str(self.path)))

    def _beat_until(self, ended: threading.Event, lost: Callable[[RunError], None]) -> None:
        pause, turn = min(BEAT_S / 2, lease_s() / 10), 0
        while not ended.wait(pause):
            turn += 1
            with suppress(OSError, RunError):  # the next time it may be there
                if (found := leases(self.path.parent)[-1:]) != [self.path]:
                    lost(taken_over(self.shard, *found))
                    return
                if turn % 2 == 0 and (beat := _beat(self.path)):
                    (self.path / beat).rename(self.path / _beat_name(int(beat[5:]) + 1))


class TakenOver(RunError):
    """Another process has the shard now, and goes on with it."""


def taken_over(shard: Shard, by: Path | None = None) -> RunError:
    """The error that somebody else has a shard, or removed its folder."""
    who = f"was taken over by {owner_of(by)}" if by else "is gone"
    what = f"shard {shard} {who}: this process stops, and changes nothing more"
    return TakenOver(what, str(by), "let the other one go on") if by else RunError(what)


def _living(shard: Shard, lease: Path, say: Callable[[str], None]) -> LeaseOwner | None:
    """Who holds a lease and lives; None if it was left or its owner is dead. Watches its beat if need be."""
    owner, first, longest = owner_of(lease), _beat(lease), lease_s()
    started, told = time.monotonic(), False
    while (seconds := time.monotonic() - started) < longest:
        system, process = _process(owner.pid)
        if (lease / RELEASED).exists() or (system and system == owner.system and process != owner.process):
            return None
        if _beat(lease) != first:
            return owner
        if seconds > 2 * BEAT_S and not told:
            say(f"shard {shard}: no sign of life of {owner}, watching it for {longest:g} s")
            told = True
        time.sleep(min(POLL_S, longest / 10))
    return None


def _beat(lease: Path) -> str:
    return next((one.name for one in lease.iterdir() if one.name.startswith("beat-")), "")


def _process(pid: int) -> tuple[str, str]:
    """What names this start of the system with our process namespace and user, and a process's start in it,
    "" if it has ended; "" for both where the system does not tell."""
    system = ""
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        boot, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
        system = f"{boot.read_text('utf-8').strip()} {space.readlink()} {os.getuid()}"
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return system, "" if fields[0] in "ZX" else fields[19]
    return system, ""


def _copy(old: Path, new: Path) -> None:
    """Copy the records of a lease, which its owner may still be writing, as it holds them now."""
    for pattern in (*REFERRING, "scorings/*/manifest.json", "manifest.json"):
        for path in sorted(old.glob(pattern)):
            there = new / path.relative_to(old)
            there.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as file:  # opened, which asks a network's file system for what is new
                _write(there, file)
    for folder in {path.parent for path in new.rglob("*")}:
        sync_folder(folder)


def _write(path: Path, what: bytes | BinaryIO = b"") -> None:
    """Make a file of these bytes, or of all that another holds, and put it on the disk. Raises OSError."""
    with path.open("xb") as file:
        shutil.copyfileobj(BytesIO(what) if isinstance(what, bytes) else what, file, 2**20)
        file.flush()
        os.fsync(file.fileno())
