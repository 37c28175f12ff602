"""The report in Chromium: what every page promises, with hostile text, and what its policy refuses."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from chromium import CHROMIUM, Page, browser
from inspections import inspect_page

from suite.report.html import html_report
from suite.report.run_reports import write_html

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
Make = Callable[..., Path]
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> \x1b[2J \u202e '\""
# appended to the file as a second script would be: the policy must refuse it
INTRUDER = "<script>document.title='owned'</script><p style='color:red' onclick='x()'>intruder</p>"


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser(tmp_path / "profile") as found:
        yield found


@pytest.fixture
def report(make_run: Make, tmp_path: Path) -> Path:
    folder = make_run(text=lambda c, s: HOSTILE, note=HOSTILE)
    path = tmp_path / "report.html"
    path.write_text("".join(html_report(folder)), "utf-8")
    return path


async def test_a_hostile_report_keeps_what_every_page_promises(page: Page, report: Path) -> None:
    read = "!!document.querySelector('.sv-body .sv-values')"
    url = f"{report.as_uri()}#sample=travel/3"
    await inspect_page(page, url, "report", act=lambda page: page.until(read))
    assert await page.run("document.title") == "run-1"
    assert {url.partition(":")[0] for url in page.asked} <= {"file", "about"}


async def test_the_policy_refuses_whatever_is_added(page: Page, report: Path) -> None:
    report.write_text(report.read_text("utf-8").replace("</main>", INTRUDER + "</main>"), "utf-8")
    await page.open(report.as_uri())
    assert await page.run("document.title") == "run-1"
    assert len(await page.violations()) == 3


async def test_samples_load_from_the_folder_beside_a_file(page: Page, make_run: Make, tmp_path: Path) -> None:
    write_html(tmp_path / "page.html", make_run(text=lambda c, s: HOSTILE), most=5)
    await page.open((tmp_path / "page.html").as_uri())
    await page.until("!!document.querySelector('.sv-body .sv-values')")
    assert await page.run("document.querySelector('.sv-count').textContent") == "82 of 82 answers"
    assert (await page.violations(), page.said) == ([], [])
    assert [url.rpartition("/")[2] for url in page.asked][-2:] == ["index.js", "part-0.js"]


async def test_what_a_metric_is_opens_and_closes_by_key(page: Page, report: Path) -> None:
    await page.open(report.as_uri())
    await page.run("document.querySelector('.what').focus()")
    await page.press("Enter")
    await page.until("document.querySelector('.meaning:popover-open')?.textContent.includes('is better')")
    await page.press("Escape")
    await page.until("!document.querySelector('.meaning:popover-open')")


async def test_plots_and_tables_keep_their_text_legible_on_a_phone(page: Page, report: Path) -> None:
    await page.look(width=400)
    await page.open(report.as_uri())
    sizes = "[...document.querySelectorAll('.chart text, .heat td, .scale')].map((one) =>"
    drawn = await page.run(f"{sizes} parseFloat(getComputedStyle(one).fontSize))")
    assert len(drawn) > 20
    assert min(drawn) >= 10
    box = await page.run("document.querySelector('.chart text').getBoundingClientRect().height")
    assert box >= 10  # nothing shrinks what is drawn
