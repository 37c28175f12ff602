"""What somebody asks for, as plain values: the input of `plan`. The CLI and the Python API both make one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from suite.chat import Json


def parameter_name(text: str) -> tuple[str, str] | None:
    """[TASK:]NAME as (task or "", name); None for what names no parameter."""
    scope, colon, name = text.rpartition(":")
    return None if not name or (colon and not scope) else (scope, name.replace("-", "_"))


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


class AskedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What flags of commands and arguments of Python calls say alike, by the same names."""

    model: str | None = None
    baseline: str | None = None
    user: str | None = None
    embedder: str | None = None
    preset: str = ""
    mini: bool = False
    limit: int | None = None
    trials: int = 1
    seed: int = 0
    prompts: str | None = "own"
    thinking: str | int | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = None
    cache: bool | None = None
    level: Annotated[float, msgspec.Meta(ge=0.5, le=0.999)] = 0.95
    budget: str | None = None
    until: str | None = None
    until_better_than: str | None = None
    against: Sequence[str] = ()
    margin: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    new: bool = False
    solve_only: bool = False
    one_engine: bool = False

    @property
    def specs(self) -> dict[str, list[str]]:
        """Role -> its spec, of the roles that have a flag and take one model."""
        roles = ("candidate", self.model), ("baseline", self.baseline), ("user", self.user)
        return {role: [spec] for role, spec in (*roles, ("embedder", self.embedder)) if spec}

    @property
    def may_stop_early(self) -> bool:
        return bool(self.until or self.until_better_than or self.against or self.margin)

    @property
    def stages(self) -> tuple[str, ...]:
        return ("solve",) if self.solve_only else ("solve", "score")

    def request(
        self,
        tasks: Sequence[str],
        parameters: Sequence[tuple[str, str, Json]],
        models: Mapping[str, Sequence[str]],
        options: Sequence[tuple[str, str, str]],
        data: Mapping[str, str],
    ) -> EvalRequest:
        """All of it as one evaluation."""
        return EvalRequest(
            tasks, parameters, self.preset, self.mini, self.limit, self.trials, self.seed, models, options,
            data, self.prompts or "own", self.concurrency,
        )  # fmt: skip
