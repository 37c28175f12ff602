"""The page in Chromium: no console message, no blocked style or script."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.report.html import html_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--v=0",
)  # fmt: skip
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
Make = Callable[..., Path]
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> \x1b[2J \u202e '\""
# appended to the file as a second script would be: the policy must refuse it
INTRUDER = "<script>document.title='owned'</script><p style='color:red' onclick='x()'>intruder</p>"


def opened(path: Path, profile: Path, width: int = 1280) -> tuple[str, list[str]]:
    """The document after it ran, and what the console said."""
    command = [
        str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", f"--window-size={width},900",
        "--virtual-time-budget=3000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture
def html(make_run: Make) -> str:
    folder = make_run(text=lambda c, s: HOSTILE, note=HOSTILE)
    return "".join(html_report(folder))


def test_a_hostile_page_opens_without_a_word(html: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(html, "utf-8")
    dom, console = opened(path, tmp_path / "profile")
    assert console == []
    assert "<title>run-1</title>" in dom


def test_the_policy_refuses_whatever_is_added(html: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(html.replace("</main>", INTRUDER + "</main>"), "utf-8")
    dom, console = opened(path, tmp_path / "profile")
    assert "<title>run-1</title>" in dom
    assert len([line for line in console if "Content Security Policy" in line]) >= 2
