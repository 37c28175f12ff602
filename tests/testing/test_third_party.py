"""A stranger's way: suite and a new plugin from wheels, in an environment that has neither of them otherwise.

The environment is made by pip, dependencies from the package index: skipped where that cannot be reached.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from suite.testing.conformance import CHECKS

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "try-units"
needs_hatchling = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None,
    reason="hatchling, which builds the wheels, is not installed",
)
# nothing of this tree, of the environment that runs the tests, or of its user may be seen
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy")


class Stranger:
    """The environment and what was told in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.work = folder / "work"
        for one in (self.wheels, self.work):
            one.mkdir()
        venv.create(folder / "env", with_pip=True)
        self.bin = folder / "env" / "bin"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in KEPT or name.startswith(("PIP_", "UV_"))
        }
        self.environment = {
            **kept,
            "SUITE_CACHE": str(folder / "cache"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "NO_COLOR": "1",
            "COLUMNS": "120",
        }

    def run(self, *command: str, cwd: Path | None = None, code: int = 0, seconds: int = 300) -> str:
        """What a command of the environment printed; it must exit with `code`."""
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=cwd or self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert done.returncode == code, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def wheel(self, source: Path) -> Path:
        """Build the wheel of a distribution with the hatchling of the environment that runs the tests."""
        before = set(self.wheels.glob("*.whl"))
        pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run([*pip, "-w", str(self.wheels), str(source)], check=True, timeout=300, cwd=self.folder)
        (made,) = set(self.wheels.glob("*.whl")) - before
        return made


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    """The environment with suite's wheel and pytest in it."""
    found = Stranger(tmp_path_factory.mktemp("stranger"))
    clean = found.folder / "source"  # without what builds and runs leave in a working tree
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info")
    for name in ("suite", "registry"):
        shutil.copytree(ROOT / name, clean / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, clean)
    ours = found.wheel(clean)
    try:
        found.run("pip", "install", "-q", str(ours), "pytest", "pytest-asyncio", seconds=840)
    except AssertionError as error:
        if any(
            sign in str(error) for sign in ("No matching distribution", "Temporary failure", "Connection")
        ):
            pytest.skip("the package index cannot be reached")
        raise
    return found


@needs_hatchling
@pytest.mark.slow
def test_a_plugin_from_a_wheel_is_listed_run_checked_and_submitted(stranger: Stranger) -> None:
    where = stranger.run("python", "-c", "import suite; print(suite.__file__)")
    assert Path(where.strip()).is_relative_to(stranger.folder / "env")
    assert PLUGIN not in stranger.run("suite", "tasks", "list")

    stranger.run("suite", "plugin", "new", PLUGIN)
    source = stranger.work / f"suite-{PLUGIN}"
    made = stranger.wheel(source)
    stranger.run(
        "pip", "install", "-q", "--no-index", "--find-links", str(stranger.wheels), made.stem.split("-")[0]
    )
    tests = shutil.copytree(source / "tests", stranger.folder / "their-tests")
    shutil.rmtree(source)  # only the wheel is left of it

    plugins = {one["name"]: one for one in json.loads(stranger.run("suite", "plugin", "list", "--json"))}
    assert plugins[PLUGIN]["version"] == "0.1.0"
    assert (plugins[PLUGIN]["error"], plugins[PLUGIN]["problems"]) == ("", [])
    assert set(plugins) == {"suite", PLUGIN}
    assert PLUGIN in stranger.run("suite", "tasks", "list")
    assert f"{PLUGIN}-questions" in stranger.run("suite", "data", "list")

    words = ["--task", PLUGIN, "--mini", "--model", "scripted/words", "--output", "mine", "--quiet"]
    results = json.loads(stranger.run("suite", "eval", *words, "--json"))
    assert [cell["task"] for cell in results["cells"]] == [PLUGIN, PLUGIN]
    assert results["pending"] == 0
    assert (stranger.work / "mine/report.html").is_file()
    checked = json.loads(stranger.run("suite", "plugin", "check", PLUGIN, "--no-model", "--json"))
    assert checked["ok"] is True
    status = [one["status"] for one in checked["tasks"][0]["checks"]]
    # all but the one with a real model, and the one for tasks that know references
    assert status.count("passed") == len(CHECKS) - 2 and "failed" not in status
    assert "6 passed" in stranger.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tests)
    by_option = stranger.run(
        "python", "-m", "pytest", "-q", "--suite-task", PLUGIN, str(tests), "-k", "solves"
    )
    assert by_option.splitlines()[-1].startswith("1 passed, ")
    stranger.run("suite", "report", "export", "mine", "--to", "csv", "-O", "samples.csv")

    declared = [
        "--display-name", "Words", "--organization", "Nobody", "--submitter", "A Stranger", "--availability",
        "unknown", "--deployment", "self_deployed", "--relationship", "third_party", "--selection-rule",
        "only_run", "--complete-runs", "1", "--references-access", "no", "--traces-licence", "CC0-1.0",
    ]  # fmt: skip
    stranger.run("suite", "submit", "pack", "mine", *declared, "-O", "mine.suite.zip")
    shutil.move(stranger.work / "mine", stranger.folder / "elsewhere")  # the bundle has to do
    stranger.run("suite", "submit", "verify", "mine.suite.zip", "--output", "verification.json")
    report = json.loads((stranger.work / "verification.json").read_text("utf-8"))
    assert report["verdict"] in ("verified", "verified_with_warnings")
    assert [one for one in report["findings"] if one["severity"] == "error"] == []
    assert {cell["task"] for cell in report["recomputed"]} == {PLUGIN}


@needs_hatchling
@pytest.mark.slow
def test_without_the_plugin_a_bundle_of_it_is_not_verified_and_says_why(stranger: Stranger) -> None:
    bundle = stranger.work / "mine.suite.zip"
    if not bundle.is_file():
        pytest.skip("the test that makes the bundle did not come so far")
    stranger.run("pip", "uninstall", "-q", "-y", f"suite-{PLUGIN}")
    said = stranger.run("suite", "submit", "verify", str(bundle), "--output", "without.json", code=1)
    report = json.loads((stranger.work / "without.json").read_text("utf-8"))
    assert report["verdict"] == "incomplete"
    assert PLUGIN in said
