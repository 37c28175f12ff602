"""Runs to export: built by hand, so that every number is known, and a real one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

import suite
from tests.report.conftest import _mini_runs, make_run, mini_run

__all__ = ["_mini_runs", "make_run", "mini_run"]  # fixtures


class Command(Protocol):
    """Runs `suite report export RUN …`: exit code and all that it prints."""

    def __call__(self, run: Path, *words: object, say: str = "") -> tuple[int, str]: ...


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command. say: what somebody types."""

    def run_command(run: Path, *words: object, say: str = "") -> tuple[int, str]:
        answers = iter(say.splitlines())
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: print(prompt) or next(answers))
        code = suite.run_command("report", "export", str(run), *map(str, words))
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run_command


@pytest.fixture
def whole(make_run: Callable[..., Path]) -> Callable[..., Path]:
    """A run whose every verdict could be read, on a dataset of the Hub."""

    commit = "5e35" + "0" * 36  # all digits and one e: a number, to some readers of YAML

    def make(**more: Any) -> Path:
        data = {"prefs": {"entry": "prefs", "source": "hub", "repo": "ours/prefs", "revision": commit}}
        folder = make_run(pending=0, manifest={"data": data, **more.pop("manifest", {})}, **more)
        path = folder / "scorings/abc12345/results.json"
        results = json.loads(path.read_text("utf-8"))
        for cell in results["cells"]:
            for one in cell["metrics"]:
                one.update(unscored=0, coverage=1.0)
        path.write_text(json.dumps(results), "utf-8")
        return folder

    return make
