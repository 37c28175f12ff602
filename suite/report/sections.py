"""What plugins add to a report: sections of analyses, and tasks' own views of samples.

Third-party code runs here: whatever it raises becomes a sentence in the report and harms nothing else.
"""

from collections.abc import Iterator, Sequence

from suite.blocks import Section, Text
from suite.errors import PluginError
from suite.plugins import Catalogue, catalogue
from suite.report.loading import LoadedRun


def plugin_sections(run: LoadedRun, plugins: Catalogue | None = None) -> list[Section]:
    """Sections of every analysis that applies to a task of this run; none before it is scored."""
    if not run.results:
        return []
    found = plugins or catalogue()
    tasks = {cell["task"] for cell in run.manifest["cells"]}
    # an analysis that cannot be loaded concerns only runs with tasks of its own plugin
    own = {plugin.name for entry, plugin in found.entries("task") if entry.name in tasks}
    return [
        section
        for entry, plugin in found.entries("analysis")
        for section in _sections(run, found, entry.name, tasks, plugin.name in own)
    ]


def _sections(
    run: LoadedRun, plugins: Catalogue, name: str, tasks: set[str], concerned: bool
) -> Iterator[Section]:
    try:
        analysis = plugins.load("analysis", name)
    except PluginError as error:
        if concerned:
            yield Section(name, (Text(str(error)),))
        return
    wanted: str | Sequence[str] = getattr(analysis, "tasks", ())
    wanted = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if any(wanted) and not tasks.intersection(wanted):
        return
    try:
        yield from tuple(analysis([run]))
    except Exception as error:  # third-party code: anything may come out
        yield Section(
            getattr(analysis, "title", "") or name,
            (Text(f"The analysis {name!r} failed: {type(error).__name__}: {error}"),),
        )
