"""Arguments of the Python calls, as the request that the flags of the same names make.

Values may be Python's own: a list sweeps a parameter, rows fill a dataset, a run stands for its folder.
"""

import hashlib
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from suite.chat import Finish, Json, text_of
from suite.data.cache import cache_folder, write_whole
from suite.errors import ConfigError
from suite.journal.run import Run
from suite.report.numbers import counted
from suite.run.request import AskedRun, EvalRequest, parameter_name
from suite.task import Task

# a reply of the endpoint's own; no time-out, connection, key, rate or overload
_SETTLED = re.compile(r"status-(4(?!0[1-478]|29)\d\d|500)|error-in-body|bad-shape|no-choices|empty-choices")
_NO_JSON = "give None for a number that is missing, and a text for bytes"
_ROLES = ("candidate", "baseline", "judge", "user", "embedder", "reference")


class Arguments(AskedRun, frozen=True, kw_only=True):
    """What `evaluate` or `score` was given, by the names of its arguments; checked when converted."""

    task: Any = None
    judge: str | Sequence[str] | None = None
    roles: Mapping[str, str | Sequence[str]] | None = None
    options: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None
    settle: Mapping[str, str] | None = None
    output: Any = None
    progress: bool | None = None

    @property
    def tasks(self) -> list[Any]:
        """The tasks given, each a name or a class."""
        return list(self.task) if isinstance(self.task, list | tuple) else [self.task]

    def whole(self, parameters: Sequence[tuple[str, str, Json]]) -> EvalRequest:
        """What is asked for. Raises ConfigError."""
        others = {"judge": self.judge, **(self.roles or {})}
        models = self.specs
        models |= {role: [one] if isinstance(one, str) else [*one] for role, one in others.items() if one}
        pairs = ((key, text_of(value)) for key, value in (self.options or {}).items())
        options = engine_options(pairs, [*models], self.thinking)
        data = {name: _place(name, one) for name, one in (self.data or {}).items()}
        tasks = [_task_name(one) for one in self.tasks if one is not None]
        return self.request(tasks, parameters, models, options, data)


def read_arguments(given: Mapping[str, object]) -> Arguments:
    """The arguments of a call. Raises ConfigError for one of another type or out of its range."""
    try:
        return msgspec.convert(dict(given), Arguments)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        name = re.split(r"[.\[]", place.rstrip("`"))[0]
        said = re.sub(r"`([a-z |]+)`", lambda one: " or ".join(map(_worded, one[1].split(" | "))), message)
        wanted, _, got = said.removeprefix("Expected ").partition(", got ")
        fix = f"give {wanted}" if got else ""
        fix = "write budget='20usd' or budget='2Mtokens'" if name == "budget" else fix
        raise ConfigError(f"{name}={given.get(name)!r}: {said[:1].lower()}{said[1:]}", fix=fix) from error


def _worded(kind: str) -> str:
    """A type of msgspec's messages, as Python's people call it."""
    named = {"int": "a whole number", "float": "a number", "str": "a text", "null": "None", "array": "a list"}
    return {**named, "object": "a dictionary", "bool": "True or False"}.get(kind, kind)


def swept(values: Mapping[str, object]) -> list[tuple[str, str, Json]]:
    """parameters={"[TASK:]NAME": VALUE} as (task, name, list of values): a list sweeps."""
    return [(scope, name, one if isinstance(one, list) else [one]) for scope, name, one in scoped(values)]


def scoped(values: Mapping[str, object]) -> list[tuple[str, str, Json]]:
    """parameters={"[TASK:]NAME": VALUE} as (task, name, value). Raises ConfigError."""
    found = []
    for key, value in values.items():
        if (named := parameter_name(key)) is None:
            raise ConfigError(f"{key!r} is no parameter", fix='write "name" or "task:name"')
        try:
            plain: Json = msgspec.to_builtins(list(value) if isinstance(value, range) else value)
        except TypeError as error:
            raise ConfigError(f"parameter {key!r} cannot be {value!r}: {error}") from error
        found.append((*named, list(plain) if isinstance(plain, tuple) else plain))
    return found


def engine_options(
    pairs: Iterable[tuple[str, str]], roles: Sequence[str], thinking: str | int | None = None
) -> list[tuple[str, str, str]]:
    """("[ROLE.]KEY", value) as (role, key, value); "" is the candidate, `judge/2` the second of a panel.

    thinking: how much the candidate thinks, which is an option of it. Raises ConfigError.
    """
    if thinking is not None and "candidate" not in roles:
        raise ConfigError.of("api.thinking")
    known = {*_ROLES, *roles}
    options = []
    for left, value in pairs:
        role, dot, key = left.partition(".")
        role, key = (role, key) if dot and role.partition("/")[0] in known else ("", left)
        options.append(("" if role == "candidate" else role, key, value))
    said = next((value for role, key, value in options if (role, key) == ("", "thinking")), str(thinking))
    if thinking is not None and said != str(thinking):
        raise ConfigError(f"--thinking {thinking} and -o thinking={said} differ", fix="leave one of them out")
    return options if thinking is None else [*options, ("", "thinking", str(thinking))]


def settled(pairs: Iterable[tuple[str, str]]) -> dict[str, Finish]:
    """Which answers of an endpoint are the model's failure on purpose: (kind, finish). Raises ConfigError."""
    found: dict[str, Finish] = {}
    for kind, finish in pairs:
        if finish not in ("overflow", "refused"):
            raise ConfigError.of("api.settle", kind=kind, finish=finish)
        if not _SETTLED.fullmatch(kind):
            raise ConfigError.of("api.settled-kind", kind=kind, finish=finish)
        found[kind] = "overflow" if finish == "overflow" else "refused"
    return found


def _task_name(task: object) -> str:
    if isinstance(task, str | Path):
        return str(task)
    if isinstance(task, type) and issubclass(task, Task) and getattr(task, "info", None):
        return str(task.info.name)
    raise ConfigError.of("api.task", task=task)


def _place(name: str, given: object) -> str:
    """Where a dataset stands: as given, the folder of a run, or a file that rows are written to."""
    if isinstance(given, Run):
        return str(given.folder)
    if isinstance(given, str | Path):
        return str(given)
    if not isinstance(given, Iterable):
        raise ConfigError(f"data {name!r} cannot be {given!r}", fix="give a file, a run or rows")
    if hasattr(given, "to_dict"):
        fix = 'give its rows: df.to_dict("records")'
        raise ConfigError(f"data {name!r} cannot be a {type(given).__name__}", fix=fix)
    lines = b"".join(_line(f"row {number} of data[{name!r}]", row) for number, row in enumerate(given))
    path = cache_folder() / "rows" / f"{hashlib.sha256(lines).hexdigest()[:16]}.jsonl"
    if not path.exists():
        write_whole(path, lines)
    return str(path)


def _line(place: str, row: object) -> bytes:
    """A row as a line of JSON, which holds it unchanged. Raises ConfigError naming row and field."""
    try:
        plain: dict[str, object] = dict(row)  # type: ignore[call-overload]  # whatever somebody gives
        line = msgspec.json.encode(plain) + b"\n"
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place} is no mapping of plain values: {error}") from error
    for field, value in plain.items():
        if odd := next(_unlike_json(value), None):
            raise ConfigError(f"{place}: field {field!r} holds {odd}, which JSON has not", fix=_NO_JSON)
    return line


def _unlike_json(value: object) -> Iterator[str]:
    """What of a value its JSON would change in silence."""
    if isinstance(value, float) and not math.isfinite(value):
        yield str(value)
    elif isinstance(value, bytes | bytearray | memoryview):
        yield type(value).__name__
    elif isinstance(value, Mapping | list | tuple | set | frozenset):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _unlike_json(one)


def call_text(function: Callable[..., object], arguments: Mapping[str, object]) -> str:
    """The call as somebody would write it, of the arguments that are not at their defaults."""
    signature = inspect.signature(function)
    first, *others = arguments.items()
    told = [_shown(first[1])]
    told += [f"{name}={_shown(one)}" for name, one in others if one != signature.parameters[name].default]
    return f"suite.{getattr(function, '__name__', '')}({', '.join(told)})"


def _shown(value: object) -> str:
    if isinstance(value, type):
        return value.__qualname__
    if isinstance(value, Run | Path):
        return repr(str(value.folder if isinstance(value, Run) else value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_shown(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return f"[{counted(len(value), 'row')}]"
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:200]}…"
