"""A Slurm of one node on this machine, of the programs of Debian's packages, for as long as a test needs."""

import getpass
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue")
DEADLINE_S = 80
_CONF = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={here}/munge.socket
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={here}/state
SlurmdSpoolDir={here}/spool
SlurmctldPidFile={here}/slurmctld.pid
SlurmdPidFile={here}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=bf_interval=1,sched_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
"""


@contextmanager
def slurm_cluster() -> Iterator[dict[str, str]]:
    """The environment in which Slurm's commands find it."""
    with (
        tempfile.TemporaryDirectory(prefix="slurm-") as name,
        ExitStack() as started,
    ):  # a socket's path is short
        here, host = Path(name), socket.gethostname().partition(".")[0]
        for folder in ("state", "spool"):
            (here / folder).mkdir()
        (here / "key").write_bytes(secrets.token_bytes(1024))
        (here / "key").chmod(0o400)
        (here / "slurm.conf").write_text(
            _CONF.format(here=here, host=host, user=getpass.getuser(), ports=free_ports(2))
        )
        environment = {**os.environ, "SLURM_CONF": str(here / "slurm.conf")}
        files = [f"--{one}-file={here}/{one}" for one in ("key", "pid", "log", "seed")]
        for command in (
            ["munged", "--force", "--foreground", *files, f"--socket={here}/munge.socket"],
            ["slurmctld", "-D"],
            ["slurmd", "-D", "-N", host],
        ):
            process = started.enter_context(
                subprocess.Popen(
                    command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
            started.callback(process.terminate)
            if command[0] == "munged":
                wait_for(lambda: (here / "munge.socket").exists())
        wait_for(lambda: told(["sinfo", "-h", "-o", "%T"], environment) == "idle")
        started.callback(lambda: told(["scancel", f"--user={getpass.getuser()}"], environment))
        yield environment


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens."""
    with ExitStack() as opened:
        found = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def told(command: list[str], environment: dict[str, str]) -> str | None:
    """What a command prints; None if it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def wait_for(true: Callable[[], bool]) -> None:
    """Ask again until it is so. Raises TimeoutError."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come")
        time.sleep(0.1)
