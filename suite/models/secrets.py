"""Keys and credentials: where they are read, and how they are kept out of every text we write.

A key is named by its environment variable, never given as an option. Whatever an endpoint or a server's
log says is scrubbed of the values in use and of what looks like a key.
"""

import base64
import os
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit, urlunsplit

from suite.errors import ConfigError

_LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:sk|pk|rk)-[A-Za-z0-9_\-]{8,}|\bhf_[A-Za-z0-9]{8,}|\bghp_[A-Za-z0-9]{8,}|\bAKIA[A-Z0-9]{12,}"
    r"|(?i:\b(bearer|basic)\s+)[A-Za-z0-9._~+/=\-]{6,}|(?i:(?<=://))[^/\s:@]+:[^/\s@]+(?=@)"
)
HIDDEN = "***"


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

    Raises ConfigError if it is required and missing, or if a key itself was given as its name.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise ConfigError(
            "api_key_env must be the name of an environment variable, not a key",
            fix="export the key under a name, for example OPENAI_API_KEY, and give that name",
        )
    value = os.environ.get(variable, "").strip()
    if required and not value:
        raise ConfigError(
            f"the environment variable {variable} is not set",
            fix=f"export {variable}=... with your key; it is never written to any file",
        )
    if not value.isprintable():
        raise ConfigError(f"the environment variable {variable} holds a line break or the like, not a key")
    return value


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
