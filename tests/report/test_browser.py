"""The page in Chromium: no console message, no blocked style or script, the filter works, nothing loads."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.report.html import html_report
from suite.report.html_blocks import resource

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
# what a reader does, as a script of the page's own kind: the page is served with this text in its script
ACTING = """
document.addEventListener("DOMContentLoaded", function () {
  var text = document.getElementById("filter-text");
  text.value = "pets/4";
  text.dispatchEvent(new Event("input"));
  window.setTimeout(function () {
    document.title = JSON.stringify({
      count: document.getElementById("filter-count").textContent,
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      loaded: performance.getEntriesByType("resource").length,
      colour: getComputedStyle(document.querySelector(".stroke-c0")).stroke
    });
  }, 400);
});
"""


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
    assert "82 of 82 shown" in dom


def test_the_policy_refuses_whatever_is_added(html: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(html.replace("</main>", INTRUDER + "</main>"), "utf-8")
    dom, console = opened(path, tmp_path / "profile")
    assert "<title>run-1</title>" in dom
    assert len([line for line in console if "Content Security Policy" in line]) >= 2


@pytest.mark.parametrize("width", [1280, 500])
def test_the_filter_works_and_nothing_is_wider_than_the_window(
    html: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    from suite.report import html as module

    script = resource("report.js")
    acting = script + ACTING
    changed = html.replace(script, acting).replace(module._hash(script), module._hash(acting))
    path = tmp_path / "report.html"
    path.write_text(changed, "utf-8")
    dom, console = opened(path, tmp_path / "profile", width)
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title is not None
    seen = json.loads(title[1])
    assert console == []
    assert seen["count"] == "7 of 82 shown"
    assert (seen["wide"], seen["loaded"]) == (0, 0)
    assert seen["colour"] == "rgb(11, 111, 184)"
