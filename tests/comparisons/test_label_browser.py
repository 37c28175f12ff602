"""The labelling page in Chromium: labels by keys, kept over a reload, saved as a file that is taken back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chromium import CHROMIUM, Page, tab
from inspections import inspect_page
from labelling import judged_run

from suite.comparisons.correction import correct_runs
from suite.comparisons.label_choice import LabelsWanted, draw
from suite.comparisons.label_files import read_labels_files
from suite.comparisons.label_page import label_page
from suite.comparisons.runs import open_runs

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
COUNT = "document.getElementById('label-count').textContent"
FILE = "document.getElementById('label-json').value"
TOLD = "document.getElementById('label-told').textContent"
PLACE = "document.getElementById('label-place').textContent"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(judged_run(tmp_path_factory.mktemp("label-browser")))


@pytest.fixture
async def page(chromium_port: int, tmp_path: Path) -> AsyncIterator[Page]:
    async with tab(chromium_port) as found:
        await found.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        yield found


def made(run: str, tmp_path: Path, **wanted: object) -> Path:
    path = tmp_path / "labels.html"
    drawn = draw(open_runs([run]), LabelsWanted(**{"n": 12, **wanted}))  # type: ignore[arg-type]
    path.write_text("".join(label_page(drawn)), "utf-8")
    return path


async def named(page: Page, person: str) -> None:
    await page.click("#label-person")
    await page.type(person)
    await page.press("Escape")


async def renamed(page: Page, person: str) -> None:
    await page.run("document.getElementById('label-person').select()")
    await page.type(person)
    await page.press("Escape")


async def opened(page: Page, text: str) -> None:
    """Open a labels file on the page."""
    await page.run(f"""(() => {{
      const files = new DataTransfer();
      files.items.add(new File([{json.dumps(text)}], "a.json"));
      const field = document.getElementById("label-load");
      field.files = files.files;
      field.dispatchEvent(new Event("change"));
    }})()""")


async def test_labels_by_keys_are_kept_saved_and_taken_back(page: Page, run: str, tmp_path: Path) -> None:
    path = made(run, tmp_path)
    await page.open(path.as_uri())
    await named(page, "Ann <b>")
    for key in ("1", "n", "u", "y", "z", "2"):
        await page.press(key)
    await page.press("c")
    await page.type("a comment </script>")
    await page.press("Escape")
    assert await page.run(COUNT) == "4 of 12 labelled"
    await page.reload()
    assert await page.run(COUNT) == "4 of 12 labelled"
    assert await page.run(PLACE) == "Sample 5 of 12"
    for _ in range(8):
        await page.press("1")
    await page.press("s")
    await page.until("document.getElementById('label-told').textContent.startsWith('Saved as')")
    await page.run("document.getElementById('label-text').open = true")
    await page.until(f"{FILE} !== ''")
    text = await page.run(FILE)
    given = json.loads(text)
    assert [one["label"] for one in given["labels"]] == ["yes", "no", "unsure", "no"] + ["yes"] * 8
    assert given["labels"][4]["comment"] == "a comment </script>"
    assert min(one["seconds"] for one in given["labels"]) >= 0
    assert (page.said, await page.violations(), await page.run("document.title")) == (
        [], [], "Labels: Answers that please",
    )  # fmt: skip
    while not (files := [*tmp_path.glob("labels-Ann-*.json")]):
        await asyncio.sleep(0.05)
    (saved,) = files
    assert json.loads(saved.read_text("utf-8")) == given
    found = correct_runs(read_labels_files([run], [saved]))
    assert (found.find("labelled", "Ann <b>").value, found.find("cannot tell").value) == (12, 1)
    for left in (12, 0):  # a second press is the consent
        await page.click("#label-anew")
        assert await page.run(COUNT) == f"{left} of 12 labelled"
    await page.reload()
    assert await page.run(COUNT) == "0 of 12 labelled"
    await opened(page, text)
    await page.until(f"{COUNT} === '12 of 12 labelled'")


async def test_each_person_has_their_own_labels_and_file(page: Page, run: str, tmp_path: Path) -> None:
    await page.open(made(run, tmp_path, seed=1).as_uri())
    await page.press("1")
    assert (await page.run(COUNT), await page.run(TOLD)) == (
        "0 of 12 labelled", "Say who labels first: fill in the name at the top.",
    )  # fmt: skip
    await page.press("Escape")
    await named(page, "Ann")
    for key in "112":
        await page.press(key)
    await page.run("document.getElementById('label-text').open = true")
    await page.until(f"{FILE} !== ''")
    anns = await page.run(FILE)
    await renamed(page, "__proto__")
    assert await page.run(COUNT) == "0 of 12 labelled"
    await page.press("2")
    await opened(page, anns)
    await page.until(f"{TOLD}.includes('holds labels of Ann, you are __proto__')")
    assert await page.run(COUNT) == "1 of 12 labelled"
    await page.reload()
    assert await page.run(COUNT) == "1 of 12 labelled"
    await renamed(page, "ANN")
    assert await page.run(COUNT) == "3 of 12 labelled"
    await renamed(page, "Anna")
    await page.click("#label-mine")
    assert (await page.run(COUNT), await page.run("document.getElementById('label-mine').hidden")) == (
        "3 of 12 labelled", True,
    )  # fmt: skip
    await renamed(page, "Ann")
    assert (await page.run(COUNT), page.said) == ("0 of 12 labelled", [])


async def test_a_browser_that_keeps_nothing_is_told(page: Page, run: str, tmp_path: Path) -> None:
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})"
    await page.send("Page.addScriptToEvaluateOnNewDocument", source=refuse)
    await page.open(made(run, tmp_path).as_uri())
    await named(page, "Ann")
    await page.press("1")
    assert await page.run(COUNT) == "1 of 12 labelled"
    assert "keeps nothing" in await page.run("document.getElementById('label-notes').textContent")


@pytest.mark.parametrize("value", ["kept", "win"])
async def test_the_page_keeps_what_every_page_promises(
    page: Page, run: str, tmp_path: Path, value: str
) -> None:
    await inspect_page(page, made(run, tmp_path, value=value), f"label-{value}")
