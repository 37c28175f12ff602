"""The machine that a run is made on, in general words."""

import os
import platform
import shutil
import subprocess

from suite.journal.documents import Hardware


def hardware() -> Hardware:
    """This machine."""
    return Hardware(
        cpus=os.cpu_count() or 1,
        memory_gib=memory_gib(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        gpus=_gpus(),
    )


def memory_gib() -> float | None:
    """Physical memory in GiB, None where the system does not say."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None


def _gpus() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
