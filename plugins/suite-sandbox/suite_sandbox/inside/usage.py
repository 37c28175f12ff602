"""What the processes of a run use, read from /proc: CPU, memory, processes and scratch space."""

import os
from typing import Any

MAX_INODES = 20_000
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


Job = dict[str, Any]  # one program as `sandbox.program.job` tells it: what to run, and its limits by name


class Watch:
    """What a run has used so far. cpu: seconds; peak: bytes; hits: limits that were reached."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.reaped = 0.0
        self.cpu = 0.0
        self.peak = 0
        self.hits: set[str] = set()

    def alive(self) -> list[int]:
        """All processes but the supervisor."""
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]  # noqa: PTH208

    def look(self, ended: bool = False) -> str:
        """The limit that is exceeded now, or "". ended: the main process is gone already."""
        cpu, pages, threads = self.reaped, 0, int(ended)
        processes = self.alive()
        for process in processes:
            try:
                with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            cpu += sum(int(one) for one in fields[11:15]) / TICK  # own and waited-for children's
            threads += int(fields[17])
            pages += int(fields[21])
        self.cpu = max(self.cpu, cpu)
        self.peak = max(self.peak, pages * PAGE)
        if threads >= self.job["processes"]:
            self.hits.add("processes")
        crowded = self.scratch()
        if cpu > self.job["cpu_s"]:
            return "cpu"
        most = self.job["memory_mib"] << 20
        if pages * PAGE > most and self.proportional(processes) > most:
            return "memory"
        return "scratch" if crowded else ""

    def scratch(self) -> bool:
        """Note full scratch folders. Whether they hold too many files and folders."""
        spaces = [os.statvfs(place) for place in ("/tmp", "/dev/shm")]
        crowded = sum(space.f_files - space.f_ffree for space in spaces) > MAX_INODES
        if crowded or any(space.f_bfree * space.f_frsize < 4096 for space in spaces):
            self.hits.add("scratch")
        return crowded

    def proportional(self, processes: list[int]) -> int:
        """Bytes of memory with shared pages counted once; a process that hides counts in full."""
        total = 0
        for process in processes:
            try:
                with open(f"/proc/{process}/smaps_rollup", "rb") as file:  # noqa: PTH123
                    total += next(int(line.split()[1]) << 10 for line in file if line.startswith(b"Pss:"))
            except (OSError, StopIteration):
                try:
                    with open(f"/proc/{process}/statm", "rb") as file:  # noqa: PTH123
                        total += int(file.read().split()[1]) * PAGE
                except OSError:
                    continue
        return total

    def reap(self, main: int) -> int | None:
        """Collect the dead. Returns the main process's status if it is among them."""
        found = None
        while True:
            try:
                process, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return found
            if process == 0:
                return found
            self.reaped += used.ru_utime + used.ru_stime  # with the children that it waited for
            self.peak = max(self.peak, used.ru_maxrss << 10)
            if process == main:
                found = status

    @property
    def used(self) -> float:
        """CPU seconds so far."""
        return max(self.cpu, self.reaped)
