"""The walks that the texts invite to, made for real: every command, in order, in a folder of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from types import ModuleType

import local_git
import pytest

from suite.cli.main import run_command

ROOT = Path(__file__).resolve().parents[2]
WALKING = Path(__file__).with_name("walking.py")


def loaded(name: str) -> ModuleType:
    """A module that lies beside this one."""
    spec = util.spec_from_file_location(f"project_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


reading, walking = loaded("reading"), loaded("walking")
COMMIT = "5b" * 20
needs = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("bash", "git", "make")), reason="needs bash, git and make"
)


@pytest.fixture
def weights() -> Path:
    """The small model, where the suite keeps it; fetched now if it is not there yet."""
    pull = [sys.executable, "-m", "suite", "models", "pull", "smollm2-135m"]
    done = subprocess.run(pull, capture_output=True, text=True, check=False)
    if done.returncode and "cannot fetch" in done.stderr:
        pytest.skip(f"the small model is not here and cannot be fetched: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    from suite.data.cache import cache_folder

    return cache_folder() / "models"


@pytest.fixture
def data_host(tmp_path: Path) -> Iterator[str]:
    """A Git host with the repository that CONTRIBUTING registers: example/units-travel, at one commit."""
    rows = next(
        b.body
        for b in reading.blocks(reading.read("CONTRIBUTING.md"))
        if b.title.endswith("units-travel/questions.jsonl")
    )
    folder = tmp_path / "host" / "example" / "units-travel" / COMMIT
    folder.mkdir(parents=True)
    (folder / "questions.jsonl").write_text(rows, encoding="utf-8")
    with local_git.LocalGit(tmp_path / "host", heads={"main": COMMIT}) as host:
        yield host.url


def walk(name: str, folder: Path, weights: Path, **environment: str) -> Path:
    """Make the walk of a text; the folder it was made in. Fails with what the script printed last."""
    place, cache = folder / "walk", folder / "cache"
    place.mkdir()
    cache.mkdir()
    (cache / "models").symlink_to(weights)
    (folder / "walk.sh").write_text(walking.script(reading.blocks(reading.read(name))))
    (folder / "repository").mkdir()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SUITE_", "PYTEST_", "GIT_"))}
    settings = {
        "REPOSITORY": str(walking.clone_of(ROOT, folder / "repository")),
        "PYTHON": sys.executable,
        "PREPARE": str(WALKING),
        "SERVED": str(folder / "served.html"),
        "SUITE_CACHE": str(cache),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["bash", str(folder / "walk.sh")],
        cwd=place,
        env={**inherited, **settings, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=840,
    )
    (folder / "walk.out").write_text(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:]
    return place


def test_a_walk_stops_at_the_first_command_that_fails(tmp_path: Path) -> None:
    text = 'x\n```sh\ncd .\nfalse\ntouch after\n```\n```json title="a/b.json"\n{}\n```\n'
    done = subprocess.run(
        ["bash", "-c", walking.script(reading.blocks(text))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "$ cd .\n$ false\n")
    assert list(tmp_path.iterdir()) == []


def test_a_walk_writes_the_files_of_titled_blocks_as_they_are(tmp_path: Path) -> None:
    text = (
        "```python title=\"a/b.py\"\nprint('$HOME `x` \\\\n')\n```\n```sh\ncat a/b.py \\\n    a/b.py\n```\n"
    )
    done = subprocess.run(
        ["bash", "-c", walking.script(reading.blocks(text))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "print('$HOME `x` \\\\n')\n" * 2


@needs
@pytest.mark.slow
def test_make_venv_sets_up_a_clone_with_all_plugins(tmp_path: Path) -> None:
    clone = walking.clone_of(ROOT, tmp_path / "suite")
    command = ["make", "-C", str(clone), "venv", f"PYTHON={sys.executable}"]
    environment = {k: v for k, v in os.environ.items() if k not in {"PIP_CONSTRAINT", "MAKEFLAGS"}}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=840)
    if made.returncode and ("NewConnectionError" in made.stderr or "name resolution" in made.stderr):
        pytest.skip("no package index can be reached")
    assert made.returncode == 0, made.stderr[-3000:]
    suite = clone / ".venv" / "bin" / "suite"
    listed = subprocess.run(
        [suite, "tasks", "list"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "prefeval/classification" in listed.stdout
    assert "vibechecker/live" in listed.stdout


@needs
@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.hub
def test_contributing_leads_from_nothing_to_a_task_on_a_board(
    tmp_path: Path, weights: Path, data_host: str
) -> None:
    place = walk("CONTRIBUTING.md", tmp_path, weights, SUITE_GIT_ENDPOINT=data_host)
    entry = (place / "suite-units/suite_units/registry/datasets/units-travel.yaml").read_text()
    assert COMMIT in entry
    assert (place / "suite-units/units.html").is_file()
    told = (tmp_path / "walk.out").read_text()
    assert "verified: the records are complete and consistent" in told
    (entry_folder,) = (place / "units-board/submissions/units").glob("smollm2-135m-*")
    assert (entry_folder / "verification.json").is_file()
    served = (tmp_path / "served.html").read_text()
    assert "Who keeps to your units?" in served
    assert (place / "suite-units/site/index.html").read_text().strip() == served.strip()


@needs
@pytest.mark.slow
@pytest.mark.embedded
def test_the_tutorial_leads_from_nothing_to_a_verified_result(tmp_path: Path, weights: Path) -> None:
    place = walk("docs/tutorial.md", tmp_path, weights) / "suite"
    told = (tmp_path / "walk.out").read_text()
    assert (place / "runs/smollm/report.html").is_file()
    assert (place / "compare.html").is_file()
    honest, _, cheated = told.partition("$ cp -r runs/smollm runs/better")
    assert "verified: the records are complete and consistent" in honest
    assert "R8.metric" in cheated
    assert cheated.count("exit code 1") == 2
    assert len(list((place / "my-board/submissions/tutorial").glob("*/verification.json"))) == 2
    assert "random-option" in (tmp_path / "served.html").read_text()


@pytest.mark.skipif(shutil.which("flock") is None, reason="needs flock")
@needs
@pytest.mark.slow
@pytest.mark.embedded
def test_nights_are_run_gated_and_shown(tmp_path: Path, weights: Path) -> None:
    walking.prepare(tmp_path / "venv")
    place = walk("docs/nightly.md", tmp_path, weights, PATH=f"{tmp_path / 'venv/bin'}:{os.environ['PATH']}")
    assert 'skipped="2"' in (place / "gate.xml").read_text()
    assert "undecided" in (place / "gate.md").read_text()
    assert (place / "trend.html").read_text().count('class="whisker') == 6
    assert len((place / "nights/nights.jsonl").read_text().splitlines()) == 3
    assert "baseline baseline@" in (place / "trend.html").read_text()


@pytest.mark.skipif(shutil.which("flock") is None, reason="needs flock")
@pytest.mark.parametrize(("code", "tries", "ends"), [(0, 1, 3), (1, 3, 3), (2, 1, 2), (130, 1, 130)], ids=str)
def test_a_night_is_tried_again_where_samples_are_pending_and_keeps_no_old_verdict(
    tmp_path: Path, code: int, tries: int, ends: int
) -> None:
    blocks = reading.blocks(reading.read("docs/nightly.md"))
    (script,) = (one.body for one in blocks if one.title == "nightly.sh")
    (tmp_path / "nightly.sh").write_text(script)
    command = tmp_path / "suite"
    command.write_text(f'#!/bin/sh\necho "$1" >>told\n[ "$1" = gate ] && exit 3\nexit {code}\n')
    command.chmod(0o755)
    for name in ("gate.md", "gate.xml"):
        (tmp_path / name).write_text("verdict of the night before")
    environment = {**os.environ, "MODEL": "m", "NIGHT": "n", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", str(tmp_path / "nightly.sh")], env=environment, check=False)
    assert (done.returncode, (tmp_path / "told").read_text().count("eval")) == (ends, tries)
    assert (tmp_path / "gate.md").read_text() == "no verdict of n: see the log\n"
    assert not (tmp_path / "gate.xml").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of MLflow's own store
def test_a_night_goes_to_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="needs MLflow: tox -e trackers")
    pytest.importorskip("suite_mlflow", reason="needs suite-mlflow: tox -e trackers")
    monkeypatch.chdir(tmp_path)
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    run = ("--task", "prefeval/classification", "--mini", "--limit", "2", "--model", "scripted/echo")
    assert run_command("eval", *run, "--output", "runs/night") == 0
    assert run_command("report", "export", "runs/night", "--to", "mlflow", "--tracking-uri", store) == 0
    mlflow.set_tracking_uri(store)
    (found,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert "correct" in " ".join(found.data.metrics)
