"""Samples of entries in Chromium: loaded when they are asked for, of one entry and of two side by side."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import CHROMIUM, Page, tab
from inspections import inspect_page

from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from suite.report.local_site import SiteServer, folder_files
from tests.board.conftest import HOSTILE_NAME

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def site(twins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(open_repository(twins), tmp_path_factory.mktemp("site") / "site").folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with SiteServer(folder_files(site), 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def pages(site: Path) -> dict[str, str]:
    """Path and query of a page with samples open: of an entry, and of a pair."""
    (pair,) = (site / "pairs").glob("*--*.html")
    one, two = pair.stem.split("--")
    return {
        "entry": f"entries/{one}.html?samples={one}-0",
        "pair": f"pairs/{pair.name}?samples={one}-0.{two}-0",
    }


async def opened(page: Page) -> None:
    await page.until("document.querySelector('#viewer')?.textContent.includes('of 94')")


@pytest.mark.parametrize("what", ["entry", "pair"])
@pytest.mark.parametrize("how", ["file", "http"])
async def test_samples_are_shown_when_they_are_asked_for(
    site: Path, address: str, what: str, how: str, chromium_port: int
) -> None:
    base = {"file": site.as_uri(), "http": address}[how]
    path = pages(site)[what]
    async with tab(chromium_port) as page:
        await page.open(f"{base}/{path.partition('?')[0]}")
        assert not any("/samples/" in url or url.endswith("viewer.js") for url in page.asked)
        await page.run("document.querySelector('#samples a[data-samples]').click()")
        await opened(page)
        assert page.asked[-1].startswith(base)
        assert any("/index.js" in url for url in page.asked)
        text = await page.run("document.querySelector('#viewer').textContent")
        assert "<choice>" in text
        assert what == "entry" or HOSTILE_NAME in text
        assert await page.run("document.querySelector('img') === null")
        assert await page.violations() == []
        assert page.said == []


@pytest.mark.parametrize("what", ["entry", "pair"])
async def test_pages_with_samples_have_no_barrier_on_any_screen(
    site: Path, what: str, chromium_port: int
) -> None:
    async with tab(chromium_port) as page:
        await inspect_page(page, f"{site.as_uri()}/{pages(site)[what]}", f"board-samples-{what}", act=opened)


async def test_a_query_that_names_no_source_loads_nothing(site: Path, chromium_port: int) -> None:
    path = pages(site)["entry"].partition("?")[0]
    async with tab(chromium_port) as page:
        for query in ("?samples=../../x", "?samples=", "?samples=%3Cscript%3E", "?samples=__proto__"):
            await page.open(f"{site.as_uri()}/{path}{query}")
            assert await page.run("document.querySelector('.suite-viewer') === null")
            assert not any(url.endswith("viewer.js") for url in page.asked)
            assert page.said == []
