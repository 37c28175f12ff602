"""Keys and credentials: where they are read, and how they are kept out of every text we write.

A key is named by its environment variable, never given as an option. Whatever an endpoint or a server's
log says is scrubbed of the values in use and of what looks like a key.
"""

import base64
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

from suite.errors import ConfigError

_LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_\-]{8,}|\bhf_[A-Za-z0-9]{8,}|\bghp_[A-Za-z0-9]{8,}|\bAKIA[A-Z0-9]{12,}"
    r"|(?i:\b(bearer|basic)\s+)[A-Za-z0-9._~+/=\-]{6,}|(?i:(?<=://))[^/\s:@]+:[^/\s@]+(?=@)"
)
HIDDEN = "***"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_NO_KEY = re.compile(r"[^!-~]|[\"'`]")
_NO_HEADER = re.compile(r"[^\t -~\xa0-\xff]|^[ \t]|[ \t]$")  # RFC 9110, 5.5; Latin-1 is what the wire holds


class Scrubber:
    """Replaces secrets in texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({one for one in secrets if len(one) >= 4}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with every secret, and what looks like one, replaced."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _LOOKS_LIKE_A_KEY.sub(lambda found: f"{found[1]} {HIDDEN}" if found[1] else HIDDEN, text)


def read_key(variable: str, *, required: bool) -> str:
    """The value of an environment variable that holds a key, "" if it is not set.

    Raises ConfigError if it is required and missing, if a key itself was given as its name, or if it holds
    what no key does: quotes, white space, control characters, anything but ASCII.
    """
    if not _VARIABLE.fullmatch(variable):
        raise ConfigError(
            "api_key_env must be the name of an environment variable, not a key",
            fix="export the key under a name, for example OPENAI_API_KEY, and give that name",
        )
    value = os.environ.get(variable, "")
    if required and not value.strip():
        raise ConfigError(
            f"the environment variable {variable} is not set",
            fix=f"export {variable}=... with your key; it is never written to any file",
        )
    check_header(value, f"the environment variable {variable}", _NO_KEY)
    return value


def check_header(value: str, what: str, bad: re.Pattern[str]) -> None:
    """Raises ConfigError naming the first character that `bad` finds by its position, never the value."""
    found = bad.search(value)
    if found:
        character = found[0]
        raise ConfigError(
            f"{what} holds a character that cannot be sent at position {found.start() + 1} of {len(value)}: "
            f"{unicodedata.name(character, f'U+{ord(character):04X}').lower()}",
            fix="set it to the bare value: no quotes, spaces, line breaks or dots that stand for the rest",
        )


def read_headers(variables: Mapping[str, str]) -> dict[str, str]:
    """Header name -> value of its environment variable. Raises ConfigError for what no header can hold."""
    found = {}
    for name, variable in variables.items():
        if not _TOKEN.fullmatch(name):
            raise ConfigError(f"headers_env: {name!r} cannot name a header", fix="for example X-Org")
        if not _VARIABLE.fullmatch(variable):
            raise ConfigError(f"headers_env: {name} must name an environment variable, not hold a value")
        value = os.environ.get(variable, "")
        if not value:
            raise ConfigError(f"the environment variable {variable} is not set", fix=f"export {variable}=...")
        check_header(value, f"the environment variable {variable} (header {name})", _NO_HEADER)
        found[name] = value
    return found


def split_url(url: str) -> tuple[str, str, list[str]]:
    """(URL without credentials and trailing slash, Authorization header or "", secrets).

    Raises ConfigError if it is not an http(s) URL, or carries a query, which may hold a key.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"{Scrubber()(url)!r} is not an http or https URL", fix="for example http://127.0.0.1:8000/v1"
        )
    if parts.query or parts.fragment:
        raise ConfigError(
            "a base URL must not have a query or fragment", fix="give keys by api_key_env or headers_env"
        )
    host = parts.netloc.rpartition("@")[2]
    clean = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    if parts.username is None:
        return clean, "", []
    user, password = unquote(parts.username), unquote(parts.password or "")
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return clean, f"Basic {token}", [password, token]
