"""What a plugin brings along: a light announcement, rows that keep to their schema, no way out but the roles.

A real distribution lies on the path: a package, and the metadata that an installer would write.
"""

import socket
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from suite.plugins import BUILTIN, Catalogue, catalogue_of
from suite.testing import conformance
from suite.testing.bench import Bench, Subject

Install = Callable[..., Catalogue]

PLUGIN = """
import suite
{top}

@suite.hookimpl
def suite_register():
    return [
        suite.Entry("task", "brought/word", "A word", "suite_brought.task:Word", {contract}),
        suite.Entry("task", "{second}", "A word", "suite_brought.task:Word"),
        suite.Entry("registry", "brought", "Rows", "suite_brought:registry"),
    ]
"""
TASK = """
import socket
import suite


class Row(suite.Payload):
    id: str
    word: str


class Word(suite.Task[Row, suite.Parameters]):
    info = suite.TaskInfo(
        name="brought/word",
        version=1,
        title="A word",
        roles={{"candidate": suite.Role(needs={{"chat"}})}},
        headline="said",
        datasets=("brought-rows",),
        mini={{"brought-rows": "brought-rows"}},
    )
    metrics = (suite.Rate("said"),)

    def samples(self, data):
        for row in data.rows("brought-rows", Row):
            yield suite.Sample(id=row.id, payload=row)

    async def solve(self, sample, models):
        {solve}
        reply = await models.candidate.chat(f"Say {{sample.payload.word}}")
        return suite.Output(reply.text, finish=reply.finish)

    async def score(self, sample, output, models):
        return suite.Score({{"said": sample.payload.word in output.text}})
"""
ENTRY = """
id: brought-rows
title: Two rows
licence: {name: Apache-2.0}
source: {kind: bundled, package: suite_brought, folder: mini}
parts:
  rows: {format: jsonl, schema: brought-row.json, rows: 2, pattern: rows.jsonl}
"""
SCHEMA = '{"type": "object", "properties": {"word": {"type": "string", "minLength": 2}}}'
ROWS = '{"id": "a", "word": "tea"}\n{"id": "b", "word": "sea"}\n'


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Writes the plugin, puts it on the path and reads what it announces."""

    def write(
        *, top: str = "", solve: str = "pass", rows: str = ROWS, schema: str = SCHEMA, **told: object
    ) -> Catalogue:
        package = tmp_path / "suite_brought"
        fields = {"contract": 1, "second": "brought/second", **told}
        files = {
            "suite_brought/__init__.py": "",
            "suite_brought/plugin.py": PLUGIN.format(top=top, **fields),
            "suite_brought/task.py": TASK.format(solve=solve),
            "suite_brought/mini/rows.jsonl": rows,
            "suite_brought/registry/datasets/brought-rows.yaml": ENTRY,
            "suite_brought/registry/schemas/brought-row.json": schema,
            "suite_brought-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: suite-brought\nVersion: 1\n",
            "suite_brought-1.dist-info/entry_points.txt": "[suite]\nbrought = suite_brought.plugin\n",
        }
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        if not schema:
            (package / "registry/schemas/brought-row.json").unlink()
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        for name in ("suite_brought", "suite_brought.plugin", "suite_brought.task"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        mine = [point for point in entry_points(group="suite") if point.name == "brought"]
        return catalogue_of(mine, BUILTIN)

    return write


def problems(check: str, plugins: Catalogue, folder: Path) -> list[str]:
    bench = Bench(Subject("brought/word", plugins=plugins), folder)
    return list(conformance.one(check, bench).problems)


def test_what_is_in_order_passes(install: Install, tmp_path: Path) -> None:
    plugins = install()
    for check in ("light", "data", "offline", "solves"):
        result = conformance.one(check, Bench(Subject("brought/word", plugins=plugins), tmp_path / check))
        assert result.status == "passed", result.line()


def test_an_announcement_that_imports_something_heavy_is_named(install: Install, tmp_path: Path) -> None:
    plugins = install(top="import numpy")
    assert problems("light", plugins, tmp_path) == [
        "importing suite_brought.plugin imports numpy: import it in the module that uses it"
    ]


def test_an_announcement_that_cannot_be_imported_is_named_with_its_line(install: Install) -> None:
    (_, mine) = install(top="import no_such_module").plugins
    assert mine.error == (
        "ModuleNotFoundError: No module named 'no_such_module' (in suite_brought.plugin, line 3)"
    )


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"schema": ""}, "no schema 'brought-row.json'"),
        ({"rows": ROWS.replace("tea", "t")}, "line 1 breaks schemas/brought-row.json"),
        ({"rows": ROWS + ROWS[:27]}, "has 3 rows, the entry says 2"),
    ],
)
def test_rows_that_are_not_what_the_entry_says_are_named(
    install: Install, tmp_path: Path, told: dict[str, str], message: str
) -> None:
    (found,) = problems("data", install(**told), tmp_path)
    assert message in found
    assert "suite data pin" not in found, "nobody pins what a plugin brings"


@pytest.mark.parametrize("caught", [False, True])
def test_a_hidden_connection_is_stopped_and_named(install: Install, tmp_path: Path, caught: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reach = f"socket.create_connection(('127.0.0.1', {port}), 1).close()"
        guarded = f"try: {reach}\n        except OSError: pass"
        plugins = install(solve=guarded if caught else reach)
        found = problems("offline", plugins, tmp_path)
        assert len(found) == 1
        assert found[0].startswith(f"127.0.0.1:{port} was asked for (suite_brought.task, line ")
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("contract", ['"1"', "-1", "True"])
def test_a_contract_that_is_no_number_is_named(install: Install, contract: str) -> None:
    (_, mine) = install(contract=contract).plugins
    assert [entry.name for entry in mine.entries] == ["brought/second", "brought"]
    assert mine.problems == (
        f"bad contract {contract.replace(chr(34), chr(39))} of 'brought/word': write a whole number, now 1",
    )


def test_a_name_announced_twice_and_a_task_that_cannot_be_loaded_are_said_once(install: Install) -> None:
    plugins = install(second="brought/word")
    (result,) = conformance.each(Subject("brought/word", plugins=plugins))
    assert result.problems[0].startswith("task 'brought/word' is announced twice by suite-brought\n")
    assert "suite_register" in result.problems[0]
