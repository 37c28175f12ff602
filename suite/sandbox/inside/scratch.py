"""The scratch folders inside a sandbox: filling them and reading them back."""

import os
import stat
from collections.abc import Iterator

WORK = "/tmp/work"


def write_files(files: dict[str, bytes]) -> None:
    """Put a program's files into its folder."""
    for name, content in files.items():
        path = os.path.join(WORK, name)  # noqa: PTH118
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(content)


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
