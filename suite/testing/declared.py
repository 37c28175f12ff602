"""Checks of what a task and its plugin bring: facts, parameters, bundled rows, what announcing costs.

No models. The bundled rows are the one place where nobody pulls, and so nobody would check them; every
`suite` command imports the module that announces a plugin.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from pydantic import ValidationError

from suite.chat import canonical_json
from suite.data.cache import Cache
from suite.data.entry import BundledSource
from suite.data.pull import verify
from suite.errors import NotFound, SuiteError
from suite.parameters import SkipCell
from suite.plugins import GROUP
from suite.run.cells import AnyTask
from suite.scoring.metrics.declared import row_names, wanted_values
from suite.task_files import info_problems
from suite.testing.bench import Bench
from suite.testing.subject import Skip, Subject

SECONDS = 120.0
# What takes from a tenth of a second to many to import, and is found beside a benchmark.
HEAVY = {
    "datasets", "jax", "keras", "litellm", "matplotlib", "nltk", "numpy", "onnxruntime", "openai", "pandas",
    "polars", "pyarrow", "ray", "scipy", "sentence_transformers", "sklearn", "spacy", "tensorflow",
    "tiktoken", "tokenizers", "torch", "transformers", "vllm", "xllamacpp",
}  # fmt: skip
_CODE = """
import sys
import suite
before = set(sys.modules)
__import__(sys.argv[1])
print("\\n".join(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def metadata(bench: Bench) -> Iterator[str]:
    """Name, version, roles, datasets, headline, metrics and replay are declared as the contract says."""
    subject = bench.subject
    info, task = subject.info, subject.task
    plugin = subject.plugins.find("task", subject.name)[1]
    if plugin.error:
        yield f"the plugin failed to load: {plugin.error}"
    yield from plugin.problems
    yield from info_problems(task)
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
    if (first := subject.headline) is not None and not hasattr(first, "direction"):
        yield f"the headline metric {info.headline!r} has no direction"


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
        kind()
    except SkipCell as skip:
        yield f"the defaults are no cell: {skip.reason}"
        return
    if kind.model_config.get("extra") != "forbid":
        yield "an unknown parameter is not refused: model_config must keep extra='forbid'"
    if not kind.model_config.get("frozen"):
        for name in kind.model_fields:
            yield f"parameter {name!r} can be changed: model_config must keep frozen=True"
    yield from _round_trip(subject, {}, "the defaults")
    for preset, cells in subject.info.presets.items():
        if not cells:
            yield f"preset {preset!r} has no cells"
        for values in cells:
            yield from _round_trip(subject, values, f"preset {preset!r} {dict(values)}")


def advice(task: type[AnyTask]) -> list[str]:
    """What breaks nothing and leaves users puzzled: parameters that `suite tasks show` cannot explain."""
    return [
        f"parameter {name!r} has no help text: write a docstring below it, or description=…"
        for name, field in task.parameters_type().model_fields.items()
        if not (field.description or "").strip()
    ]


def _round_trip(subject: Subject, values: Mapping[str, object], what: str) -> Iterator[str]:
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


def data(bench: Bench) -> Iterator[str]:
    """Bundled rows are as many as their registry entry says, and each keeps to its JSON Schema."""
    info = bench.subject.info
    checked = 0
    for name in dict.fromkeys([*info.datasets, *info.mini.values()]):
        try:
            entry = bench.subject.registry.dataset(name)
        except NotFound:
            continue  # a name that --data fills; `metadata` says where mini data has none
        except SuiteError as error:
            yield str(error)
            continue
        if not isinstance(entry.source, BundledSource):
            continue  # held against its schema when it is pulled
        checked += 1
        yield from (str(error) for error in verify(entry, Cache()))
        for part, told in entry.parts.items():
            if told.row_schema is None:
                yield f"part {part!r} of {name} names no schema: say what a row is"
    if not checked:
        raise Skip("no data comes with the plugin")


def light(bench: Bench) -> Iterator[str]:
    """The module that announces the plugin imports nothing heavy: every `suite` command reads it."""
    subject = bench.subject
    plugin = subject.plugins.find("task", subject.name)[1]
    modules = [point.module for point in entry_points(group=GROUP) if point.name == plugin.name]
    if not modules:
        raise Skip("the task is not announced by an installed plugin")
    for module in dict.fromkeys(modules):
        done = subprocess.run(
            [sys.executable, "-c", _CODE, module],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            yield f"importing {module} failed: {last}"
            continue
        for name in sorted(HEAVY & set(done.stdout.split())):
            yield f"importing {module} imports {name}: import it in the module that uses it"
