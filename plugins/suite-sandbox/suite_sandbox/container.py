"""The container sandbox: docker or podman, for hosts where bubblewrap may not make namespaces.

Optional: it is used when SUITE_SANDBOX_IMAGE names an image that is already there and has a `python3`
(3.9 or later). The same supervisor is process 1 of a container without network, with a read-only root.
Memory and processes are held by the runtime, so boxes are kept per limit. It may make no namespaces, so
every run takes a new container.
"""

import os
import secrets
import shutil
from collections.abc import Sequence
from functools import partial

from suite import Limits, Mount
from suite_sandbox.boxes import BOOTSTRAP, Box, message, started, supervisor, unavailable
from suite_sandbox.pool import PooledSandbox

SETTING = "SUITE_SANDBOX_IMAGE"
RUNTIMES = ("podman", "docker")
SUPERVISOR_MIB = 32  # process 1 is counted as well


def command(runtime: str, image: str, name: str, mounts: Sequence[Mount], limits: Limits) -> list[str]:
    """The whole command line."""
    memory = f"{limits.memory_mib + SUPERVISOR_MIB}m"
    shared = max(1, limits.scratch_mib // 4)
    line = [runtime, "run", "--rm", "--interactive", "--name", name, "--pull", "never"]
    line += ["--network", "none", "--read-only", "--hostname", "sandbox", "--ipc", "private"]
    line += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "65534:65534"]
    line += ["--memory", memory, "--memory-swap", memory, "--pids-limit", str(limits.processes + 1)]
    line += ["--shm-size", f"{shared}m", "--log-driver", "none"]
    line += ["--tmpfs", f"/tmp:rw,exec,nosuid,nodev,mode=1777,size={max(1, limits.scratch_mib - shared)}m"]
    for mount in mounts:
        line += ["--volume", f"{mount.source}:{mount.target or mount.source}:ro"]
    return [*line, "--entrypoint", "python3", image, "-I", "-S", "-c", BOOTSTRAP]


async def start(runtime: str, image: str, mounts: Sequence[Mount], limits: Limits) -> Box:
    """A started box. Raises SandboxUnavailable with the runtime's own words if it does not start."""
    name = f"suite-{secrets.token_hex(8)}"

    async def begin(box: Box) -> None:
        await box.hand_in(supervisor(same_python=False))
        await box.hand_in(message({}))

    make = partial(Box, bounded=True, fresh=False, ending=(runtime, "kill", name))
    return await started("container", command(runtime, image, name, mounts, limits), begin, make)


async def opened(workers: int | None = None) -> PooledSandbox:
    """The container sandbox with a warm pool. Raises SandboxUnavailable where it can't be had."""
    runtime = next((found for name in RUNTIMES if (found := shutil.which(name))), None)
    if runtime is None:
        raise unavailable("container", f"neither {' nor '.join(RUNTIMES)} is on the PATH")
    image = os.environ.get(SETTING, "")
    if not image:
        raise unavailable("container", f"{SETTING} names no image with a python3")
    facts = {"sandbox": "container", "sandbox_runtime": os.path.basename(runtime), "sandbox_image": image}  # noqa: PTH119
    fixed = ("scratch_mib", "memory_mib", "processes")
    return PooledSandbox("container", partial(start, runtime, image), facts, fixed, workers)
