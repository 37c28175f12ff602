"""README, CONTRIBUTING and docs: commands that parse, links that lead somewhere, an example that runs."""

import ast
import json
import re
import shlex
import subprocess
import sys
from importlib import util
from pathlib import Path

import click
import pytest

from suite.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
_spec = util.spec_from_file_location("project_reading", Path(__file__).with_name("reading.py"))
assert _spec is not None
assert _spec.loader is not None
reading = util.module_from_spec(_spec)
sys.modules[_spec.name] = reading
_spec.loader.exec_module(reading)

TEXTS = ["README.md", "CONTRIBUTING.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/*.md"))]
PLUGIN_TEXTS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("plugins/*/README.md"))
MADE = {"cli.md", "schemas.md", "contributing.md"}
WISHES = [
    {"id": "tea", "topic": "home", "question": "How do I make tea?", "words": 3},
    {"id": "sea", "topic": "trips", "question": "Why is the sea salty?", "words": 2},
]


def parse(line: str) -> None:
    """Take a command line apart as the suite would; raises click.UsageError."""
    command: click.Command = cli
    context = click.Context(cli, info_name="suite")
    _, rest, _ = command.make_parser(context).parse_args(args=shlex.split(line)[1:])
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=name)
        _, rest, _ = command.make_parser(context).parse_args(args=rest)
    assert rest == []


@pytest.mark.parametrize("line", sorted({line for text in TEXTS for line in reading.commands(text)}))
def test_a_quoted_command_parses(line: str) -> None:
    parse(line)


@pytest.mark.parametrize("text", PLUGIN_TEXTS)
def test_the_commands_of_a_plugin_s_readme_parse(text: str) -> None:
    body = reading.read(text).replace("\\\n", " ")
    for line in re.findall(r"^(?: {4}|\$ )?(suite [a-z].*)$", body, flags=re.MULTILINE):
        parse(line.partition("  #")[0])


@pytest.mark.parametrize("text", [*TEXTS, *PLUGIN_TEXTS])
def test_a_link_leads_to_a_file_and_a_heading(text: str) -> None:
    for path, anchor in reading.links(reading.read(text)):
        target = (ROOT / text).parent / path if path else ROOT / text
        if target.parent == ROOT / "docs" and target.name in MADE:
            continue  # made when the site is built, which checks links to it
        if target.parent == ROOT / "docs" / "example-board":
            continue  # so is that board's site
        assert target.exists(), path
        if anchor and target.name not in {"api.md", "formats.md"}:  # they have anchors from docstrings, too
            assert anchor in reading.anchors(target.read_text(encoding="utf-8")), f"{path}#{anchor}"


def test_quoted_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    quoted = {t for text in TEXTS for t in re.findall(r"\bmake ([a-z-]+)\b`?", (ROOT / text).read_text())}
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert {"eval", "test", "test-all"} <= quoted
    assert {
        one for one in quoted if f"`make {one}`" in "".join((ROOT / t).read_text() for t in TEXTS)
    } <= targets


def test_the_example_plugin_of_contributing_runs(tmp_path: Path) -> None:
    texts = [b for b in reading.blocks(reading.read("CONTRIBUTING.md")) if b.language == "python" and b.title]
    found = {block.title.rpartition("/")[2]: block.body for block in texts}
    assert set(found) == {"suite_brief.py", "suite_brief_task.py"}
    info = tmp_path / "suite_brief-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: suite-brief\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[suite]\nbrief = suite_brief\n")
    for name, body in found.items():
        (tmp_path / name).write_text(body)
    (tmp_path / "wishes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in WISHES))
    line = next(
        one for one in reading.commands("CONTRIBUTING.md") if one.startswith("suite eval --task brief")
    )
    words = line.replace("embedded/smollm2-135m", "scripted/constant -o text='two words'")
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(words), "--json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["cells"]
    assert [cell["parameters"]["between"] for cell in cells] == [0, 10]
    for cell in cells:
        metrics = {one["name"]: one for one in cell["metrics"] if not one.get("slice")}
        assert (metrics["kept"]["value"], metrics["kept"]["n"]) == (1.0, 2)
        assert metrics["excess"]["value"] == 0


def test_the_reference_names_everything_public() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    named = re.findall(r"^::: (\S+)\.(\w+)$", page, flags=re.MULTILINE)
    public = {
        alias.name: ".".join(filter(None, [package, node.module]))
        for package in ("suite", "suite.testing")
        for node in ast.parse((ROOT / package.replace(".", "/") / "__init__.pyi").read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert {name: place for place, name in named if place != "suite"} == public


@pytest.mark.parametrize("path", sorted(ROOT.glob("changelog.d/*")), ids=lambda path: path.name)
def test_a_changelog_fragment_is_named_by_its_type_and_one_paragraph(path: Path) -> None:
    assert re.fullmatch(r"[a-z0-9-]+\.(scores|feature|fix|removal|docs)\.md", path.name)
    assert len(path.read_text().strip().splitlines()) == 1
