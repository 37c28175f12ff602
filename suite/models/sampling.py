"""What shapes sampling beside a request: vLLM's neutral values, and those of a model's own configuration.

vLLM's default is to apply the model's `generation_config.json` to whatever a request leaves open, at
temperature 0 too (penalties change the greedy choice), and to say so nowhere but in its log; llama.cpp has
defaults of its own (top_k 40, top_p 0.95, min_p 0.05).
"""

from collections.abc import Mapping

from suite.chat import Json

NEUTRAL: dict[str, float | int] = {
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": -1,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
_LLAMACPP = {**NEUTRAL, "repeat_penalty": 1.0}  # its own name for it
del _LLAMACPP["repetition_penalty"]
# By kind of server: what is sent to one that otherwise fills what is left open as it or its model likes
SENT = {"vllm": NEUTRAL, "sglang": NEUTRAL, "llamacpp": _LLAMACPP}
_NAMES = (*NEUTRAL, "max_new_tokens")  # what vLLM takes from a model's configuration


def own_values(config: Mapping[str, Json]) -> dict[str, Json]:
    """What a model's generation configuration sets that is not neutral."""
    found = {name: config[name] for name in _NAMES if isinstance(config.get(name), int | float)}
    neutral = {*NEUTRAL.items(), ("top_k", 0)}
    return {name: value for name, value in found.items() if (name, value) not in neutral}


def effective(*over: Mapping[str, Json]) -> dict[str, Json]:
    """The values where a request leaves them open: neutral ones, changed by configurations in this order."""
    found: dict[str, Json] = dict(NEUTRAL)
    for config in over:
        found.update({name: config[name] for name in _NAMES if isinstance(config.get(name), int | float)})
    return found


def left_out(own: Mapping[str, Json]) -> str:
    """The line that names what a model's own configuration would have set."""
    values = ", ".join(f"{name}={value}" for name, value in own.items())
    return f"sampling is neutral; left out of the model's own configuration: {values or 'nothing'}" + (
        " (-o generation_config=auto takes it)" if own else ""
    )
