"""What somebody asks for, as plain values: the input of `plan`. The CLI and the Python API both make one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from suite.chat import Json


@dataclass(frozen=True)
class EvalRequest:
    """One evaluation.

    tasks: names. parameters: (task or "", name, text) for each -P; several of one name sweep. From Python a
    list of values stands for the text.
    models: role -> specs, in order. options: (role or "", key, text) for each -o; "" is the candidate's.
    data: dataset name -> file or finished run that stands in for it. limit: most groups (None: all).
    prompts: "own" or "official". concurrency: a fixed number of requests in flight (None: adapts).
    """

    tasks: Sequence[str]
    parameters: Sequence[tuple[str, str, Json]] = ()
    preset: str = ""
    mini: bool = False
    limit: int | None = None
    trials: int = 1
    seed: int = 0
    models: Mapping[str, Sequence[str]] = field(default_factory=dict)
    options: Sequence[tuple[str, str, str]] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    prompts: str = "own"
    concurrency: int | None = None
    cache: bool = True
