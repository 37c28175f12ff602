"""The hostile programs of `hostile.toml`, typed."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from suite.sandbox import Limits

# wall_s is only reached by what would never end, since a busy machine is slow.
SMALL = Limits(wall_s=60, cpu_s=3, memory_mib=128, processes=16, file_mib=4, scratch_mib=16, output_kib=64)
BRIEF = replace(SMALL, wall_s=1, cpu_s=0.4)
SPINNING = replace(BRIEF, wall_s=60)

PRELUDE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, function, *arguments):
    try:
        value = function(*arguments)
    except Exception as error:
        print("refused", name, type(error).__name__, flush=True)
    else:
        print("HARM", name, value, flush=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[
        ctypes.c_long(one) if isinstance(one, int) else one for one in arguments])
    if value < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return value
x86 = os.uname().machine == "x86_64"
"""


@dataclass(frozen=True)
class Hostile:
    """One program; see the head of `hostile.toml`."""

    name: str
    group: str
    code: str
    ended: str
    refusals: int
    limits: Limits
    outputs: tuple[str, ...]


def _typed(row: dict[str, Any]) -> Hostile:
    limits = replace(SMALL, **row.get("limits", {}))
    if row.get("brief"):
        limits = SPINNING if "cpu" in row["ended"] else BRIEF
    return Hostile(
        row["name"],
        row["group"],
        row["code"],
        row.get("ended", "exited"),
        row.get("refusals", 0),
        limits,
        tuple(row.get("outputs", ())),
    )


HOSTILE = [
    _typed(row) for row in tomllib.loads(Path(__file__).with_name("hostile.toml").read_text())["program"]
]
