"""Replies kept across runs, so that an identical question to an identical model is paid for once.

One SQLite file in the user's cache folder; writes are gathered and committed at most once a second. The key
holds who answers (identity with revision and engine version), the request, trial and key, and the seed only
where the reply is sampled: so repeats are never faked. A cache that cannot be used is said and left alone:
it never stops a run.
"""

import errno
import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from suite.chat import Reply, Request, canonical_json
from suite.models.base import Engine

NEVER = frozenset({"scripted", "replay", "lexical"})  # cost nothing, or may change under the same name
_BATCH = 256
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Reply).decode


def identity_hash(engine: Engine) -> bytes:
    """Hash of who answers, once the engine has started."""
    return hashlib.sha256(canonical_json(dict(engine.identity()))).digest()


def cache_key(who: bytes, request: Request, request_hash: str, trial: int, key: str, seed: int) -> bytes:
    """16 bytes. The seed counts unless the temperature is 0."""
    sampled = request.options.temperature != 0.0
    tail = f"{request_hash}\x1f{trial}\x1f{key}\x1f{seed if sampled else ''}"
    return hashlib.blake2b(who + tail.encode(), digest_size=16).digest()


class ResponseCache:
    """The file. Several processes may use it at once."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._say = say
        self._waiting: list[tuple[int, bytes, bytes]] = []
        self._file: sqlite3.Connection | None = None
        self._empty = True  # nothing of earlier runs: no need to look
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(path.is_symlink() for path in folder.glob("replies.sqlite*")):
                raise OSError(errno.ELOOP, "a symbolic link stands in its place")
            self._file = sqlite3.connect(folder / "replies.sqlite", timeout=10.0, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS replies "
                "(id INTEGER PRIMARY KEY, short INTEGER, whole BLOB, reply BLOB)"
            )
            self._file.execute("CREATE INDEX IF NOT EXISTS by_short ON replies (short)")
            self._empty = self._file.execute("SELECT 1 FROM replies LIMIT 1").fetchone() is None
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def get(self, key: bytes) -> Reply | None:
        """A reply of an earlier run."""
        if self._empty or self._file is None:
            return None
        try:
            rows = self._file.execute("SELECT whole, reply FROM replies WHERE short = ?", (_short(key),))
            found = next((reply for whole, reply in rows if whole == key), None)
            return None if found is None else _decode(found)
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            self._give_up(error)
            return None

    def put(self, key: bytes, reply: Reply) -> None:
        """Keep a reply."""
        if self._file is not None:
            self._waiting.append((_short(key), key, _encode(reply)))
            if len(self._waiting) >= _BATCH:
                self.flush()

    def flush(self) -> None:
        """Commit what waits."""
        if self._file is None or not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT INTO replies (short, whole, reply) VALUES (?, ?, ?)", waiting)
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Commit and close."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _give_up(self, error: Exception) -> None:
        self._say(f"the response cache is not used: {error} (--no-cache leaves it out)")
        self._waiting.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


def replies_folder(cache: Path) -> Path:
    """Where the response cache is."""
    return cache / "replies"


def _short(key: bytes) -> int:
    return int.from_bytes(key[:8], "big", signed=True)
