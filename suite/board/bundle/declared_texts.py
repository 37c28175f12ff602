"""Rules for what a submitter declares, as for a board's titles: texts show as they are, addresses lead where
they say, dates are real. Not here: which fields there are (`submission`).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from suite.chat import Json

_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u180e")  # letters and marks that show nothing
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.I)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_FIRST_RUN = date(2020, 1, 1)
_FIRST_MODEL = date(2010, 1, 1)
_AHEAD = timedelta(days=2)  # clocks and time zones


def broken_rules(found: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """(field, what is wrong, what stands there) for what is declared in a submission."""
    for part in ("model", "submitter", "disclosure", "terms"):
        for field, text in strings(found.get(part) or {}, part):
            if what := hidden(text) or _misleading(text):
                yield field, what, ascii(text)[:200]
    model = found.get("model")
    latest = datetime.now(UTC).date() + _AHEAD
    for field, value, first in (
        ("created", found.get("created"), _FIRST_RUN),
        ("model/release_date", model.get("release_date") if isinstance(model, dict) else None, _FIRST_MODEL),
    ):
        try:
            told = date.fromisoformat(str(value)[:10])
        except ValueError:
            continue  # the schema names it
        if not first <= told <= latest:
            yield field, f"is no date between {first} and now", value


def hidden(text: str) -> str:
    """What in a text shows nothing or turns others around, "" if nothing."""
    for one in text:
        kind = unicodedata.category(one)
        if one in _BLANK or (kind in ("Cf", "Cc", "Co", "Zl", "Zp") and one not in "\n\t"):
            name = unicodedata.name(one, f"U+{ord(one):04X}").lower()
            return f"holds a character that cannot be seen ({name})"
    return "" if not text or text.strip() else "is blank"


def _misleading(text: str) -> str:
    """Why an address in a text may lead elsewhere than it seems to, "" if none does."""
    for url in _URL.findall(text):
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return "holds an address that cannot be read"
        if "@" in parts.netloc or "\\" in url:
            return "holds an address with a name before its host"
        if not host.isascii() or "xn--" in host:
            return "holds an address whose host is not written in plain letters"
        if not _HOST.fullmatch(host):
            return "holds an address whose host is no public name"
    return ""


def strings(value: Json, field: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) of every string of a JSON value, keys included."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield field, key
            yield from strings(one, f"{field}/{key}" if field else key)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from strings(one, f"{field}/{index}")
