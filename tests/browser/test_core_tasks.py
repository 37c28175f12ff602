"""Reports of real runs of the five core tasks keep what every page promises; look at their pictures."""

import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chromium import CHROMIUM, Page, tab
from inspections import inspect_page

import suite
from suite.report.html import html_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
RECORDED = Path(__file__).resolve().parents[1] / "recorded" / "runs"


@pytest.fixture
async def page(chromium_port: int) -> AsyncIterator[Page]:
    async with tab(chromium_port) as found:
        yield found


def run_of(name: str, folder: Path) -> Path:
    """A recorded run, or one of Vibe Checker, of which none is recorded."""
    if name == "code":
        model = "scripted/constant?text=def solve(words): return words"
        suite.evaluate(
            "vibechecker/live", model=model, mini=True, limit=2, output=folder / name, progress=False
        )
    else:
        with tarfile.open(RECORDED / f"{name}.tar.xz") as archive:
            archive.extractall(folder, filter="data")
    return folder / name


async def open_a_sample(page: Page) -> None:
    await page.until("!!document.querySelector('.sv-list')")
    await page.run("document.querySelector('.sv-list').scrollIntoView()")  # only rows in sight are drawn
    await page.until("!!document.querySelector('.sv-row')")
    await page.run("document.querySelector('.sv-row').click()")
    await page.until("!!document.querySelector('.sv-body .sv-values')")


@pytest.mark.parametrize("name", ["choices", "panel", "pairs", "rewards", "travel", "code"])
async def test_the_report_of_a_core_task_keeps_what_every_page_promises(
    name: str, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "report.html"
    path.write_text("".join(html_report(run_of(name, tmp_path))), "utf-8")
    await inspect_page(page, path, f"report-{name}", act=open_a_sample, start=".suite-viewer")
