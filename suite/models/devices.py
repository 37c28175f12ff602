"""Which GPUs this process may use, how many a server takes, and how they are shared out.

`CUDA_VISIBLE_DEVICES` decides where it is set, else `nvidia-smi`: whoever starts us (Slurm, Kubernetes, Ray,
another process of ours) says by it what is ours. Nothing here imports torch or touches a device.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from itertools import pairwise

from suite.chat import Json
from suite.errors import ConfigError, EngineError

VARIABLE = "CUDA_VISIBLE_DEVICES"
SIZES = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
_MACHINES = ("nnodes", "data_parallel_address", "data_parallel_backend")  # vLLM's, for several of them
_UUID = re.compile(r"UUID: ([^)\s]+)")


def visible(environment: Mapping[str, str] | None = None) -> tuple[str, ...] | None:
    """The devices this process may use, as CUDA_VISIBLE_DEVICES names them; None: nothing tells.

    environment: instead of the process's. Indices, UUIDs and names of MIG slices stay as given. As in CUDA,
    an empty value hides all devices, and an entry that is empty or below 0 those after it. Raises ConfigError
    for a device that stands there twice, where CUDA has none at all.
    """
    given = (os.environ if environment is None else environment).get(VARIABLE)
    if given is not None:
        names = [one.strip() for one in given.split(",")]
        end = next((n for n, one in enumerate(names) if not one or one.startswith("-")), len(names))
        names = names[:end]
        keys = sorted(str(int(one)) if one.isdecimal() else one.lower() for one in names)
        for one, other in pairwise(keys):
            if one == other or (not one.isdecimal() and other.startswith(one)):  # a UUID may be cut short
                raise ConfigError.of("models.devices.twice", device=other, value=f"{VARIABLE}={given}")
        return tuple(names)
    try:
        gpus = [_UUID.findall(one) for one in re.split("(?m)^(?=GPU )", _nvidia_smi("-L"))]
    except (OSError, subprocess.SubprocessError):
        return None
    if all(len(one) < 2 for one in gpus):  # else one is cut into MIG slices
        return tuple(str(n) for n, _ in enumerate(filter(None, gpus))) or None
    return tuple(uuid for whole, *slices in filter(None, gpus) for uuid in slices or [whole])


def hidden(environment: Mapping[str, str]) -> str:
    """What to say of devices that stand behind an entry that ends the list, "" if none does."""
    given = environment.get(VARIABLE, "").split(",")
    end = len(visible(environment) or ())
    if not any(one.strip() and not one.strip().startswith("-") for one in given[end:]):
        return ""
    return f"CUDA reads {VARIABLE} up to entry {end + 1}, which is empty or negative: {end} devices"


def nvidia(*fields: str) -> list[list[str]]:
    """What nvidia-smi says of each GPU, by field; [] without any. Raises OSError, SubprocessError."""
    said = _nvidia_smi(f"--query-gpu={','.join(fields)}", "--format=csv,noheader")
    return [line.strip().split(", ") for line in said.splitlines() if line.strip()]


def _nvidia_smi(*arguments: str) -> str:
    if (tool := shutil.which("nvidia-smi")) is None:
        return ""
    return subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=10, check=True).stdout


def of_server(options: Mapping[str, Json]) -> int | None:
    """Devices that one vLLM server takes on this machine: tensor × pipeline × data parallel size.

    options: vLLM's, with underscores. None: it spans machines, so that only vLLM can tell.
    Raises ConfigError for a size that is no whole number from 1.
    """
    count = 1
    for name in SIZES:
        size = options.get(name, 1)
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ConfigError(f"{name}={size} is no whole number from 1")
        count *= size
    spans = options.get("distributed_executor_backend") == "ray" or any(one in options for one in _MACHINES)
    return None if spans else count


def shares(devices: Sequence[str] | None, parts: int, each: int, who: str) -> list[tuple[str, ...]]:
    """Disjoint shares of `each` devices for `parts`, neighbours together. Raises EngineError if too few."""
    if devices is None or parts * each > len(devices):
        count = f"{parts} × {each} = {parts * each}" if parts > 1 else f"{each}"
        given = os.environ.get(VARIABLE)
        told = "as nvidia-smi lists them" if given is None else f"{VARIABLE}={given}"
        told += f"; {cut}" if (cut := hidden(os.environ)) else ""
        about = {"who": who, "count": count, "here": len(devices or ()), "told": told}
        raise EngineError.of("models.devices.few", sizes=", ".join(SIZES), **about)
    return [tuple(devices[n * each : (n + 1) * each]) for n in range(parts)]


def environment_of(devices: Sequence[str]) -> dict[str, str]:
    """The environment of a process that shall use these devices alone."""
    return {VARIABLE: ",".join(devices)}
