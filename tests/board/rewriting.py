"""Bundles changed and sealed again, as a careful tamperer would."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sealing import seal

from suite.board.bundle import frames
from tests.board.making import journal, lines_of, with_crc, without_crc, write_lines


def rewrite(bundle: Path, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = journal(bundle, name)
    write_lines(path, change(lines_of(path)))
    seal(bundle)


def raw(bundle: Path, name: str, data: bytes) -> None:
    journal(bundle, name).write_bytes(frames.compress(data))
    seal(bundle)


def first(change: Callable[[bytes], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    """Change the first line's JSON, and give it a checksum."""
    return lambda lines: [with_crc(change(without_crc(lines[0]))), *lines[1:]]


def changed(bundle: Path, to: Path, **changes: Any) -> Path:
    """A copy whose submission.json says something else, sealed again."""
    shutil.copytree(bundle, to)
    path = to / "submission.json"
    told = json.loads(path.read_text())
    for key, value in changes.items():
        if isinstance(value, dict):
            told[key] = {**told[key], **value}
        else:
            told[key] = value
    path.write_text(json.dumps(told))
    seal(to)
    return to
