"""The exporters that are installed: found by name, given their options, run."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.metadata import distributions, requires
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from suite.errors import ConfigError, PluginError, SuiteError, unknown
from suite.plugins import catalogue, failed
from suite.report.exporter import Export, Exporter, ExportOptions

if TYPE_CHECKING:
    from suite.report.exported_run import ExportedRun

AnyExporter = type[Exporter[ExportOptions]]
_SECRET = re.compile(r"(^|_)(key|token|secret|password)$")
_NEEDED = re.compile(r"^([\w.-]+)[^;\n]*>=([\d.]+)[^;\n]*$", re.M)  # where there is no condition
_OWN = frozenset(("run", "to", "kind", "list", "output", "scoring", "help"))  # the command's


def exporter_of(name: str) -> AnyExporter:
    """An exporter by its name. Raises NotFound, PluginError."""
    kind: object = catalogue().load("exporter", name)
    if not isinstance(kind, type) or not issubclass(kind, Exporter):
        raise PluginError(f"exporter {name!r} is no subclass of suite.Exporter")
    return kind


def installed() -> Iterator[tuple[str, AnyExporter]]:
    """Every exporter by name, without those that cannot be loaded."""
    for name in catalogue().names("exporter"):
        try:
            yield name, exporter_of(name)
        except PluginError:  # said where it is asked for, and by `suite plugin list`
            continue


def fields_of(kind: AnyExporter) -> dict[str, FieldInfo]:
    """The options of an exporter that are flags of its own."""
    taken = _OWN | ExportOptions.model_fields.keys()
    return {name: one for name, one in kind.options_type().model_fields.items() if name not in taken}


def choices_of(annotation: object) -> list[str]:
    """What a field may be, where it is a Literal, or None; [] where it may be anything."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [choice for one in get_args(annotation) for choice in choices_of(one)]


def flaws_of(exporter: str) -> Iterator[str]:
    """What is wrong with an exporter: it cannot be loaded, or its options are no flags."""
    try:
        fields = exporter_of(exporter).options_type().model_fields
        if not any(one.is_required() for one in fields.values()):
            made(exporter, {})
    except SuiteError as error:
        yield str(error)
        return
    for name, field in fields.items():
        if name in _OWN:
            yield f"option {name!r} is the command's own"
        if _SECRET.search(name):
            yield f"option {name!r} looks like a secret, and commands are recorded: read a variable instead"
        if field.annotation is bool and field.default is not False:
            yield f"option {name!r} can only be set: make it False by default"
        if not (field.description or "").strip():
            yield f"option {name!r} needs a docstring or a description: --help shows it"


def options_of(name: str, kind: AnyExporter, given: Mapping[str, object]) -> ExportOptions:
    """The options of an exporter. Raises NotFound, ConfigError for the first that is wrong or lacking."""
    options = kind.options_type()
    try:
        return options.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        flag = "".join(f"--{part}".replace("_", "-") for part in first["loc"][:1])
        if first["type"] == "missing":
            fix = f"see `suite report export --help` for {flag}"
            raise ConfigError(f"--to {name} needs {flag}", fix=fix) from None
        if first["type"] == "extra_forbidden":
            raise unknown(f"option of {name}", str(first["loc"][0]), options.model_fields) from None
        raise ConfigError(f"{flag}: {first['msg']}".lstrip(": ")) from None


def made(name: str, given: Mapping[str, object]) -> Exporter[ExportOptions]:
    """The exporter of that name with its options by name. Raises NotFound, PluginError, and ConfigError, this
    also where a library that its distribution asks for (name>=version) is not here, or too old."""
    kind, owner = exporter_of(name), catalogue().find("exporter", name)[1].distribution
    asked = requires(owner) if owner not in ("", "suite-eval") else None
    for needed, least in _NEEDED.findall("\n".join(asked or ())):
        found = next((one.version for one in distributions(name=needed)), "")
        here, lowest = ([int(one) for one in re.findall(r"\d+", text)][:3] for text in (found, least))
        if here < lowest:
            what = f"{needed} {found} is too old" if found else f"{needed} is not installed"
            raise ConfigError(f"{what}: --to {name} needs it", fix=f"pip install -U '{needed}>={least}'")
    options = options_of(name, kind, given)
    with _told(kind, name):
        return kind(options)


@contextmanager
def _told(kind: AnyExporter, name: str) -> Iterator[None]:
    """An error of a plugin's code becomes a PluginError."""
    try:
        yield
    except SuiteError:
        raise
    except Exception as error:  # third-party code: anything may come out
        raise failed(kind, f"exporter {name!r}", error) from error


def export_run(run: "ExportedRun", name: str, output: Path | None, given: Mapping[str, object]) -> Export:
    """Export a run by the exporter of that name. given: its options by name. output: None where the exporter
    needs no place here.

    Raises ConfigError for options that do not fit, for a run that was not scored, or is not complete (unless
    `allow_partial` is given); what the exporter raises; PluginError where it fails.
    """
    exporter = made(name, given)
    if not run.has_results:
        raise ConfigError(f"run {run.name} has no results to export", fix=f"suite score {run.name}")
    if run.results.pending and not (run.stopped or exporter.options.allow_partial):
        what = f"run {run.name} has {run.results.pending:,} samples without a result"
        raise ConfigError(what, fix="finish it, or say --allow-partial")
    with nullcontext(output) if output else TemporaryDirectory() as place, _told(type(exporter), name):
        return exporter.write(run, Path(place))
