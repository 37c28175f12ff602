"""Figures of a vLLM server: what its prefix cache was asked for and had, in tokens."""

import re
import urllib.request

_COUNTERS = ("prefix_cache_queries", "prefix_cache_hits")


def read_counters(root: str, key: str) -> dict[str, float]:
    """The counters of a server, {} if it does not answer within two seconds."""
    request = urllib.request.Request(f"{root}/metrics")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=2.0) as reply:
            return read_metrics(reply.read(4_000_000).decode("utf-8", "replace"))
    except OSError:
        return {}


def read_metrics(text: str) -> dict[str, float]:
    """The prefix cache counters of vLLM's /metrics, summed over engines."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        matched = re.match(r"vllm:(\w+?)(?:_total)?(?:\{[^}]*\})? ([0-9.eE+-]+)$", line)
        if matched and matched[1] in _COUNTERS:
            found[matched[1]] = found.get(matched[1], 0.0) + float(matched[2])
    return found
