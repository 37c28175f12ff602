"""The rows that come with a plugin: the one place where nobody pulls, and so nobody would check them."""

from collections.abc import Iterator

from suite.data.entry import BundledSource
from suite.data.pull import verify
from suite.errors import NotFound, SuiteError
from suite.testing.bench import Bench
from suite.testing.subject import Skip


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
        yield from (str(error) for error in verify(entry))
        for part, told in entry.parts.items():
            if told.row_schema is None:
                yield f"part {part!r} of {name} names no schema: say what a row is"
    if not checked:
        raise Skip("no data comes with the plugin")
