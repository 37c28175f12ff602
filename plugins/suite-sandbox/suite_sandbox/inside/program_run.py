"""One program from its start to the last process killed, with its limits watched."""

import marshal
import os
import select
import signal
import stat
import struct
import time
from collections.abc import Iterator

from suite_sandbox.inside import confinement
from suite_sandbox.inside.usage import Job, Watch

ENDINGS = ("exited", "wall", "cpu", "memory", "processes", "output", "file", "scratch", "killed", "unstarted")
CHUNK = 1 << 16
WORK = "/tmp/work"
NO_MEMORY = (b"MemoryError", b"Cannot allocate memory", b"bad_alloc", b"out of memory")
NO_PROCESS = (b"can't start new thread", b"Resource temporarily unavailable")


class Pipes:
    """The two pipes to the suite."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self.fd = incoming
        self.out = outgoing

    def send(self, kind: bytes, data: bytes) -> None:
        view = memoryview(kind + struct.pack("<I", len(data)) + data)
        while view:
            view = view[os.write(self.out, view) :]

    def receive(self) -> Job:
        """Wait for a message. The end of the pipe means that the suite is gone: everything ends."""
        (size,) = struct.unpack("<I", self.exactly(4))
        return dict(marshal.loads(self.exactly(size)))

    def exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self.fd, min(size, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


class ProgramRun:
    """One program. `go` returns when nothing of it is left."""

    def __init__(self, link: Pipes, job: Job) -> None:
        self.link = link
        self.job = job
        self.watch = Watch(job)
        self.input = memoryview(job["stdin"])
        self.sent: dict[int, int] = {}
        self.complaint = b""  # the end of standard error
        self.ended = ""
        self.status: int | None = None

    def go(self) -> None:
        folder = os.path.join(WORK, self.job["cwd"])  # noqa: PTH118
        try:
            for name, content in self.job["files"].items():
                path = os.path.join(WORK, name)  # noqa: PTH118
                os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
                with open(path, "wb") as file:  # noqa: PTH123
                    file.write(content)
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        except OSError as error:
            self.link.send(b"E", f"cannot write the program's files: {error}\n".encode())
            self.ended, self.began = "scratch", time.monotonic()
            self.report(0.0, 0)
            return
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(4)]
        (in_r, self.in_w), (self.out_r, out_w), (self.err_r, err_w), (fail_r, fail_w) = pipes
        self.began = time.monotonic()
        self.main = os.fork()
        if self.main == 0:
            confinement.become(self.job, folder, (in_r, out_w, err_w), fail_w)
        for end in (in_r, out_w, err_w, fail_w):
            os.close(end)
        reason = os.read(fail_r, 4096)  # returns at once when the program is started
        os.close(fail_r)
        self.sent = {self.out_r: 0, self.err_r: 0}
        for end in (self.in_w, self.out_r, self.err_r):
            os.set_blocking(end, False)
        if reason:
            self.link.send(b"E", b"cannot start: " + reason + b"\n")
            self.ended = "unstarted"
        self.loop()
        self.finish()

    def loop(self) -> None:
        """Until the program ends or a limit does it."""
        poll = select.poll()
        handle = os.pidfd_open(self.main)
        for end in (handle, self.out_r, self.err_r, self.link.fd):
            poll.register(end, select.POLLIN)
        if self.in_w >= 0:
            poll.register(self.in_w, select.POLLOUT)
        pause = 0.005
        next_look = self.began + pause
        deadline = self.began + self.job["wall_s"]
        while self.status is None and not self.ended:
            now = time.monotonic()
            if now >= deadline:
                self.ended = "wall"
            elif now >= next_look:
                self.ended = self.watch.look()
                pause = min(pause * 1.5, 0.04)
                next_look = time.monotonic() + pause
            if self.ended:
                break
            wait = max(0.0, min(next_look, deadline) - time.monotonic())
            for end, _ in poll.poll(wait * 1000 + 0.5):
                if end == self.link.fd:
                    os._exit(0)  # the suite is gone: everything ends
                elif end == self.in_w:
                    self.feed(poll)
                elif end in self.sent and not self.relay(end):
                    poll.unregister(end)
            self.status = self.watch.reap(self.main)
        os.close(handle)

    def feed(self, poll: select.poll) -> None:
        """Write what the program will take; close its input after the last byte."""
        try:
            while self.input:
                self.input = self.input[os.write(self.in_w, self.input[:CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:  # it reads no more
            pass
        poll.unregister(self.in_w)
        os.close(self.in_w)
        self.in_w = -1

    def relay(self, end: int) -> bool:
        """Pass output on up to the limit. False when the stream is over."""
        try:
            data = os.read(end, CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        room = (self.job["output_kib"] << 10) - self.sent[end]
        kept = data[:room]
        if kept:
            self.link.send(b"O" if end == self.out_r else b"E", kept)
        if end == self.err_r:
            self.complaint = (self.complaint + kept)[-4096:]
        self.sent[end] += len(kept)
        if len(data) > room:
            self.ended = self.ended or "output"
        return bool(data)

    def finish(self) -> None:
        """Kill everything, collect the rest of the output, report."""
        wall = time.monotonic() - self.began
        self.watch.look(ended=self.status is not None)
        leftovers = len(self.watch.alive()) if self.status is not None else 0
        while True:  # a process may be born while we kill
            try:
                os.kill(-1, signal.SIGKILL)
            except ProcessLookupError:
                break
            self.watch.reap(self.main)
            time.sleep(0.0005)
        self.watch.reap(self.main)
        for end in (self.out_r, self.err_r):
            before = -1
            while self.sent[end] != before:
                before = self.sent[end]
                self.relay(end)
        for end in (self.in_w, self.out_r, self.err_r):
            if end >= 0:
                os.close(end)
        for name, data in read_files(self.job["outputs"], self.job["output_kib"] << 10):
            self.link.send(b"F", name.encode() + b"\0" + data)
        self.report(wall, leftovers)

    def report(self, wall: float, leftovers: int) -> None:
        code, number = -1, 0
        if self.status is not None and not self.ended:
            if os.WIFSIGNALED(self.status):
                number = os.WTERMSIG(self.status)
            else:
                code = os.WEXITSTATUS(self.status)
        ended = self.ended or self.verdict(code, number)
        hits = sum(1 << ENDINGS.index(one) for one in {*self.watch.hits, ended} - {"exited"})
        fields = (code, number, ENDINGS.index(ended), wall, self.watch.used, self.watch.peak, hits, leftovers)
        self.link.send(b"R", struct.pack("<iiiddqii", *fields))

    def verdict(self, code: int, number: int) -> str:
        """Which limit made a program fail that ended by itself, if one did."""
        if number == signal.SIGXCPU or (number and self.watch.used > self.job["cpu_s"]):
            return "cpu"
        if number == signal.SIGXFSZ:
            return "file"
        if code > 0 or number:
            for one in ("scratch", "processes"):
                if one in self.watch.hits:
                    return one
            for words, meaning in ((NO_MEMORY, "memory"), (NO_PROCESS, "processes")):
                if any(one in self.complaint for one in words):
                    return meaning
            if full_file(self.job["file_mib"] << 20):
                return "file"
        return "exited"


def read_files(names: list[str], most: int) -> Iterator[tuple[str, bytes]]:
    """The named files that exist, are regular and have at most this many bytes."""
    for name in names:
        try:
            path = os.path.join(WORK, name)  # noqa: PTH118
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            if stat.S_ISREG(os.fstat(handle).st_mode):
                data = os.read(handle, most + 1)
                if len(data) <= most:
                    yield name, data
        except OSError:
            continue
        finally:
            os.close(handle)


def full_file(size: int) -> bool:
    """Whether a scratch file stands at the size limit."""
    seen = 0
    for folder, _, names in os.walk("/tmp"):
        for name in names:
            seen += 1
            try:
                if os.lstat(os.path.join(folder, name)).st_size >= size:  # noqa: PTH118
                    return True
            except OSError:
                continue
        if seen > 10_000:
            break
    return False
