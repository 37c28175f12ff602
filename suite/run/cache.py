"""Replies kept across runs, so that an identical question to an identical model is paid for once.

One SQLite file in the user's cache folder; writes are gathered and committed at most once a second. The
key holds who answers (identity with revision, engine version and what the endpoint tells), the request, trial
and key, and the seed only where the reply is sampled: so repeats are never faked. A run of the same plan as
the one that kept a reply asks anew, unless told otherwise. A cache that cannot be used is said and left
alone: it never stops a run.
"""

import asyncio
import contextlib
import errno
import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from suite.chat import Json, Reply, Request, canonical_json
from suite.models.engine import Engine
from suite.secrets import scrub
from suite.trees import MISSING, differences

NEVER = frozenset({"scripted", "replay", "lexical"})  # cost nothing, or may change under the same name
_BATCH = 256
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Reply).decode


def identity_hash(engine: Engine) -> bytes:
    """Hash of who answers, once the engine has started."""
    return hashlib.sha256(canonical_json(dict(engine.identity()))).digest()


def other_facts(was: Mapping[str, Json] | None, now: Mapping[str, Json]) -> Iterator[str]:
    """What an endpoint tells otherwise than it did: its model, version and address, as "root: a, now b"."""
    now = msgspec.json.decode(scrub(msgspec.json.encode(now).decode()))  # as a manifest is written
    for name in ("told", "engine_version", "url"):
        before, after = (one.get(name) or {} for one in (was or {}, now))
        if name == "url" and {*str(before).split(", ")} & {*str(after).split(", ")}:
            continue  # replicas of one model: more or fewer of them
        for path, there, here in differences(before, after):
            if before and there is not MISSING and here is not MISSING:
                place = ".".join(filter(None, (name, path))).removeprefix("told.")
                yield f"{place}: {there}, now {here}"[:300]


def cache_key(who: bytes, request: Request, request_hash: str, trial: int, key: str, seed: int) -> bytes:
    """16 bytes. The seed counts unless the temperature is 0."""
    sampled = request.options.temperature != 0.0
    tail = f"{request_hash}\x1f{trial}\x1f{key}\x1f{seed if sampled else ''}"
    return hashlib.blake2b(who + tail.encode(), digest_size=16).digest()


Reuse = Literal["none", "others", "all"]


class Kept(NamedTuple):
    """A reply of an earlier run, and when it was asked for: seconds since the epoch, 0 if unknown."""

    reply: Reply
    at: float


class Answering:
    """Who answers for one member now, by its replies: a kept one counts only if the same model gave it.

    sure: its identity is one of content, nothing is to be asked. Else the first kept reply is asked for anew,
    and others wait for that answer. Once two models answer, nobody knows who the next would be.
    """

    def __init__(self, sure: bool) -> None:
        self._sure = sure
        self._seen: set[tuple[str, str]] = set()
        self._asking: asyncio.Event | None = None

    @property
    def one(self) -> bool:
        """Whether one model answers, as far as was heard."""
        return len({model for model, _ in self._seen}) < 2

    def heard(self, reply: Reply) -> None:
        """A reply that was asked for in this run."""
        details = reply.details if isinstance(reply.details, Mapping) else {}
        if "row" not in details and "settled" not in details:  # a refusal names no model
            self._seen.add((reply.model, reply.fingerprint))
        self.asked()

    def asked(self) -> None:
        """The question that others wait for has ended, whichever way."""
        if self._asking is not None:
            self._asking.set()
            self._asking = None

    async def gave(self, reply: Reply) -> bool:
        """Whether a kept reply may be used. False makes the caller ask."""
        while not self._sure and not self._seen:
            if self._asking is None:
                self._asking = asyncio.Event()
                return False
            await self._asking.wait()
        return self._sure or (self.one and (reply.model, reply.fingerprint) in self._seen)


class ResponseCache:
    """The file. Several processes may use it at once.

    plan: of this run; a reply that a run of the same plan kept is not given. reuse: "none" gives nothing,
    "all" whatever there is.
    """

    def __init__(
        self, folder: Path, say: Callable[[str], None], plan: str = "", reuse: Reuse = "others"
    ) -> None:
        self._say = say
        self._plan = plan
        self._reuse = reuse
        self._waiting: list[tuple[int, bytes, bytes, float, str]] = []
        self._file: sqlite3.Connection | None = None
        self._empty = True  # nothing of earlier runs: no need to look
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(path.is_symlink() for path in folder.glob("replies.sqlite*")):
                raise OSError(errno.ELOOP, "a symbolic link stands in its place")
            self._file = sqlite3.connect(folder / "replies.sqlite", timeout=10.0, isolation_level=None)
            # the pages are of a new file: of 4 KiB they would hold two replies
            for setting in ("page_size=16384", "journal_mode=WAL", "synchronous=NORMAL"):
                self._file.execute(f"PRAGMA {setting}")
            columns = "id INTEGER PRIMARY KEY, short INTEGER, whole BLOB, reply BLOB"
            self._file.execute(f"CREATE TABLE IF NOT EXISTS replies ({columns})")
            for column in ("at REAL", "plan TEXT"):  # a file of an earlier version has neither
                with contextlib.suppress(sqlite3.OperationalError):
                    self._file.execute(f"ALTER TABLE replies ADD COLUMN {column}")
            self._file.execute("CREATE INDEX IF NOT EXISTS by_short ON replies (short)")
            self._empty = self._file.execute("SELECT 1 FROM replies LIMIT 1").fetchone() is None
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def get(self, key: bytes, *, vouched: bool = False) -> Kept | None:
        """The newest reply of an earlier run. vouched: of a run of the same plan, too."""
        if self._empty or self._file is None or self._reuse == "none":
            return None
        every = vouched or self._reuse == "all"
        try:
            asked = "SELECT whole, reply, at, plan FROM replies WHERE short = ? ORDER BY id DESC"
            for whole, reply, at, plan in self._file.execute(asked, (_short(key),)):
                if whole == key and (every or plan != self._plan):
                    return Kept(_decode(reply), at or 0.0)
            return None
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            self._give_up(error)
            return None

    def put(self, key: bytes, reply: Reply) -> None:
        if self._file is not None:
            self._waiting.append((_short(key), key, _encode(reply), time.time(), self._plan))
            if len(self._waiting) >= _BATCH:
                self.flush()

    def flush(self) -> None:
        if self._file is None or not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        try:
            self._file.execute("BEGIN IMMEDIATE")
            put = "INSERT INTO replies (short, whole, reply, at, plan) VALUES (?, ?, ?, ?, ?)"
            self._file.executemany(put, waiting)
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _give_up(self, error: Exception) -> None:
        self._say(f"the response cache is not used: {error} (--no-cache leaves it out)")
        self._waiting.clear()
        self.close()


def _short(key: bytes) -> int:
    return int.from_bytes(key[:8], "big", signed=True)
