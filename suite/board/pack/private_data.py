"""What must not leave this machine in a bundle: keys, and what names the machine or its user.

Everything that goes in is looked through. Journals hold what models wrote, and a model may well speak of
/home/user or show how a key looks: there, only real shapes of tokens count, the values of this process's own
key variables, and this very machine's home folder and host name. Documents that we write ourselves are held
to more: no absolute path and no credentials in a URL. Nothing is replaced: a changed record would no longer
verify.
"""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from suite.data import strict_syntax
from suite.files import open_regular
from suite.secrets import Scrubber, environment, secret_place

_START = rb"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))"  # a line break stands as \n in JSON
_TABLE = strict_syntax.read_table(__package__, "key_shapes.yaml", dict[str, Any])
_PATTERNS = {
    what: (literal.encode(), re.compile(_START + pattern.encode()))
    for what, (literal, pattern) in _TABLE["keys"].items()
}
_INVENTED = re.compile(_TABLE["invented"].encode(), re.I)
_MACHINE_PATH = re.compile(_TABLE["machine_path"])
_URL_LOGIN = re.compile(_TABLE["url_login"], re.I)


class Leak(NamedTuple):
    """Something that must not go in. what: its kind, never the thing itself. line: 0 for a document."""

    what: str
    where: str
    line: int = 0
    record: str = ""


@dataclass(frozen=True)
class Machine:
    """What names this machine and its user. Empty values are not looked for."""

    home: str = ""
    host: str = ""
    values: tuple[tuple[str, str], ...] = ()  # (variable, value) of the keys in the environment

    @classmethod
    def this(cls) -> "Machine":
        """This machine. A home or host name that a model could write by chance is left out."""
        home = str(Path.home())
        user = home.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
        host = socket.gethostname()
        telling = len(host) >= 6 and re.search(r"[0-9.-]", host) and not host.startswith("localhost")
        values = tuple(sorted(environment()))
        usual = user in ("", *_TABLE["common_users"])
        return cls("" if usual else home, host if telling else "", values)

    @cached_property
    def scrubbers(self) -> tuple[tuple[str, Scrubber], ...]:
        """(what, who finds it in any form) of the keys."""
        what = "the value of the environment variable"
        return tuple((f"{what} {name}", Scrubber([value])) for name, value in self.values)

    @cached_property
    def needles(self) -> tuple[tuple[str, bytes, re.Pattern[bytes]], ...]:
        """(what, bytes that must occur, pattern)."""
        found = []
        for what, name, before in (
            ("this user's home folder", self.home, b""),
            ("this machine's host name", self.host, rb"(?<![A-Za-z0-9])"),
        ):
            raw = name.encode("utf-8", "surrogateescape").replace(b"\\", b"\\\\")
            if raw:
                found.append((what, raw, re.compile(before + re.escape(raw) + rb"(?![A-Za-z0-9])")))
        return tuple(found)


def in_bytes(data: bytes, machine: Machine) -> Iterator[tuple[str, int]]:
    """(what, offset) of every secret in a piece of text."""
    for what, (literal, pattern) in _PATTERNS.items():
        if literal in data:
            yield from ((what, hit.start()) for hit in pattern.finditer(data) if _real(hit.group()))
    for what, literal, pattern in machine.needles:
        if literal in data:
            yield from ((what, hit.start()) for hit in pattern.finditer(data))
    for what, scrubber in machine.scrubbers:
        if scrubber.bytes(data) is not data:
            text = data.decode("latin-1")  # a character a byte: keys are ASCII
            yield from ((what, low) for low, _ in scrubber.spans(text))


def _real(token: bytes) -> bool:
    """Whether a token looks drawn at random: letters and digits mixed, nothing of a made-up example."""
    if _INVENTED.search(token):
        return False
    if token.startswith(b"-----"):
        return True
    tail = token[4:]
    return len(set(tail)) >= 10 and any(48 <= c <= 57 for c in tail)


def in_journal(path: Path, name: str, machine: Machine) -> Iterator[Leak]:
    """The secrets of a journal. name: what to call the file."""
    if not path.exists():
        return
    with open_regular(path) as file:
        for number, line in enumerate(file, 1):
            for what, _ in in_bytes(line, machine):
                yield Leak(what, name, number, _record(line))


def _record(line: bytes) -> str:
    """What to call a record: its sample, or its group, or the beginning of its id."""
    for key in ("sample", "group", "id", "sha256"):
        mark = f'"{key}":"'.encode()
        at = line.find(mark)
        if at >= 0:
            value = line[at + len(mark) : at + len(mark) + 80].partition(b'"')[0]
            return f"{key} {value.decode('utf-8', 'replace')}"
    return ""


def in_document(data: bytes, name: str, machine: Machine) -> Iterator[Leak]:
    """The secrets and machine paths of a document that we write: more is refused than in a journal."""
    for what, _ in in_bytes(data, machine):
        yield Leak(what, name)
    if name.endswith(".json"):
        with contextlib.suppress(ValueError):
            if place := secret_place(json.loads(data)):
                yield Leak(f"a field that names a secret ({place})", name)
    text = data.decode("utf-8", "replace").replace("\\\\", "\\")
    for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', text):
        if _MACHINE_PATH.search(literal):
            yield Leak("a path of this machine", name, 0, literal[:80])
        if _URL_LOGIN.search(literal):
            yield Leak("a login in a URL", name)
