"""The pages of the documentation site that are made: each command, each schema, each field is on them."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from suite.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hook() -> Iterator[ModuleType]:
    """The MkDocs hook, imported as MkDocs does it."""
    sys.path.insert(0, str(ROOT / ".ci"))
    try:
        import site_hook

        yield site_hook
    finally:
        sys.path.remove(str(ROOT / ".ci"))


@pytest.fixture(scope="module")
def made(hook: ModuleType) -> dict[str, str]:
    pages: dict[str, str] = hook.made()
    return pages


def nav(found: Any) -> Iterator[str]:
    """Addresses in the navigation of mkdocs.yml."""
    if isinstance(found, str):
        yield found
    for inner in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from nav(inner)


def test_every_page_is_once_in_the_navigation(made: dict[str, str]) -> None:
    listed = list(nav(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    kept = [path.name for path in (ROOT / "docs").glob("*.md")]
    assert sorted(listed) == sorted([*kept, *made])


def test_every_command_has_its_options_and_its_example(made: dict[str, str]) -> None:
    sections = dict(
        part.split("\n", 1) for part in made["cli.md"].replace("\n#### ", "\n### ").split("\n### ")[1:]
    )
    assert {f"suite {name}" for name in COMMANDS} <= set(sections)
    pull = sections["suite data pull"]
    assert "```sh\nsuite data pull prefeval contexteval --accept-licence\n```" in pull
    assert "```text\nsuite data pull [OPTIONS] ENTRY…\n```" in pull
    assert "| `--accept-licence` | Accept the licence; remembered. |" in pull
    assert "`-P [TASK:]NAME=VALUE`" in sections["suite eval"]
    group = cli.get_command(click.Context(cli), "data")
    assert isinstance(group, click.Group)
    assert {f"suite data {name}" for name in group.commands} <= set(sections)
    assert "\b" not in made["cli.md"]
    assert "Sentinel" not in made["cli.md"]


@pytest.mark.parametrize("path", sorted(ROOT.glob("registry/schemas/*.json")), ids=lambda path: path.name)
def test_every_schema_has_its_fields(path: Path, made: dict[str, str]) -> None:
    schema = json.loads(path.read_text())
    start = made["schemas.md"].index(f"### {path.name} {{#")
    section = made["schemas.md"][start:].split("\n### ", 1)[0]
    for part in [schema, *schema.get("$defs", {}).values()]:
        for name in part.get("properties", {}):
            line = next(line for line in section.splitlines() if line.startswith(f"| `{name}` "))
            assert line.count(" | ") >= 3


def test_a_description_of_fields_is_told_beside_them(hook: ModuleType) -> None:
    import site_schemas

    schema = {
        "title": "Thing",
        "description": "A thing.\nsize, weight: in SI units; none < 0.\nkind: a|b.",
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "size": {"type": "number", "exclusiveMinimum": 0, "default": 1.5},
            "weight": {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "null"}]},
            "parts": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
            "other": {"$ref": "#/$defs/Other"},
        },
        "$defs": {"Other": {"type": "string", "pattern": "^a|b$"}},
    }
    assert list(site_schemas.one("thing.v1.json", schema)) == [
        "### thing.v1.json {#thing-v1}",
        "",
        "Thing: A thing.",
        "",
        "| field | type | required | |",
        "| --- | --- | --- | --- |",
        '| `kind` | one of `"a"`, `"b"` | yes | a\\|b. |',
        "| `size` | number, > 0 |  | in SI units; none \\< 0. Default: `1.5`. |",
        "| `weight` | integer, ≤ 9 or null |  | in SI units; none \\< 0. |",
        "| `parts` | array of object |  |  |",
        "| `parts[].id` | string |  |  |",
        "| `other` | [Other](#thing-v1-other) |  |  |",
        "",
        "#### Other {#thing-v1-other}",
        "",
        "string, pattern `^a|b$`",
        "",
    ]


def test_links_of_contributing_lead_into_the_site(hook: ModuleType) -> None:
    text = "See [a](docs/a.md#b), [the readme](README.md), [c](#c) and [d](https://example.org/d)."
    assert hook.as_page(text) == "See [a](a.md#b), the readme, [c](#c) and [d](https://example.org/d)."


def test_the_example_entry_of_the_how_to_is_one() -> None:
    from suite.data.entry import DatasetEntry

    text = (ROOT / "docs/datasets.md").read_text()
    entry = DatasetEntry.model_validate(yaml.safe_load(text.split("```yaml\n")[1].split("```")[0]))
    assert (entry.id, entry.pinned, entry.parts["questions"].rows) == ("units-travel", False, 12)


@pytest.mark.slow
def test_the_example_board_still_verifies(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "example-board", tmp_path / "board")
    found = CliRunner().invoke(cli, ["board", "check", "--repo", str(tmp_path / "board")])
    assert (found.exit_code, "stale" in found.output) == (0, False), found.output


def test_the_example_board_is_three_runs_of_a_real_model() -> None:
    declared = sorted((ROOT / "docs" / "example-board" / "submissions" / "mini").glob("*/submission.json"))
    models = [json.loads(path.read_text())["model"] for path in declared]
    assert [one["identity"]["name"] for one in models] == ["smollm2-135m"] * 3
    assert len({one["display_name"] for one in models}) == 3
