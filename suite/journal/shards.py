"""Shards of a run on disk: a folder for each, in it one folder for each lease, of which only the last counts.

    DIR/shards/3-of-8/0002/                 the second lease of shard 3: a run folder that one process writes
    DIR/scorings/ID/shards/3-of-8/0001/     of a scoring alone: the scoring's files of a shard

How a lease is taken and kept is in `suite/run/leases.py`; here is what everybody reads.
"""

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from suite.errors import ConfigError, RunError
from suite.journal.document_files import read_document

SHARDS, LEASE, RELEASED, LEASE_FORMAT = "shards", "lease.json", "released", "suite-lease/1"
MOST_SHARDS = 9999


class Shard(NamedTuple):
    """A share of a plan's groups: which (from 0), of how many. Words, flags and folders count from 1."""

    which: int
    of: int

    def __str__(self) -> str:
        return f"{self.which + 1}/{self.of}"

    def folder(self, base: Path) -> Path:
        """Where its leases stand. base: the folder of a run, or of a scoring."""
        return base / SHARDS / f"{self.which + 1}-of-{self.of}"


class LeaseOwner(msgspec.Struct, frozen=True):
    """Who holds a lease. token: of this lease alone. system, process: name the start of the system, with the
    namespace and user of its processes, and the start of the process; "" where the system does not tell."""

    token: str
    host: str
    pid: int
    system: str = ""
    process: str = ""
    format: str = LEASE_FORMAT

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def parse_shard(text: str, source: str = "") -> Shard:
    """`3/8`. source: what said so, for the error. Raises ConfigError."""
    found = re.fullmatch(r"(\d{1,5})/(\d{1,5})", text.strip(), re.ASCII)
    if found is None or not 1 <= int(found[1]) <= int(found[2]) <= MOST_SHARDS:
        what = f"{source and f'{source}: '}{text!r} is no shard"
        raise ConfigError(what, fix=f"write I/N with I from 1 to N, as in 3/8; N is at most {MOST_SHARDS}")
    return Shard(int(found[1]) - 1, int(found[2]))


def shards_of(base: Path) -> list[Shard]:
    """The shards that have a folder in a run or scoring, in order; none where it has no shards."""
    found = (re.fullmatch(r"(\d+)-of-(\d+)", one.name, re.ASCII) for one in (base / SHARDS).glob("*-of-*"))
    return sorted(Shard(int(one[1]) - 1, int(one[2])) for one in found if one is not None)


def leases(folder: Path) -> list[Path]:
    """The leases of a shard's folder, the one that counts last. Raises OSError but for a missing folder.

    An empty folder is none: a lease has its files before it gets its number, and may be put in such a place.
    """
    with suppress(FileNotFoundError):
        found = [one for one in folder.iterdir() if re.fullmatch(r"\d{4,}", one.name, re.ASCII)]
        found = [one for one in found if one.is_dir() and any(one.iterdir())]
        return sorted(found, key=lambda one: int(one.name))
    return []


class _Planned(msgspec.Struct):
    """What says of which plan a run, a shard of it, or a shard of a scoring is."""

    plan: Mapping[str, object] = {}
    plan_sha256: str = ""
    scoring: str = ""
    shard: tuple[int, int] | None = None


def divided_into(base: Path) -> tuple[int, bool]:
    """Into how many shards a run or scoring is divided, and whether a lease of its plan says so; else it is
    the most common number, of folders with leases if there are any. (0, False) where nothing is. Raises
    RunError."""
    found = shards_of(base)
    if len({one.of for one in found}) < 2:
        return (found[0].of if found else 0), False
    alone = base.parent.name == "scorings"
    path = (base.parent.parent if alone else base) / "manifest.json"
    run = read_document(path, _Planned) if path.exists() else None
    taken, own = Counter[int](), Counter[int]()
    for shard in found:
        if lease := leases(shard.folder(base))[-1:]:
            taken[shard.of] += 1
            if run is not None and (one := lease[0] / "manifest.json").is_file():
                there = read_document(one, _Planned)
                same = {**there.plan, "shard": None} == {**run.plan, "shard": None} and there.shard == shard
                if alone:
                    same = (there.scoring, there.plan_sha256) == (base.name, run.plan_sha256)
                own[shard.of] += same
    counts = +own or taken or Counter(one.of for one in found)
    return max((n, of) for of, n in counts.items())[1], bool(+own)


def owner_of(lease: Path) -> LeaseOwner:
    """Who took a lease. Raises RunError."""
    if not (lease / LEASE).exists():
        raise RunError.of("journal.no-lease", lease=lease, LEASE=LEASE)
    return read_document(lease / LEASE, LeaseOwner)
