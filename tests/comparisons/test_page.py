"""The page of a comparison: rows beside a zero line, whole labels, and the samples that tell runs apart."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from suite.comparisons.comparison import Compared, ComparisonWanted, compare_runs
from suite.comparisons.sections import sample_pairs, sections
from suite.journal.records import ScoreRecord, encode
from suite.plugins import Catalogue
from suite.report.compare_page import html_page, markdown_page
from tests.report.strict_page import Page
from tests.report.viewer.reading_views import from_dense, unpacked

Scores = Callable[[int, int], Mapping[str, Any]]
HOSTILE = "\x1b[2J</script><img src=x onerror=alert(1)>\u202e & \ud800"


def kept(*indices: int) -> Scores:
    return lambda i, t: {"kept": i in indices}


def page_of(found: Compared) -> str:
    return "".join(html_page("A comparison", "Comparison", sections(found, read=False), sample_pairs(found)))


def rows(page: str) -> list[str]:
    """The labels of all rows of plots."""
    return [html.unescape(one) for one in re.findall(r'<span class="label"[^>]*>(.*?)</span>', page)]


def index(page: str, source: str) -> dict[str, Any]:
    """The index of a source of samples."""
    [body] = re.findall(f'<script type="text/plain" data-source="{source}" class="suite-index">(.*?)<', page)
    read: dict[str, Any] = unpacked(from_dense(body))
    return read


@pytest.fixture
def compared(write_run: Callable[..., Path], plugins: Catalogue) -> Callable[..., Compared]:
    """Compares runs of these scores, named a, b, c …"""

    def make(*scores: Scores, wanted: ComparisonWanted | None = None, **options: Any) -> Compared:
        places = [str(write_run(name, one, **options)) for name, one in zip("abcdef", scores, strict=False)]
        return compare_runs(places, wanted, plugins)

    return make


def test_a_row_is_drawn_beside_a_line_at_zero_with_both_sides_named(
    compared: Callable[..., Compared],
) -> None:
    page = page_of(compared(kept(*range(30)), kept(1)))
    assert page.count('class="zero"') >= 1
    assert "← scripted/b better" in page
    assert "scripted/a better →" in page
    assert rows(page)[0] == "tiny/one"


def test_where_less_is_better_the_sides_change_places(compared: Callable[..., Compared]) -> None:
    found = compared(kept(*range(30)), kept(1))
    row = found.rows[0]
    turned = replace(row, measure=replace(row.measure, direction="lower"))
    page = page_of(replace(found, rows=(turned,), slices=()))
    assert "← scripted/a better" in page
    assert "scripted/b better →" in page


def test_labels_are_whole_and_no_two_are_the_same(write_run: Callable[..., Path], plugins: Catalogue) -> None:
    long = "openai/" + "a-very-long-name-of-a-model-" * 3
    places = []
    for name in ("one", "two", "three"):
        roles = {"candidate": [{"spec": long + name}]}
        cells = [("tiny/one", {"turns": turns}, kept(turns)) for turns in (0, 5)]
        places.append(str(write_run(name, cells=cells, roles=roles)))
    page = page_of(compare_runs(places, None, plugins))
    assert all(f"A: {long}one, B: {long}{other}" in page for other in ("two", "three"))
    figures = [rows(one) for one in page.split("<figure")[1:]]
    assert all(len(set(labels)) == len(labels) for labels in figures)
    assert figures[0] == ["turns=0", "turns=5"]


def test_two_cells_that_differ_are_named_by_what_differs(
    write_run: Callable[..., Path], plugins: Catalogue
) -> None:
    places = [str(write_run(str(k), cells=[("tiny/one", {"turns": k}, kept(k))])) for k in (0, 5)]
    page = page_of(compare_runs(places, None, plugins))
    assert rows(page)[0] == "turns=0 against 5"
    assert 'data-pairs="0:0"' in page


def test_only_samples_that_differ_or_lack_a_score_are_in_the_page(compared: Callable[..., Compared]) -> None:
    lacking = lambda i, t: {"kept": None if i == 7 else i in (1, 2)}  # noqa: E731
    page = page_of(compared(lacking, kept(2, 3), trials=2))
    for side in "ab":
        told = index(page, f"pair-1-{side}")
        assert sorted(set(told["samples"]["id"])) == ["s1", "s3", "s7"]
        assert told["samples"]["trial"] == [0, 1] * 3
        assert told["run"]["label"] == f"scripted/{side}"
    assert "3 of 3 samples that differ or lack a score on one side" in page


def test_a_page_holds_at_most_so_many_samples_the_most_telling_first(
    compared: Callable[..., Compared],
) -> None:
    found = compared(lambda i, t: {"grade": i / 40}, lambda i, t: {"grade": 0.0}, task="tiny/macro")
    [one] = sample_pairs(found, 3)
    page = "".join(one.parts)
    assert sorted(index(page, "pair-1-a")["samples"]["id"]) == ["s37", "s38", "s39"]
    assert one.about.startswith("3 of 39 samples")


def test_every_pair_of_three_runs_has_its_samples(compared: Callable[..., Compared]) -> None:
    page = page_of(compared(kept(1), kept(2), kept(3)))
    sources = re.findall(r'data-sources="(.*?)"', page)
    assert sources == [f"pair-{number}-a pair-{number}-b" for number in (1, 2, 3)]
    assert [index(page, f"pair-3-{side}")["run"]["name"] for side in "ab"] == ["b", "c"]
    assert sorted(set(index(page, "pair-3-a")["samples"]["id"])) == ["s2", "s3"]


def test_runs_that_are_alike_have_no_samples_to_click_through(compared: Callable[..., Compared]) -> None:
    page = page_of(compared(kept(1), kept(1)))
    assert "suite-viewer" not in page


def test_a_run_is_compared_with_another_scoring_of_itself(
    write_run: Callable[..., Path], plugins: Catalogue
) -> None:
    folder = write_run("a", kept(1, 2))
    second = folder / "scorings" / "second"
    second.mkdir()
    for path in (folder / "scorings" / "first").iterdir():
        (second / path.name).write_text(path.read_text().replace('"scoring": "first"', '"scoring": "second"'))
    scores = msgspec.json.Decoder(ScoreRecord)
    with (second / "scores.jsonl").open("wb") as judged:
        for line in (folder / "scorings" / "first" / "scores.jsonl").read_bytes().splitlines():
            record = scores.decode(line)
            judged.write(encode(msgspec.structs.replace(record, values={"kept": False})))
    found = compare_runs([f"{folder}@first", f"{folder}@second"], None, plugins)
    page = page_of(found)
    assert [index(page, f"pair-1-{side}")["run"]["scoring"] for side in "ab"] == ["first", "second"]
    assert index(page, "pair-1-a")["samples"]["id"] == ["s1", "s2"]


def test_hostile_names_stay_text(write_run: Callable[..., Path], plugins: Catalogue) -> None:
    places = []
    for name, of in (("a", kept(1)), ("b", kept(2))):
        roles = {"candidate": [{"spec": f"openai/{name}{HOSTILE[:-1]}"}]}
        cells = [("tiny/one", {"turns": turns, "note": HOSTILE[:-1]}, of) for turns in (0, 1)]
        places.append(str(write_run(name, cells=cells, roles=roles)))
    page = page_of(compare_runs(places, None, plugins))
    read = Page(page)
    assert "\x1b" not in page
    assert "<img" not in page
    assert not read.attributes("onerror")
    assert not read.attributes("style")
    assert "</script><img src=x" in read.text.replace("\u241b", "")


def test_markdown_keeps_a_few_samples_as_text(compared: Callable[..., Compared]) -> None:
    text = markdown_page("A comparison", sections(compared(kept(1), kept(2))))
    assert "To read: scripted/a against scripted/b" in text
    assert "a says 1" in text


def test_no_two_columns_of_a_table_have_one_name(compared: Callable[..., Compared]) -> None:
    found = compared(kept(1), kept(2), kept(3), wanted=ComparisonWanted(margin=0.1))
    for section in sections(found):
        for block in section.blocks:
            columns = list(getattr(block, "columns", ()))
            assert len(set(columns)) == len(columns)


def test_two_addresses_of_one_name_differ(write_run: Callable[..., Path], plugins: Catalogue) -> None:
    hosts = ("https://one.openai.azure.com", "https://two.openai.azure.com")
    roles = [{"candidate": [{"spec": "azure/dep", "identity": {"url": host}}]} for host in hosts]
    runs = [str(write_run(name, kept(1), roles=one)) for name, one in zip("ab", roles, strict=True)]
    page = page_of(compare_runs(runs, None, plugins))
    assert all(host in page.partition("What differs")[2] for host in hosts)
