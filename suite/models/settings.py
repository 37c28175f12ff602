"""What shapes a served model's answers beside the requests, as far as it can be known; for the manifest.

Read from what a server of ours wrote to its log, and from how its chat template renders: with and without a
system message, which shows a system prompt that the template puts in by itself.

vLLM's default is to apply the model's `generation_config.json` to whatever a request leaves open, at
temperature 0 too (penalties change the greedy choice), and to say so nowhere but in its log; llama.cpp has
defaults of its own (top_k 40, top_p 0.95, min_p 0.05). So neutral values are sent.
"""

import re
from collections import ChainMap
from collections.abc import Awaitable, Callable, Mapping, Sequence
from os.path import commonprefix
from pathlib import Path

from suite.chat import Json, sha256_hex
from suite.errors import CallFailed
from suite.models.engine import present
from suite.models.peer_json import PeerObject
from suite.models.thinking import server_kinds, template_switches

SETTINGS = ("sampling", "chat_template_sha256", "template_system", "thinking", "reasoning_parser",
            "tool_parser", "dtype", "quantization", "kv_cache_dtype", "context_length",
            "engine_version")  # fmt: skip
_LOGGED = {
    "dtype": r"\bdtype=(?:torch\.)?(\w+)",
    "quantization": r"\bquantization=(\w+)",
    "kv_cache_dtype": r"\bkv_cache_dtype=(\w+)",
    "context_length": r"\bmax_seq_len=(\d+)",
    "device": r"\bdevice_config=(\w+)",
}
_MOST = 4000  # characters of a text that is recorded
_SYSTEM, _USER = "SUITE-ASKS-SYSTEM", "SUITE-ASKS-USER"
_ASKS = [{"role": "user", "content": _USER}]
# By kind of server: what is sent to one that otherwise fills what is left open as it or its model likes
SENT = {name: kind.neutral for name, kind in server_kinds().items() if kind.neutral}
NEUTRAL = SENT["vllm"]
_NAMES = (*NEUTRAL, "max_new_tokens")  # what vLLM takes from a model's configuration

Render = Callable[[Sequence[Mapping[str, str]], Mapping[str, Json]], Awaitable[str]]


def settled(known: Mapping[str, Json] | None, thinking: str | int | None) -> dict[str, Json]:
    """The settings as they are recorded: what is known, the names of what is not; {} of no served model."""
    if known is None:
        return {}
    found = {name: value for name, value in known.items() if value is not None}
    if thinking is not None:
        found["thinking"] = thinking
    return {**found, "unknown": [name for name in SETTINGS if name not in found]}


def logged(path: Path) -> dict[str, Json]:
    """What vLLM says of its configuration when it starts, in the last such line of its log."""
    try:
        with path.open(errors="replace") as file:
            line = [one for one in file if "Initializing" in one and "engine" in one and "config:" in one][-1]
    except (OSError, IndexError):
        return {}
    found: dict[str, Json] = {}
    for name, pattern in _LOGGED.items():
        if match := re.search(pattern, line):
            found[name] = int(match[1]) if match[1].isdecimal() else match[1].removeprefix("None") or "none"
    return found


def sha256_text(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return sha256_hex(text.encode("utf-8", "surrogatepass"))


def own_values(config: Mapping[str, Json]) -> dict[str, Json]:
    """What a model's generation configuration sets that is not neutral."""
    neutral = {*NEUTRAL.items(), ("top_k", 0)}
    return {name: value for name, value in _given(config).items() if (name, value) not in neutral}


def _given(config: Mapping[str, Json]) -> dict[str, Json]:
    return {name: config[name] for name in _NAMES if isinstance(config.get(name), int | float)}


def effective(*over: Mapping[str, Json]) -> dict[str, Json]:
    """The values where a request leaves them open: neutral ones, changed by configurations in this order."""
    return {**NEUTRAL, **ChainMap(*map(_given, reversed(over)))}


def left_out(own: Mapping[str, Json]) -> str:
    """The line that names what a model's own configuration would have set."""
    values = ", ".join(f"{name}={value}" for name, value in own.items())
    how = " (-o generation_config=auto takes it)" if own else ""
    return f"sampling is neutral; left out of the model's own configuration: {values or 'nothing'}{how}"


async def template_settings(render: Render) -> dict[str, Json]:
    """What the chat template does by itself: `template_opening`, the text before a user's first words;
    `template_system`, what stands there in the place of a system message; `system_messages`, whether those
    are taken, left out or refused; {} where the server does not render.

    render: (messages, switches of the template) -> the prompt as text.
    """
    try:
        opening, found, _ = (await render(_ASKS, {})).partition(_USER)
    except CallFailed:
        return {}
    settings: dict[str, Json] = {"template_opening": opening[:_MOST]} if found else {}
    settings |= await _usual_thinking(render)
    try:
        told = await render([{"role": "system", "content": _SYSTEM}, *_ASKS], {})
    except CallFailed as failed:
        return {**settings, "system_messages": "refused"} if failed.kind == "template" else settings
    settings["system_messages"] = "taken" if _SYSTEM in told else "left out"
    system = injected(opening, told)
    return settings if system is None else {**settings, "template_system": system[:_MOST]}


def llamacpp_settings(told: PeerObject) -> dict[str, Json]:
    """What llama.cpp's /props tells: template and usual sampling."""
    template, usual = told.get("chat_template"), told.get("default_generation_settings")
    params = usual.get("params") if isinstance(usual, dict) else None
    sampling = {name: params[name] for name in NEUTRAL if name in params} if isinstance(params, dict) else {}
    if sampling and isinstance(params, dict) and "repeat_penalty" in params:
        sampling["repetition_penalty"] = params["repeat_penalty"]  # its own name for it
    digest = sha256_text(template) if isinstance(template, str) else None
    return present(chat_template_sha256=digest, sampling=sampling or None)


async def _usual_thinking(render: Render) -> dict[str, Json]:
    """What the template does where nobody says how to think: on, off, or it has no switch."""
    try:
        usual, on, off = [await render(_ASKS, template_switches(one, None)) for one in (None, "on", "off")]
    except CallFailed:
        return {}
    if on == off:
        return {"thinking": "no switch"}
    return {"thinking": {on: "on", off: "off"}[usual]} if usual in (on, off) else {}


async def follows(render: Render, thinking: str | int) -> bool | None:
    """Whether the chat template changes with the option; None where the server does not render."""
    pair: tuple[str, str] = ("low", "high") if thinking in ("low", "medium", "high") else ("on", "off")
    try:
        one, two = [await render(_ASKS, template_switches(value, None)) for value in pair]
    except CallFailed:
        return None
    return one != two


def injected(opening: str, told: str) -> str | None:
    """What a template puts where a system message would stand; None if that cannot be told apart.

    opening: before a user's words, without a system message. told: the whole prompt with one.
    """
    before, system, rest = told.partition(_SYSTEM)
    after, user, _ = rest.partition(_USER)
    if not system or not user:
        return None
    if opening.startswith(before) and opening.endswith(after) and len(opening) >= len(before) + len(after):
        return opening[len(before) : len(opening) - len(after)]
    # nothing is put there if the opening is but the start of one text and the end of another
    start, end = commonprefix([opening, before]), commonprefix([opening[::-1], (before + after)[::-1]])
    return "" if len(start) + len(end) >= len(opening) else None
