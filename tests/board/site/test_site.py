"""The built site: what it shows, that it is inert, whole, offline and the same each time."""

import csv
import json
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import jsonschema
import pytest
from bs4 import Tag

from suite.board.repository.shelves import open_repository
from suite.board.site.page_words import external, name
from suite.board.site.pages import build_site
from suite.data.registry import registry_folder
from suite.errors import ConfigError
from suite.report.local_site import POLICY
from tests.board import accepted
from tests.board.pages import pages, soup, table


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    accepted.repository(folder)
    return folder


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    build_site(open_repository(root), root / "site", url="https://example.org/b")
    return root / "site"


def test_every_page_has_the_policy_and_nothing_of_another_origin_or_inline(site: Path) -> None:
    count = 0
    for path, page in pages(site):
        count += 1
        policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
        assert isinstance(policy, Tag), path
        assert policy["content"] == POLICY
        for tag in page.find_all(True):
            assert not any(key.startswith("on") or key == "style" for key in tag.attrs), (path, tag)
        for script in page.find_all("script"):
            assert script.get("src"), path
            assert not script.text
        assert not page.find_all(["style", "iframe", "object", "base", "img"])
        for tag in page.select("link[href], script[src], a[href]"):
            target = str(tag.get("href") or tag.get("src"))
            assert urlsplit(target).scheme in ("", "https"), (path, target)
            if tag.name != "a":
                assert not urlsplit(target).scheme
            elif urlsplit(target).scheme:
                assert set(tag["rel"]) >= {"nofollow", "noopener", "noreferrer", "ugc"}
    # entries, index, custom, history, list of tasks, columns + overall, pairs of the 8 that have a rank
    assert count == 12 + 1 + 1 + 1 + 1 + 4 + 28 + 1


def test_every_relative_link_leads_somewhere(site: Path) -> None:
    ids = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages(site)}
    for path, page in pages(site):
        for tag in page.select("[href], [src]"):
            target = str(tag.get("href") or tag.get("src"))
            if target.startswith("https:"):
                continue
            file, _, anchor = target.partition("#")
            to = (path.parent / file).resolve() if file else path
            assert to.is_file(), (path, target)
            if anchor:
                assert anchor in ids[to], (path, target)


def test_hostile_text_is_inert_everywhere(site: Path) -> None:
    for path in site.rglob("*"):
        if path.suffix in (".html", ".js", ".xml"):
            text = path.read_text("utf-8")
            assert "<script>document" not in text, path
            assert "<img src=x" not in text
            assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)
            assert not re.search(r"""(href|src)=["']?javascript:""", text)
    assert "\u202e" not in (site / "data.json").read_text("utf-8")
    hostile = [row for row in table(soup(site / "index.html")) if "owned" in row["model"].text]
    assert len(hostile) == 1
    assert "⟨U+202E⟩" in hostile[0]["model"].text or hostile[0]["model"].text.count("script") >= 2


def test_names_lose_what_cannot_be_seen_and_links_are_https_only() -> None:
    assert name("a\u200bb\u202ec\ufeff") == "ab⟨U+202E⟩c"
    assert name("") == name(None) == name("\u200b") == "–"
    assert str(external("https://example.org/a?b=1")).startswith(
        '<a href="https://example.org/a?b=1" rel="nofollow'
    )
    for bad in (
        "javascript:alert(1)",
        "http://example.org",
        "https://a b",
        'https://x"onclick=',
        "https://x\n",
    ):
        assert "<a" not in str(external(bad))


def test_the_table_says_who_is_where(site: Path, root: Path) -> None:
    rows = table(soup(site / "index.html"))
    models = [row["model"].find("a").text for row in rows]  # type: ignore[union-attr]
    assert len(rows) == 9  # without the custom, the superseded and the withdrawn one
    ranks = [next(iter(row["rank"].stripped_strings)) for row in rows]
    assert ranks[:-1] == sorted(ranks[:-1], key=int)
    assert (models[-1], ranks[-1]) == ("Model 003", "–")  # misses a column: last, no rank
    assert rows[-1]["family/task-2"].text == "–"
    by_model = dict(zip(models, rows, strict=True))
    exposed, plain = by_model["Model 007"], by_model["Model 009"]
    assert exposed["zero_shot"].text == "67 %"
    assert "declared exposure: 1 of 3" in exposed["model"].text
    assert plain["zero_shot"].text == "100 %"
    assert by_model["Model 010"]["zero_shot"].text == "unknown"
    assert "3 unscored" in by_model["Model 008"]["family/task-0"].text
    assert plain["cost"].text == "unknown"
    first = rows[0]["overall"].find("small")
    assert first is not None
    assert re.fullmatch(r"0\.\d+–0\.\d+", first.text)


def test_custom_entries_have_a_table_of_their_own_and_no_standard_rank(site: Path) -> None:
    assert "Model 002" not in (site / "index.html").read_text("utf-8")
    rows = table(soup(site / "custom.html"))
    assert [row["model"].find("a").text for row in rows] == ["Model 002"]  # type: ignore[union-attr]
    found = json.loads((site / "data.json").read_text("utf-8"))["entries"]
    assert [one["rank"] for one in found if one["class"] == "custom"] == [1]
    assert [one["rank"] for one in found if one["class"] == "standard"].count(1) == 1
    standard = soup(site / "tasks/family--task-0.html").select("section")[0]
    assert "Model 002" not in standard.text


def test_the_script_has_the_same_rows_as_the_page(site: Path) -> None:
    text = (site / "rows.js").read_text("utf-8")
    given = json.loads(text.removeprefix("suiteBoard.rows(").removesuffix(");\n"))
    shown = table(soup(site / "index.html"))
    assert len(given) == len(shown)
    for row, cells in zip(given, shown, strict=True):
        for (told, _, sub, marks), cell in zip(row[3], cells.values(), strict=True):
            strings = list(cell.stripped_strings)
            assert strings == [one for one in (" ".join(told.split()), sub, *marks) if one]


def test_pages_make_all_rows_reachable_without_a_script(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 1)
    for number in range(230):
        accepted.entry(tmp_path, made, number, accepted.scores(number, 1, 24, 0.5))
    build_site(open_repository(tmp_path), tmp_path / "site")
    seen = []
    place, done = "index.html", set()
    while place and place not in done:
        done.add(place)
        page = soup(tmp_path / "site" / place)
        seen += [tr["id"] for tr in page.select("#board tbody tr")]
        links = [str(a["href"]) for a in page.select("#pages a[href]")]
        place = next((link for link in links if link not in done), "")
    assert len(seen) == len(set(seen)) == 230
    assert (tmp_path / "site" / "index.html").stat().st_size < 200_000


def test_an_entrys_page_has_everything_about_it(site: Path, root: Path) -> None:
    entry = next(one for one in open_repository(root)[0].entries() if one.record.status == "withdrawn")
    page = soup(site / "entries" / f"{entry.short}.html")
    assert "Withdrawn." in page.select_one(".tombstone").text  # type: ignore[union-attr]
    new = next(one for one in open_repository(root)[0].entries() if one.submission.supersedes)
    page = soup(site / "entries" / f"{new.short}.html")
    for said in (
        "Declared by the submitter",
        "third party",
        "question 3?",
        "Not shown: where",
        "supersedes",
        "L1",
    ):
        assert said in page.text, said
    flips = page.find("caption", string=re.compile("sample by sample"))
    assert isinstance(flips, Tag)
    assert "only ever better" in flips.parent.text  # type: ignore[union-attr]
    for link in page.select("a[href]"):
        if "per_sample" in str(link["href"]):
            break
    else:
        raise AssertionError("no download")


def test_a_hidden_test_set_publishes_no_samples(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 1, publish={"per_sample": False})
    accepted.entry(tmp_path, made, 0, accepted.scores(0, 1, 24, 0.5))
    build_site(open_repository(tmp_path), tmp_path / "site")
    assert not list((tmp_path / "site").rglob("*.parquet"))


def test_a_task_page_names_pairs_in_words_and_has_an_interval_plot(site: Path) -> None:
    page = soup(site / "tasks" / "overall.html")
    words = {td.text for td in page.select("table.pairs td > a")}
    assert words == {"better", "worse", "tied"}
    assert page.select("figure.forest li")
    assert "Leaving one task out" in page.text
    assert [len(one.select("tbody tr")) for one in page.select("table.sortable")] == [9, 1]


def test_tables_are_made_for_readers_of_every_kind(site: Path) -> None:
    for path, page in pages(site):
        html = page.find("html")
        assert isinstance(html, Tag)
        assert html["lang"] == "en"
        assert len(page.find_all("h1")) == 1, path
        assert len(page.find_all("main")) == 1
        for one in page.find_all("table"):
            assert one.find("caption"), path
            for head in one.select("thead th"):
                assert head["scope"] == "col"
            for head in one.select("tbody th"):
                assert head["scope"] == "row"
        for region in page.select("div.wide"):
            assert region["tabindex"] == "0"
            assert region.get("aria-label") or region.get("aria-labelledby")
        for field in page.select("input, select"):
            assert field.find_parent("label"), path
        levels = [int(tag.name[1]) for tag in page.find_all(re.compile("^h[1-6]$"))]
        assert all(b - a <= 1 for a, b in pairwise(levels)), (path, levels)
        assert len({tag["id"] for tag in page.find_all(id=True)}) == len(page.find_all(id=True)), path
        for image in page.find_all("svg"):
            assert image.get("aria-hidden") == "true" or image.get("role") == "img"


def test_data_json_keeps_its_schema_and_unknown_is_null(site: Path) -> None:
    stored = json.loads((registry_folder() / "schemas" / "board-data.v1.json").read_text())
    found = json.loads((site / "data.json").read_text("utf-8"))
    jsonschema.validate(found, stored)
    assert {one["cost"] for one in found["entries"]} == {None}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**found, "more": 1}, stored)


def test_the_csv_runs_no_formula_and_has_every_entry(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 1)
    bad = {"model": {"display_name": "=HYPERLINK(1)", "organization": "@x"}}
    accepted.entry(tmp_path, made, 0, accepted.scores(0, 1, 24, 0.5), submission=bad)
    build_site(open_repository(tmp_path), tmp_path / "site")
    with (tmp_path / "site" / "entries.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["model"], rows[0]["organization"]) == ("'=HYPERLINK(1)", "'@x")
    assert rows[0]["cost"] == ""


def test_the_feed_is_well_formed_and_has_the_latest_first(site: Path) -> None:
    feed = ElementTree.parse(site / "feed.xml").getroot()
    space = {"a": "http://www.w3.org/2005/Atom"}
    times = [one.text or "" for one in feed.findall("a:entry/a:updated", space)]
    assert times == sorted(times, reverse=True)
    links = [str(one.get("href")) for one in feed.findall("a:entry/a:link", space)]
    assert all(link.startswith("https://example.org/b/entries/") for link in links)
    assert "withdrawn" in (feed.findtext("a:entry/a:title", namespaces=space) or "")


def test_the_same_repository_gives_the_same_bytes(site: Path, root: Path, tmp_path: Path) -> None:
    build_site(open_repository(root), tmp_path / "again", url="https://example.org/b")
    mine = {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    again = tmp_path / "again"
    assert mine == {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}


def test_a_folder_of_something_else_is_not_replaced_and_a_site_is(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="did not put there"):
        build_site(open_repository(root), tmp_path / "mine")
    assert (tmp_path / "mine/thesis.txt").read_text() == "mine"
    for _ in range(2):
        build_site(open_repository(root), tmp_path / "new")
