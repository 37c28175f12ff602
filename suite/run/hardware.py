"""The machine that a run is made on, in general words."""

import contextlib
import os
import platform
import subprocess

from suite.journal.documents import Hardware
from suite.models.devices import nvidia


def hardware() -> Hardware:
    """This machine."""
    gpus: list[str] = []
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        gpus = [", ".join(row) for row in nvidia("name", "memory.total")]
    cpus, system = os.cpu_count() or 1, f"{platform.system()} {platform.machine()}"
    python, memory = platform.python_version(), memory_gib()
    return Hardware(cpus=cpus, memory_gib=memory, system=system, python=python, gpus=gpus)


def memory_gib() -> float | None:
    """Physical memory in GiB, None where the system does not say."""
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    return None
