"""Checks of what a task says of itself: facts and parameters. They need neither data nor models."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from suite.chat import canonical_json
from suite.errors import SuiteError
from suite.parameters import Parameters, SkipCell
from suite.plugins import Plugin
from suite.scoring.metrics import row_names, wanted_values
from suite.testing.bench import Bench
from suite.testing.subject import Subject, headline

UNKNOWN = "no_such_parameter"


def metadata(bench: Bench) -> Iterator[str]:
    """Name, version, roles, datasets, headline, metrics and replay are declared as the contract says."""
    subject = bench.subject
    info, task = subject.info, subject.task
    yield from _plugin(subject.plugins.find("task", subject.name)[1])
    if type(info.version) is not int or info.version < 1:
        yield f"version {info.version!r} is not a whole number from 1"
    if not info.title.strip() or "\n" in info.title:
        yield "the title is not one line"
    if not info.roles:
        yield "no role is declared: who is measured?"
    for name, role in info.roles.items():
        if not role.needs or not all(role.needs):
            yield f"role {name!r} needs no capability"
    if info.replay == "none" and not info.replay_reason.strip():
        yield "replay='none' needs a replay_reason"
    yield from _datasets(subject)
    try:
        rows = row_names(task.metrics)
    except SuiteError as error:
        yield error.what
        return
    if info.headline not in rows:
        yield f"the headline {info.headline!r} is no metric's row; rows: {', '.join(rows) or 'none'}"
    if not any(wanted_values(task.metrics)):
        yield "no metric reads any value"
    if (first := headline(info, task.metrics)) is not None and not hasattr(first, "direction"):
        yield f"the headline metric {info.headline!r} has no direction"


def _plugin(plugin: Plugin) -> Iterator[str]:
    if plugin.error:
        yield f"the plugin failed to load: {plugin.error}"
    yield from plugin.problems


def _datasets(subject: Subject) -> Iterator[str]:
    info = subject.info
    for name in info.mini:
        if name not in info.datasets:
            yield f"mini data stands in for {name!r}, which is no dataset of the task"
    for name in [*info.mini.values(), *filter(None, [info.official_prompts])]:
        try:
            subject.registry.dataset(name)
        except SuiteError as error:
            yield error.what


def parameters(bench: Bench) -> Iterator[str]:
    """Every parameter has a default, survives JSON, and an unknown one is refused."""
    subject = bench.subject
    kind = subject.task.parameters_type()
    for name, field in kind.model_fields.items():
        if field.is_required():
            yield f"parameter {name!r} has no default"
            return
    try:
        default = kind()
    except SkipCell as skip:
        yield f"the defaults are no cell: {skip.reason}"
        return
    try:
        kind.model_validate({UNKNOWN: 1})
    except ValidationError:
        pass
    else:
        yield "an unknown parameter is not refused: model_config must keep extra='forbid'"
    yield from _frozen(default)
    yield from _round_trip(subject, {}, "the defaults")
    for preset, cells in subject.info.presets.items():
        if not cells:
            yield f"preset {preset!r} has no cells"
        for values in cells:
            yield from _round_trip(subject, values, f"preset {preset!r} {dict(values)}")


def _frozen(default: Parameters) -> Iterator[str]:
    for name in type(default).model_fields:
        try:
            setattr(default, name, getattr(default, name))
        except ValidationError:
            continue
        yield f"parameter {name!r} can be changed: model_config must keep frozen=True"


def _round_trip(subject: Subject, values: Mapping[str, Any], what: str) -> Iterator[str]:
    """Values as they come, as JSON and back are one cell."""
    kind = subject.task.parameters_type()
    try:
        made = kind.model_validate(dict(values))
    except SkipCell:
        return
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        yield f"{what} is not valid: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        return
    told = {**made.solve_values(), **made.score_values()}
    try:
        canonical_json(told)
        again = kind.model_validate(json.loads(json.dumps(told)))
    except (ValidationError, SkipCell, TypeError, ValueError) as error:
        yield f"{what} cannot be read back from JSON: {error}"
        return
    if again != made:
        yield f"{what} is another after a round trip through JSON: {made!r} and {again!r}"
    elif subject.cell(told).id != subject.cell(values).id:
        yield f"{what} is another cell after a round trip through JSON"
