"""What must reach no file, terminal, bundle or export: keys, and texts that look like keys.

Known are the values that this process read as keys, and those of environment variables whose names say so.
A known key is found in any form in which a peer may give it back (escaped, URL-encoded, base64, hex) and
in any part of at least its half. Scrub before cutting: half a key is easily missed.
"""

import base64
import json
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TextIO
from urllib.parse import parse_qsl, quote, urlsplit

HIDDEN = "***"
_ENVIRONMENT = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.I)
_LOGIN = re.compile(r"(?<=://)[^/\s:@]*:([^/\s@]+)(?=@)")
_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_SHAPES = re.compile("|".join(_TABLE["shapes"]))
_SHORTEST = 4
_PART = 8  # characters: fewer of a long key tell too little, and stand in other texts by chance
_OF_ENVIRONMENT = 12

_read: dict[str, None] = {}  # one process has one set of keys; whoever reads one adds it


def remember(*values: str) -> None:
    """Hold values for secret from now on."""
    _read.update(dict.fromkeys(one for one in values if len(one) >= _SHORTEST))


def environment() -> Iterator[tuple[str, str]]:
    """(variable, value) of what the environment holds for secret."""
    for name, value in os.environ.items():
        if _ENVIRONMENT.search(name) and len(value) >= _OF_ENVIRONMENT and not value.startswith("/"):
            yield name, value
        elif login := _LOGIN.search(value):
            yield name, login[1]


def scrub(text: str) -> str:
    """The text without the secrets that are known."""
    return _scrubber(tuple(_read), tuple(value for _, value in environment())).known(text)


def scrub_all(text: str) -> str:
    """The text without the secrets that are known, and without what looks like one."""
    return _SHAPES.sub(_hidden, scrub(text))


def looks_secret(text: str) -> bool:
    """Whether a text that is to be recorded looks as if it held a key that `scrub` does not know."""
    found = _SHAPES.finditer(scrub(text))
    return any(not one[1] or any(map(str.isdigit, one[0])) for one in found)  # "basic skills" is no login


def scrub_streams() -> None:
    """Let no secret reach a terminal, whoever writes: reports, errors, tracebacks."""
    _scrubbed(sys.stdout, scrub)
    _scrubbed(sys.stderr, scrub_all)


def _scrubbed(stream: TextIO | None, clean: Callable[[str], str]) -> None:
    if stream is not None:  # None: closed by whoever started us
        write = stream.write
        stream.write = lambda text: write(clean(text))  # type: ignore[method-assign]


class _Piece(NamedTuple):
    """A piece of a form of a secret: who holds enough of the form holds one of its pieces whole."""

    form: str
    at: int
    piece: str
    raw: bytes
    needed: int  # characters of the form that are hidden, and more


class Scrubber:
    """Replaces given secrets in texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form: one for one in secrets if len(one) >= _SHORTEST for form in _forms(one)}
        self._blocks = [block for form, one in forms.items() for block in _blocks(form, one)]

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def __call__(self, text: str) -> str:
        """The text with every secret, and what looks like one, replaced."""
        return _SHAPES.sub(_hidden, self.known(text))

    def known(self, text: str) -> str:
        """The text with every given secret replaced."""
        spans = self.spans(text)
        return _without(text, spans) if spans else text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in a text a given secret stands: (first character, end), in order."""
        found = [span for block in self._blocks if block.piece in text for span in _spans(text, block)]
        return sorted(found)

    def bytes(self, body: bytes) -> bytes:
        """UTF-8 with every given secret replaced; the very same object where there is none."""
        if not any(block.raw in body for block in self._blocks):
            return body
        text = body.decode("utf-8", "surrogateescape")
        found = self.known(text)
        return body if found == text else found.encode("utf-8", "surrogateescape")


_scrubber = lru_cache(maxsize=4)(lambda *groups: Scrubber(one for group in groups for one in group))


def _hidden(found: "re.Match[str]") -> str:
    return f"{found[1]} {HIDDEN}" if found[1] else f"{found[2]}{HIDDEN}" if found[2] else HIDDEN


def _forms(secret: str) -> set[str]:
    """The secret as it may stand in texts, JSON, URLs and headers."""
    if len(secret) < _PART:
        return {secret}
    raw = secret.encode("utf-8", "surrogateescape")
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret)[1:-1].replace("/", "\\/"), raw.hex()}
    forms |= {quote(raw, safe=""), quote(raw), quote(raw, safe="").lower()}
    for before in range(3):  # base64 of a text that holds it, wherever it begins
        inner = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")[(before * 8 + 5) // 6 :]
        inner = inner[: -1 if (before + len(raw)) % 3 else None]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms


def _blocks(form: str, secret: str) -> Iterator[_Piece]:
    # what looks drawn at random is told by half of it; a phrase counts as a whole
    drawn = len(secret) >= 2 * _PART and re.search(r"[0-9]", secret) and re.search(r"[A-Za-z]", secret)
    needed = max(_PART, len(form) // 2) if drawn else len(form)
    size = (needed + 1) // 2
    for at in range(0, len(form) - size + 1, size):
        piece = form[at : at + size]
        yield _Piece(form, at, piece, piece.encode("utf-8", "surrogateescape"), needed)


def _spans(text: str, block: _Piece) -> Iterator[tuple[int, int]]:
    """Where enough of a form stands around its piece."""
    form, start = block.form, text.find(block.piece)
    while start >= 0:
        low, left = start, block.at
        while left and low and text[low - 1] == form[left - 1]:
            low, left = low - 1, left - 1
        high, right = start + len(block.piece), block.at + len(block.piece)
        while right < len(form) and high < len(text) and text[high] == form[right]:
            high, right = high + 1, right + 1
        enough = high - low >= block.needed
        if enough:
            yield low, high
        start = text.find(block.piece, high if enough else start + 1)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    kept: list[str] = []
    done = 0
    for low, high in spans:
        if low > done or not kept:
            kept += [text[done:low], HIDDEN]
        done = max(done, high)
    return "".join([*kept, text[done:]])


_NAME = re.compile(rf"(?:^|_)(?:{'|'.join(_TABLE['names'])})(?:_|$)|^token$|^key$")
_PAIR = re.compile(r"\s*-{0,2}([A-Za-z][A-Za-z0-9_.\- ]{1,60}?)\s*[=:]\s*(\S.*)", re.S)


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()).strip("_")


def names_secret(name: str, value: object) -> bool:
    """Whether a name says that this value is secret."""
    name = _name(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value in ("", HIDDEN):
        return False
    if name.endswith("_env") or not _NAME.search(name):
        return False
    if name == "auth":
        return bool(re.fullmatch(r"\S{16,}", str(value)))
    return name not in ("key", "token") or bool(re.fullmatch(r"(?=.*[0-9])\S{16,}", str(value)))


def secret_place(value: object, name: str = "") -> str | None:
    """Where in a JSON value a secret stands, by its names; None if nowhere. Never the secret itself."""
    if names_secret(name.rpartition(".")[2], value):
        return name
    if isinstance(value, dict):
        if name.endswith("_env"):
            return None
        inner = ((one, f"{name}.{key}" if name else str(key)) for key, one in value.items())
    elif isinstance(value, list | tuple):
        for flag, one in pairwise(value):  # ["--api-key", "…"], ["X-Api-Key", "…"]
            if isinstance(flag, str) and names_secret(flag, one):
                return f"{name}[{_name(flag)}]"
        inner = ((one, f"{name}[]") for one in value)
    elif isinstance(value, str):
        return _in_text(value, name)
    else:
        return None
    return next((found for one, place in inner if (found := secret_place(one, place))), None)


_URL_LOGIN = re.compile(r"(?<=://)[^/\s@\"']+@")
_QUERY = re.compile(r"(?<=[?&;])([^=&#\s]+)=([^&#\s\"']+)")
_QUOTED = re.compile(r"""(['"]?\b([A-Za-z][A-Za-z0-9_.\-]{1,60})['"]?\s*[:=]\s*)(['"])((?:(?!\3).)+)\3""")


def safe_command(words: Iterable[str]) -> str:
    """A command line for a shell, without secrets: what looks like one, and what a name calls one."""
    shown: list[str] = []
    flag = ""
    for word in words:
        text, pair = safe_text(word), _PAIR.match(word)
        if flag.startswith("-") and names_secret(flag.lstrip("-"), word):
            text = HIDDEN
        elif pair and (names_secret(pair[1], pair[2].strip()) or (pair[2] in text and secret_place(pair[2]))):
            text = word[: pair.start(2)] + HIDDEN
        shown.append(text)
        flag = word
    return shlex.join(shown)


def safe_text(text: str) -> str:
    """A text without secrets: what looks like one, logins and keys in URLs, what NAME="…" calls one."""
    text = _URL_LOGIN.sub(f"{HIDDEN}@", scrub_all(text))
    text = _QUERY.sub(lambda one: f"{one[1]}={HIDDEN}" if _NAME.search(_name(one[1])) else one[0], text)
    return _QUOTED.sub(
        lambda one: f"{one[1]}{one[3]}{HIDDEN}{one[3]}" if names_secret(one[2], one[4]) else one[0], text
    )


def _in_text(text: str, name: str) -> str | None:
    if text[:1] in "{[" and len(text) < 2**20:
        with suppress(ValueError, RecursionError):
            return secret_place(json.loads(text), name)
    if "://" in text and (found := secret_in_url(text)):
        return f"{name}: {found}"
    pair = _PAIR.match(text)
    return f"{name}: {_name(pair[1])}" if pair and names_secret(pair[1], pair[2].strip()) else None


def secret_in_url(url: str) -> str:
    """What in a URL is secret, in words: its password, or a part of its query; "" if nothing."""
    if _LOGIN.search(url):
        return "the password of a URL"
    try:
        query = parse_qsl(urlsplit(url).query)
    except ValueError:
        return ""
    for name, value in query:
        if value and (_NAME.search(_name(name)) or _name(name) in ("sig", "signature", "token", "key")):
            return f"`{name}` in the query of a URL"
    return ""
