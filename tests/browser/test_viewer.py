"""The viewer in Chromium, from a file: list, filters, search, keys, permalinks, a phone, hostile text."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from chromium import CHROMIUM, Page
from inspections import inspect_page

from suite.report.numbers import number
from tests.browser.viewer_pages import HOSTILE, Awkward, Made, write_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
SCRIPTS = files("suite.report.viewer").joinpath("static")
GAPS = "document.querySelector('.sv-gaps').textContent"  # what a search does not reach
NOTICE = "document.querySelector('.suite-viewer > .sv-failed:not([hidden])')?.textContent ?? ''"
COUNT = "document.querySelector('.sv-count').textContent"
PROGRESS = "document.querySelector('.sv-progress').textContent"
READ = "!!document.querySelector('.sv-body .sv-values')"  # a sample is read
TITLE = "document.querySelector('.sv-sample-title').textContent"
BODY = "document.querySelector('.sv-body').textContent"
IDS = "[...document.querySelectorAll('.sv-row .sv-id')].map((one) => one.textContent)"
OWN = "document.querySelector('.suite-viewer').contains(document.activeElement)"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of 12 samples in two cells."""
    return write_page(tmp_path_factory.mktemp("small") / "page.html", {"run": Made()}).as_uri()


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of samples that share what they should not: ids, names, the looks of numbers."""
    return write_page(tmp_path_factory.mktemp("awkward") / "page.html", {"run": Awkward()}).as_uri()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of 10,000 rows."""
    folder = tmp_path_factory.mktemp("large")
    return write_page(folder / "page.html", {"run": Made(samples=5_000)}, beside=True).as_uri()


async def opened(page: Page, url: str) -> None:
    await page.open(url)
    await page.until(READ)


async def choose(page: Page, label: str, value: str) -> None:
    """Choose in the filter of this label."""
    await page.run(
        f"(() => {{ const found = [...document.querySelectorAll('.sv-filters label')]"
        f".find((one) => one.firstChild.textContent === '{label}').querySelector('select, input');"
        f"found.value = '{value}'; found.dispatchEvent(new Event('change')); }})()"
    )


async def act_on_a_sample(page: Page) -> None:
    await page.until(READ)
    folded = "document.querySelectorAll('.sv-body details:not([open])')"
    await page.until(f"({folded}.forEach((o) => {{ o.open = true; }}), {folded}.length === 0)")


async def test_a_page_of_hostile_samples_keeps_what_every_page_promises(page: Page, small: str) -> None:
    await inspect_page(page, f"{small}#sample=pets/1&f.cell=000000000001", "viewer", act=act_on_a_sample)
    assert await page.run("document.title") == "Made"
    assert HOSTILE in await page.run("document.querySelector('.suite-viewer').textContent")
    inside = "document.querySelectorAll('.suite-viewer :is(script, img, b, iframe)').length"
    assert await page.run(inside) == 0


async def test_of_ten_thousand_rows_only_those_in_sight_are_drawn(page: Page, large: str) -> None:
    await opened(page, large)
    assert await page.run(COUNT) == "10,000 of 10,000 answers"
    await page.run("document.querySelector('.sv-list').focus()")
    await page.press("End")
    await page.until(f"{TITLE} === 'pets/4999'")
    await page.press("ArrowUp")
    await page.press("ArrowUp")
    await page.until(f"{TITLE} === 'travel/4998'")
    active = "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
    assert await page.run(f"[{active}.ariaPosInSet, {active}.ariaSetSize, {active}.ariaSelected]") == [
        "9998", "10000", "true",
    ]  # fmt: skip
    assert await page.run("document.querySelectorAll('.sv-row').length") < 60


async def test_filters_narrow_the_list_and_are_cleared(page: Page, small: str) -> None:
    await opened(page, small)
    await choose(page, "Cell", "000000000001")
    assert await page.run(COUNT) == "12 of 24 answers"
    await choose(page, "topic", "pets")
    assert await page.run(COUNT) == "4 of 24 answers"
    await choose(page, "kept", "no")
    assert await page.run(IDS) == ["travel/10"]
    await page.run(
        "[...document.querySelectorAll('button')].find((b) => b.textContent === 'Clear all').click()"
    )
    assert await page.run(COUNT) == "24 of 24 answers"
    assert await page.run(OWN)


async def test_a_range_of_numbers_and_an_unscored_reason_are_filters(page: Page, small: str) -> None:
    await opened(page, small + "#f.v.words=10..12")
    assert await page.run(COUNT) == "4 of 24 answers"
    await opened(page, small + "#f.reason=no-verdict")
    assert set(await page.run(IDS)) == {"travel/4", "pets/9"}


async def test_a_filter_with_one_value_is_left_out(page: Page, small: str) -> None:
    await opened(page, small)
    labels = await page.run(
        "[...document.querySelectorAll('.sv-filters label')].map((l) => l.firstChild.textContent)"
    )
    assert "topic" in labels
    assert not {"form", "Trial"} & set(labels)


async def test_search_finds_previews_at_once_and_full_texts_in_the_background(page: Page, large: str) -> None:
    await opened(page, large)
    await page.press("/")
    await page.type('"cell 1"')
    await page.until(f"{COUNT}.startsWith('5,000 of')")
    await page.run("document.activeElement.select()")
    await page.type("needle-77 fits")
    await page.until(f"{PROGRESS}.startsWith('searching')")
    await page.until(f"{PROGRESS} === ''")
    assert await page.run(COUNT) == "22 of 10,000 answers"  # 77 and 770 to 779, in both cells


async def test_rows_without_a_value_are_last_both_ways(page: Page, small: str) -> None:
    for sort, first in (("v.words", "pets/1"), ("-v.words", "pets/11")):
        await opened(page, f"{small}#sort={sort}&f.cell=000000000000")
        found = await page.run(IDS)
        assert (found[0], found[-1]) == (first, "travel/0")


async def test_a_permalink_opens_its_sample_in_its_cell(page: Page, small: str) -> None:
    await opened(page, small)
    await choose(page, "Cell", "000000000001")
    await page.click(".sv-row:nth-child(3)")
    await page.until(f"{TITLE} === 'travel/2'")
    link = await page.run("location.href")
    assert "sample=travel" in link
    await opened(page, link)
    assert await page.run(TITLE) == "travel/2"
    assert "cell 1" in await page.run(BODY)
    assert await page.run(COUNT) == "12 of 24 answers"


async def test_bad_permalinks_are_harmless(page: Page, small: str) -> None:
    for hash_ in (
        "#sample=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
        "#sample=nobody",
        "#f.cell=__proto__&sort=-x",
    ):
        await page.open(small + hash_)
        await page.until(f"{COUNT}.includes('24')")


@pytest.mark.parametrize(
    ("hash_", "said"),
    [
        ("#sample=pets/1&cell=ffffffffffff&trial=0", "but not in cell ffffffffffff, trial 0"),
        ("#sample=pets/1&cell=000000000001&trial=9", "but not in cell 000000000001, trial 9"),
        (f"#sample={HOSTILE.replace('&', '')}", f"There is no sample {HOSTILE} here."),
    ],
)
async def test_a_permalink_to_what_is_not_there_opens_nothing(
    page: Page, small: str, hash_: str, said: str
) -> None:
    await page.open(small + hash_)
    await page.until(f"{COUNT}.includes('24')")
    assert said in await page.run(NOTICE)
    assert not await page.run("!!document.querySelector('.sv-sample-title')")


async def test_a_permalink_says_what_cannot_stand_beside_its_sample(page: Page, small: str) -> None:
    await opened(page, small + "#sample=pets/1&cell=000000000001&trial=0&beside=zz.9")
    assert "nothing to stand beside it at zz.9" in await page.run(NOTICE)
    await page.press("s")
    await page.until("!!document.querySelector('.sv-sides')")
    assert await page.run(NOTICE) == ""


async def test_a_search_says_which_texts_it_could_not_read_to_the_end(page: Page, small: str) -> None:
    await page.open(small + "#q=nowhere-to-be-found")
    await page.until(f"{GAPS} === '2 texts are cut and not searched to the end'")
    await page.press("/")
    await page.press("Escape")
    await page.until(f"{GAPS} === ''")


async def test_a_cut_text_is_offered_as_its_beginning(page: Page) -> None:
    scripts = "".join(SCRIPTS.joinpath(f"{name}.js").read_text("utf-8") for name in ("elements", "numbers"))
    label = "passage([text], text, '', ...left).querySelector('button').textContent"
    shown = await page.run(
        f"(() => {{ {scripts}; return [['x', 10], ['x'], ['\\n… 1,200 characters more']]"
        f".map(([end, ...left]) => {{ const text = 'x'.repeat(1999) + end; return {label}; }}); }})()"
    )
    assert shown == [
        "Show the first 2,000 of 2,010 characters",
        "Show all 2,000 characters",
        "Show the first 1,999 of 3,199 characters",
    ]


@pytest.mark.parametrize("option", ["(empty) (8)", "all (8)", "__proto__ (8)"])
async def test_any_text_of_a_tag_can_be_chosen(page: Page, awkward: str, option: str) -> None:
    await opened(page, awkward)
    await page.run(
        "(() => { const found = [...document.querySelectorAll('.sv-filters label')]"
        ".find((one) => one.firstChild.textContent === 'mood').querySelector('select');"
        f"found.selectedIndex = [...found.options].findIndex((one) => one.textContent === '{option}');"
        "found.dispatchEvent(new Event('change')); })()"
    )
    assert await page.run(COUNT) == "8 of 24 answers"
    await opened(page, await page.run("location.href"))
    assert await page.run(COUNT) == "8 of 24 answers"


@pytest.mark.parametrize("wanted", ["0.1..0.3", "123457..", "0..0"])
async def test_a_range_holds_the_numbers_that_are_shown_in_it(page: Page, awkward: str, wanted: str) -> None:
    await opened(page, f"{awkward}#f.v.tokens={wanted}")
    assert await page.run(COUNT) == "6 of 24 answers"


async def test_things_of_one_name_are_told_apart(page: Page, awkward: str) -> None:
    await opened(page, awkward)
    orders = await page.run("[...document.querySelectorAll('.sv-order option')].map((o) => o.textContent)")
    assert {"tokens", "tokens (value)"} <= set(orders)
    assert len(orders) == len(set(orders))


async def test_samples_of_two_tasks_do_not_stand_side_by_side(page: Page, awkward: str) -> None:
    await opened(page, f"{awkward}#sample=pets/1")
    assert not await page.run("!!document.querySelector('.sv-beside')")


async def test_verdicts_say_in_which_sentence_their_requests_differ(page: Page) -> None:
    first = "Read the reply. Decide whether it helps. Reply: yes."
    requests = [
        ["Be fair.", first],
        ["Be fair.", first, "Maybe", "Yes or no?"],
        ["Be fair.", "Read the reply. Decide whether it names a wish. Reply: yes."],
        ["Be fair.", "Compare both."],
    ]
    script = SCRIPTS.joinpath("calls.js").read_text("utf-8")
    told = await page.run(f"(() => {{ {script}; return askedApart({json.dumps(requests)}); }})()")
    assert told == [
        "Decide whether it helps.",
        "Decide whether it helps. (asked again)",
        "Decide whether it names a wish.",
        "Compare both.",
    ]


async def test_keys_lead_through_the_samples(page: Page, small: str) -> None:
    await opened(page, small)
    for key, title in (("j", "travel/0"), ("j", "pets/1"), ("k", "travel/0")):
        await page.press(key)
        await page.until(f"{TITLE} === '{title}'")
    await page.press("s")
    await page.until("!!document.querySelector('.sv-sides')")
    await page.press("Escape")
    await page.until("!document.querySelector('.sv-sides')")
    await page.press("/")
    await page.type("pets")
    await page.until(f"{COUNT}.startsWith('12 of')")
    await page.press("Escape")
    await page.until(f"{COUNT}.startsWith('24 of')")
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert await page.run(ring) == "solid"


async def test_side_by_side_repeats_nothing_and_marks_what_differs(page: Page, small: str) -> None:
    await page.open(small + "#sample=travel/2&cell=000000000000&trial=0&beside=000000000001.0")
    await page.until("!!document.querySelector('.sv-sides')")
    assert (await page.run(BODY)).count("Noted.") == 1
    marks = await page.run("[...document.querySelectorAll('.sv-only')].map((one) => one.textContent)")
    assert marks == ["Keep my wishes in mind.", "0", "1"]
    differs = await page.run("[...document.querySelectorAll('.sv-differs th')].map((one) => one.textContent)")
    assert differs == ["kept"]


async def test_on_a_phone_a_sample_stands_in_place_of_the_list(page: Page, small: str) -> None:
    await page.look(width=400, height=800)
    await page.open(small)
    await page.until(f"{IDS}.length > 3")
    seen = "[...document.querySelectorAll('.sv-list, .sv-sample')].map((one) => one.offsetHeight > 0)"
    assert await page.run(seen) == [True, False]
    await page.click(".sv-row:nth-child(4)")
    await page.until(READ)
    assert await page.run(seen) == [False, True]
    assert await page.run("document.activeElement.className") == "sv-sample-title"
    await page.click(".sv-back")
    await page.until(f"JSON.stringify({seen}) === '[true,false]'")
    assert await page.run("document.activeElement.className") == "sv-list"


async def test_numbers_are_written_as_in_the_rest_of_the_reports(page: Page) -> None:
    values = [
        0.5,
        1 / 3,
        0.0625,
        -0.0625,
        -2.0005,
        9.9996,
        10.26,
        12.25,
        99.96,
        100.5,
        -101.5,
        12_345_678.9,
        7,
    ]
    script = SCRIPTS.joinpath("numbers.js").read_text("utf-8")
    asked = f"{json.dumps(values)}.map((one) => numberText(one))"
    shown = await page.run(f"(() => {{ {script}; return {asked}; }})()")
    assert shown == [number(value) for value in values]
    assert await page.run(f"(() => {{ {script}; return [numberText(1, true), valueText(0, true)]; }})()") == [
        number(1.0),
        number(0.0),
    ]


async def test_the_chosen_sample_is_printed_without_the_list(page: Page, small: str) -> None:
    await opened(page, small + "#sample=pets/1")
    await page.look(paper=True)
    parts = "'.sv-filters, .sv-list, .sv-sample, .sv-bar'"
    seen = f"[...document.querySelectorAll({parts})].map((one) => one.offsetHeight > 0)"
    assert await page.run(seen) == [False, False, True, False]


async def test_a_part_that_is_not_there_is_named(page: Page, tmp_path: Path) -> None:
    path = write_page(tmp_path / "page.html", {"run": Made(samples=60)}, beside=True)
    (tmp_path / "samples" / "run" / "part-1.js").unlink()
    await page.open(path.as_uri() + "#sample=pets/59")
    await page.until("!!document.querySelector('.sv-body .sv-failed')")
    assert "samples/run/part-1.js cannot be read" in await page.run(BODY)
    page.said.clear()  # the browser's own word about the file


async def test_an_old_browser_is_told_so(page: Page, small: str) -> None:
    await page.send("Page.addScriptToEvaluateOnNewDocument", source="delete window.DecompressionStream")
    await page.open(small)
    assert "too old" in await page.run("document.querySelector('.suite-viewer').textContent")


async def test_without_a_script_the_page_says_that_samples_need_one(page: Page, small: str) -> None:
    await page.look(script=False)
    await page.open(small)
    seen = await page.send("DOM.getDocument", depth=-1)
    found = await page.send("DOM.querySelector", nodeId=seen["root"]["nodeId"], selector="noscript")
    box = await page.send("DOM.getBoxModel", nodeId=found["nodeId"])
    assert box["model"]["height"] > 0
    await page.look()
