"""The tree keeps its own rules: the public list, plugins that meet only it, contracts, pins, entry points."""

import ast
import configparser
import importlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, entry_points
from pathlib import Path
from types import ModuleType

import pytest
from packaging.specifiers import SpecifierSet

import suite
import suite.testing

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
PUBLIC: dict[str, ModuleType] = {"suite": suite, "suite.testing": suite.testing}
PACKAGES = sorted(path.parent for path in ROOT.glob("plugins/*/suite_*/__init__.py"))


def imported(path: Path) -> set[str]:
    """Modules of suite that a file imports, by their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            public = node.module in PUBLIC
            found |= {f"{node.module}:{a.name}" for a in node.names} if public else {node.module}
    return {name for name in found if re.match(r"suite([.:]|$)", name)}


@pytest.mark.parametrize("package", PUBLIC.values(), ids=PUBLIC)
def test_each_public_name_is_stated_once_and_is_where_the_list_says(package: ModuleType) -> None:
    tree = ast.parse(Path(str(package.__file__)).with_suffix(".pyi").read_text())
    stated = [(a.asname, n.module) for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names]
    assert package.__all__ == sorted(name for name, _ in stated if name)
    for name, module in stated:
        if module is not None:
            place = importlib.import_module(f"{package.__name__}.{module}")
            assert getattr(package, str(name)) is getattr(place, str(name))
    assert not hasattr(package, "no_such_name")


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_and_its_tests_import_only_public_names(plugin: Path) -> None:
    tests = {*PUBLIC, *(f"{module.__name__}:{name}" for module in PUBLIC.values() for name in module.__all__)}
    for path in plugin.rglob("*.py"):
        if not {"mini", "build"} & {*path.parts}:
            of_tests = "tests" in path.parts or path.name == "case.py"  # how a provider is tried
            allowed = tests if of_tests else {one for one in tests if "testing" not in one}
            assert imported(path) <= allowed, path


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_is_a_distribution_of_its_own(plugin: Path) -> None:
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    assert project["name"] == plugin.name
    assert any(re.match(r"suite-eval\b", one) for one in project["dependencies"])
    assert project["entry-points"]["suite"]
    package = plugin / plugin.name.replace("-", "_")
    assert (package / "py.typed").is_file()
    assert (plugin / "README.md").read_text().startswith(f"# {plugin.name}")
    assert any((plugin / "tests").glob("test_*.py"))


def test_the_import_contracts_cover_every_plugin() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    names = {package.name for package in PACKAGES}
    assert set(contracts["importlinter"]["root_packages"].split()) == {"suite", *names}
    assert set(contracts["importlinter:contract:plugins"]["source_modules"].split()) == names


def test_the_constraints_are_names_and_versions_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line) for line in pins)
    pinned = {re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    direct = [*project["project"]["dependencies"], *project["dependency-groups"]["test"]]
    wanted = {re.split(r"[\[<>=!~ ]", one)[0].lower() for one in direct if isinstance(one, str)}
    assert {re.sub(r"[-_.]+", "-", one) for one in wanted} <= pinned


def test_the_entry_points_of_the_suite_can_be_loaded() -> None:
    assert [point.load().__name__ for point in entry_points(group="pytest11", name="suite")] == [
        "suite.testing.pytest_plugin"
    ]
    assert callable(next(iter(entry_points(group="console_scripts", name="suite"))).load())


def test_an_interpreter_that_exists_but_fails_is_passed_over(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stand_in = tmp_path / "shims" / f"python{version}"
    stand_in.parent.mkdir()
    stand_in.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    stand_in.chmod(0o755)
    real = tmp_path / "versions" / f"{version}.0" / "bin" / f"python{version}"
    real.parent.mkdir(parents=True)
    real.symlink_to(Path(sys.executable).resolve())
    found = subprocess.run(
        [ROOT / ".ci" / "interpreters"],
        env={"PATH": f"{stand_in.parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    lines = dict(line.split(" ", 1) for line in found.stdout.splitlines())
    assert "shims" not in lines[version]
    missing = {v for v in ("3.11", "3.12", "3.13") if v not in lines}
    assert found.stderr.splitlines() == [f"no Python {v} here" for v in sorted(missing)]


def test_pins_fit_the_first_release_of_every_python() -> None:
    """Some systems stay at 3.11.2. Only what is installed as pinned says which Python it needs."""
    pins = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    )
    asked = {
        one.name: SpecifierSet((one.metadata.get_all("Requires-Python") or [""])[0])
        for one in distributions()
        if pins.get(one.name) == one.version
    }
    assert len(asked) > 30
    first = ("3.11.0", "3.12.0", "3.13.0")
    assert [name for name, spec in asked.items() if not all(map(spec.contains, first))] == []


def test_the_lowest_versions_are_those_of_the_projects(tmp_path: Path) -> None:
    target = tmp_path / "lowest.txt"
    subprocess.run([sys.executable, ROOT / ".ci" / "lowest.py", target], check=True, timeout=240)
    lowest = dict(line.split("==") for line in target.read_text().splitlines())
    assert (lowest["pluggy"], lowest["huggingface_hub"]) == ("1.7", "1.31")
    assert "pip" not in lowest
