"""Who stands behind an address: whether a model there can be told from another, and what is told of it.

A server on this machine or network, at a bare address, without TLS, or of a kind that people run themselves
can serve other weights under the same name tomorrow. Only a hosted service's name stands for a model.
"""

import ipaddress
import math
import socket
import time
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.resources import files
from urllib.parse import urlsplit

from suite.chat import Json, sha256_hex

_HOSTS: dict[str, list[str]] = tomllib.loads((files(__package__) / "hosts.toml").read_text("utf-8"))
OWN_SERVERS = frozenset(_HOSTS["own_servers"])
_MOST_META = 20
_CLOCK_S = 600.0  # `created` this near to now is the time of the question


def identified(url: str) -> bool:
    """Whether the name of a model at this URL stands for one model: a hosted service, reached with TLS."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme != "https" or "." not in host or _is_address(host):
        return False
    known = any(f".{host}".endswith(f".{name}") for name in _HOSTS["private"] + _HOSTS["tunnels"])
    return not known and not _resolves_privately(host)


def _is_address(host: str) -> bool:
    """An address of any form, short ones (127.1, 0x7f.1) too: whoever has it is no service."""
    with suppress(OSError, ValueError):
        return bool(socket.inet_aton(host))
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host.partition("%")[0]))
    return False


def _resolves_privately(host: str) -> bool:
    """Whether a name leads to this machine or network. A name that leads nowhere is judged by its looks."""
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return any(not is_public(one) for one in found)


def is_public(text: str) -> bool:
    """Whether an IP address is of the internet at large. Raises ValueError for what is none."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_global and not address.is_multicast


def told(
    card: Mapping[str, Json], scrub: Callable[[str], str] = str, now: float | None = None
) -> dict[str, Json]:
    """Lasting facts of an entry of /v1/models beside its name; of a path its last part and a hash."""
    now = time.time() if now is None else now
    names = ("root", "owned_by", "max_model_len", "hugging_face_id", "canonical_slug")
    found = plain_facts({name: card.get(name) for name in names}, scrub)
    created = plain_facts({"created": card.get("created")}, scrub).get("created", 0)
    asked_now = not isinstance(created, int) or abs(created - now) < _CLOCK_S
    if created and not asked_now and card.get("owned_by") not in ("vllm", "sglang", "llamacpp"):
        found["created"] = created
    meta = card.get("meta")
    if isinstance(meta, dict) and (more := plain_facts(dict(sorted(meta.items())[:_MOST_META]), scrub)):
        found["meta"] = more
    return found


def window_told(card: Mapping[str, Json]) -> int | None:
    """The model's window in tokens, where the server tells it."""
    window = card.get("max_model_len")
    return window if isinstance(window, int) and window > 0 else None


def plain_facts(values: Mapping[str, Json], scrub: Callable[[str], str]) -> dict[str, Json]:
    """Texts and whole numbers, as they may be recorded."""
    found: dict[str, Json] = {}
    for name, value in values.items():
        if isinstance(value, str) and value:
            found[name] = scrub(_without_path(value))[:200]
        elif isinstance(value, float) and math.isfinite(value):
            found[name] = int(value)
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
            found[name] = value
    return found


def _without_path(value: str) -> str:
    if value[:1] in "/~" or "\\" in value:
        name = value.replace("\\", "/").rstrip("/").rpartition("/")[2]
        return f"{name} #{sha256_hex(value.encode())[:8]}"
    return value
