"""What can be said of a vLLM server with `-o`, and what follows from it for how the server starts."""

from collections.abc import Mapping

from pydantic import Field

from suite.chat import Json
from suite.errors import ConfigError, EngineError
from suite.models.options import ServerOptions
from suite.models.spec import ModelSpec
from suite.models.vllm_command import Installation, version_of

_INVARIANT_SINCE = (0, 26)  # the oldest version whose batch-invariant kernels we know


class VLLMOptions(ServerOptions):
    """Our own options; all others are vLLM's flags."""

    url: str = Field("", description="a running server to attach to, instead of starting one")
    api_key_env: str = Field("", description="environment variable with the running server's key")
    python: str = Field("", description="interpreter of vLLM's environment (default: SUITE_VLLM_PYTHON)")
    env: dict[str, str] = Field(default_factory=dict, description="environment variables for the server")
    timeout_s: float = Field(1200.0, gt=0, description="seconds until a call is given up")
    generation_config: str = Field(
        "vllm",
        description="what a request leaves open: vllm (neutral), auto (as the model's files say), a folder",
    )
    reproducible: bool = Field(
        False,
        description="equal replies whatever else is asked at the time; slower, refused where impossible",
    )
    startup_s: float = Field(1800.0, gt=0, description="seconds until the server must be ready")
    per_token: bool | None = Field(None, description="rate: the last token's value")


def check_options(spec: ModelSpec, options: VLLMOptions, passed: Mapping[str, Json]) -> None:
    """Raises ConfigError for what a server that runs already cannot be given, or no server tells."""
    if options.url:
        fix = f"leave it out, or start the server with it; ours: {', '.join(VLLMOptions.model_fields)}"
        if passed:
            raise ConfigError(
                f"option {next(iter(passed))!r} cannot change a server that runs already", fix=fix
            )
        if options.reproducible:
            raise ConfigError(
                f"{spec.text} runs already: nothing tells whether its kernels are batch-invariant",
                where="option 'reproducible'",
                fix="leave url out, so that the suite starts it, or start it with VLLM_BATCH_INVARIANT=1",
            )
        if options.generation_config not in ("vllm", "auto"):
            raise ConfigError("a server that runs already has its generation_config", fix="vllm or auto")


# Without batch-invariant kernels sums depend on what is computed beside them: so nothing is
_ALONE = {"max_num_seqs": 1, "enable_prefix_caching": False}


def reproducible(vllm: Installation, passed: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, str]]:
    """(options, environment) that make replies independent of each other.

    On a GPU the batch-invariant kernels; on the CPU, which has none, one request at a time. Raises
    EngineError for a version without such kernels, ConfigError for an option that says otherwise.
    """
    needed: dict[str, Json] = {"seed": 0, **(_ALONE if vllm.cpu else {})}
    for name, value in needed.items():
        if passed.get(name, value) != value:
            raise ConfigError(f"reproducible needs {name}={value}, not {passed[name]}")
    if vllm.cpu:
        return needed, {}
    if version_of(vllm.version) < _INVARIANT_SINCE:
        raise EngineError(
            f"vLLM {vllm.version} has no batch-invariant kernels that we know of",
            fix=f"install vLLM {'.'.join(map(str, _INVARIANT_SINCE))} or newer, or leave reproducible out",
        )
    return needed, {"VLLM_BATCH_INVARIANT": "1"}
