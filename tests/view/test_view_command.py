"""The command: what it refuses, what it prints, and that it serves over a real socket until it is stopped."""

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from suite.cli.main import cli, run
from suite.report.local_site import SiteServer


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--dir", "nowhere"], "there is no folder nowhere"),
        (["nothing"], "no run named 'nothing'"),
        (["."], ". holds no run"),
        (["--export", "pages", "--dir", "empty"], "empty holds no run that can be shown"),
        (["--compare", "a,b"], "add --export DIR"),
        (["--with-texts"], "add --export DIR"),
        (["--export", "runs"], "holds what the suite did not put there"),
        (["--export", "pages", "--compare", "model-a"], "names no two of the runs that are shown"),
        (["--export", "pages", "--compare", "model-a,model-a"], "names no two of the runs that are shown"),
        (["--export", "pages", "--compare", "model-a,model-x"], "no run named 'model-x'"),
    ],
)
def test_bad_input_is_named(
    runs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(runs.parent)
    (runs.parent / "empty").mkdir()
    assert run(["view", *words]) == 2
    assert told in capsys.readouterr().err
    assert not Path("pages").exists()


def test_runs_that_are_named_are_exported_and_a_second_export_replaces_the_first(
    runs: Path, tmp_path: Path
) -> None:
    pages = tmp_path / "pages"
    for names in (["model-a"], ["model-b", str(runs / "model-a")]):
        words = ["view", *names, "--dir", str(runs), "--export", str(pages)]
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert re.fullmatch(rf"wrote \d+ files; open {pages}/index.html\n", done.output)
        assert len(list(pages.glob("runs/*.html"))) == len(names)
        assert len(list(pages.glob("compare/*.html"))) == len(names) - 1


def test_an_address_is_printed_and_answered_until_it_is_stopped(runs: Path) -> None:
    (runs.parent / "suite.toml").write_text("")
    command = [sys.executable, "-m", "suite", "view"]
    with subprocess.Popen(
        command, cwd=runs.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.fullmatch(
            r"(http://127\.0\.0\.1:\d+/[\w-]{22}/) \(for this machine alone; Ctrl-C ends it\)\n", line
        )
        assert found is not None, line
        with urllib.request.urlopen(found[1], timeout=60) as answer:
            assert b"model-a" in answer.read()
        server.send_signal(signal.SIGINT)
        _, told = server.communicate(timeout=60)
    assert (server.returncode, told) == (130, "interrupted\n")


@pytest.mark.parametrize(("words", "opened"), [([], 0), (["--open"], 1)])
def test_the_browser_is_opened_where_that_is_asked_for(
    runs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    opened: int,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("click.launch", asked.append)
    monkeypatch.setattr("suite.report.local_site.SiteServer.serve_forever", lambda self: None)
    assert run(["view", "--dir", str(runs), *words]) == 0
    assert asked == [capsys.readouterr().out.split()[0]] * opened


def test_a_port_in_use_is_bad_input(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with SiteServer(lambda path: None, 0) as taken:
        assert run(["view", "--dir", str(runs), "--port", str(taken.server_port)]) == 2
    assert f"port {taken.server_port} is not to be had" in capsys.readouterr().err
