"""Values as text and hashes, as all formats here have them."""

import hashlib
from datetime import UTC, datetime

import msgspec

import suite


def text_of(value: object) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lowercase hex digits."""
    return hashlib.sha256(data).hexdigest()


def moment(text: str) -> datetime:
    """A time as documents tell it. Raises ConfigError for one that is no ISO-8601 time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise suite.ConfigError(f"the run's time {text!r} is no ISO-8601 time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
