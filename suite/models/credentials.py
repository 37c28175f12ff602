"""Where keys and credentials are read: from environment variables and URLs, never from options.

What is read is remembered, so that it reaches no file and no terminal (`suite.secrets`).
"""

import base64
import os
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

from suite.errors import ConfigError
from suite.secrets import Scrubber, looks_secret, remember

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_NO_KEY = re.compile(r"[^!-~]|[\"'`]")
_NO_HEADER = re.compile(r"[^\t -~\xa0-\xff]|^[ \t]|[ \t]$")  # RFC 9110, 5.5; Latin-1 is what the wire holds
_TELLING = re.compile(r"[A-Z][A-Z0-9_]{0,60}_(?:KEY|TOKEN|SECRET|PASSWORD)")  # no key looks so


def read_key(variable: str, *, required: bool) -> str:
    """The value of an environment variable that holds a key, "" if it is not set.

    Raises ConfigError if it is required and missing, if a key itself was given as its name, or if it holds
    what no key does: quotes, white space, control characters, anything but ASCII.
    """
    if not _VARIABLE.fullmatch(variable):
        raise ConfigError.of("models.keys.no-name")
    return _read(variable, _NO_KEY, required=required)


def _read(variable: str, bad: re.Pattern[str], *, required: bool = True, header: str = "") -> str:
    """The value of a variable. Raises ConfigError if it is missing, or for the first character that `bad`
    finds, by its position: never with the value, nor with a variable's name that may be a key itself.
    """
    value, known = os.environ.get(variable, ""), variable in os.environ or _TELLING.fullmatch(variable)
    what = f"the environment variable {variable if known else 'that is named'}"
    whose = f" (header {header})" if header else ""
    if required and not value.strip():
        raise ConfigError.of("models.keys.not-set", what=what, whose=whose)
    if found := bad.search(value):
        character = unicodedata.name(found[0], f"U+{ord(found[0]):04X}").lower()
        at = f"position {found.start() + 1} of {len(value)}: {character}"
        raise ConfigError.of("models.keys.character", what=what, whose=whose, at=at)
    remember(value)
    return value


def read_headers(variables: Mapping[str, str]) -> dict[str, str]:
    """Header name -> value of its environment variable. Raises ConfigError for what no header can hold."""
    found = {}
    for name, variable in variables.items():
        if not _TOKEN.fullmatch(name):
            raise ConfigError(f"headers_env: {name!r} cannot name a header", fix="for example X-Org")
        if not _VARIABLE.fullmatch(variable):
            raise ConfigError(f"headers_env: {name} must name an environment variable, not hold a value")
        found[name] = _read(variable, _NO_HEADER, header=name)
    return found


def azure_authorization(variable: str) -> dict[str, str]:
    """The header with a variable's key, or with a token of Microsoft Entra ID; {} if there is none."""
    key = read_key(variable, required=False) or read_key("AZURE_OPENAI_AD_TOKEN", required=False)
    token = key.startswith("eyJ")  # a JSON Web Token
    return {"Authorization": f"Bearer {key}"} if token else {"api-key": key} if key else {}


def split_addresses(text: str) -> list[str]:
    """The URLs of an option that may name several: `http://a/v1,http://b/v1`.

    Raises ConfigError for an entry that is empty or no URL, and for a server that stands there twice.
    """
    found = [one.strip() for one in text.split(",")]
    if len(found) == 1:
        return found
    for n, one in enumerate(found, 1):
        if not re.match(r"https?://", one, re.IGNORECASE):  # may be half of a password
            shown = f"address {n}" if "@" in text or not one else repr(Scrubber()(one))
            wrong = f"{shown} is {'no http URL' if one else 'empty'}"
            raise ConfigError.of("models.url.several", wrong=wrong)
    seen = set()
    for clean in (split_url(one, query="api-version")[0] for one in found):
        parts = urlsplit(clean)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        place = (parts.hostname, port, parts.path.removesuffix("/v1"), parts.query)
        if place in seen:
            raise ConfigError.of("models.url.several", wrong=f"{clean} stands twice")
        seen.add(place)
    return found


def split_url(url: str, query: str = "") -> tuple[str, str, list[str]]:
    """(URL without credentials, trailing slash and route, Authorization header or "", secrets).

    query: the one parameter that it may carry. Raises ConfigError if it is not an http(s) URL, or has another
    query, which may hold a key.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port  # noqa: F841  (checked when it is read)
    except ValueError as error:
        raise ConfigError(f"{Scrubber()(url)!r} is not an http or https URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError.of("models.url.scheme", url=Scrubber()(url))
    allowed = re.fullmatch(rf"{query}=[\w.-]+", parts.query) if query else None
    if parts.fragment or (parts.query and not allowed):
        raise ConfigError.of("models.url.query")
    host = parts.netloc.rpartition("@")[2]
    path = re.sub(r"(/chat/completions|/completions|/responses|/models)?/*$", "", parts.path)
    clean = urlunsplit((parts.scheme, host, path, parts.query, ""))
    if looks_secret(clean):
        raise ConfigError.of("models.url.secret")
    if parts.username is None:
        return clean, "", []
    user, password = unquote(parts.username), unquote(parts.password or "")
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    remember(password, token)
    return clean, f"Basic {token}", [password, token]
