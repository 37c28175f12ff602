"""Every file of the site by its path: pages, comparisons, samples; what is refused, and what is left out."""

import base64
import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suite.errors import ConfigError
from suite.view.run_rows import RunListing, key_of
from suite.view.site import ViewSite, write_site
from tests.report.strict_page import Page

Make = Callable[..., Path]


def keys(site: ViewSite) -> list[str]:
    """Of model-a, model-b, model-c."""
    return [row.key for row in reversed(site.listing.rows())]


def page(site: ViewSite, path: str) -> Page:
    body = site.files(path)
    assert body is not None, path
    return Page(body.decode())


def index_of(script: bytes | None) -> dict[str, Any]:
    """What a script of an index holds."""
    assert script is not None
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(script.split(b'"')[3])))
    return found


def files_of(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


def test_each_row_leads_to_a_page_of_its_run(site: ViewSite) -> None:
    links = [link for link in page(site, "index.html").attributes("href") if link.startswith("runs/")]
    assert links == [f"runs/{key}.html" for key in reversed(keys(site))]
    assert all("Evaluation run" in page(site, link).text for link in links)


def test_an_empty_folder_says_how_to_make_a_run(tmp_path: Path) -> None:
    found = page(ViewSite(RunListing(tmp_path), tmp_path / "scratch"), "index.html")
    assert "There are no runs here yet. This makes one:" in found.text
    assert "suite eval --task" in found.text


def test_no_page_has_style_or_script_of_its_own(site: ViewSite) -> None:
    a, b, c = keys(site)
    for path in ("index.html", f"runs/{a}.html", f"compare/{a}--{b}.html", f"compare/{a}--{b}--{c}.html"):
        found = page(site, path)
        assert found.bodies == {"script": [], "style": []}, path
        assert not {name for _, attrs in found.elements for name in attrs if name.startswith(("on", "style"))}
        for link in (*found.attributes("src"), *found.attributes("href")):
            if link.startswith(("assets/", "../assets/")):
                assert site.files(link.removeprefix("../")), link


def test_samples_are_made_beside_the_runs_and_follow_their_state(site: ViewSite, runs: Path) -> None:
    key, before = keys(site)[0], files_of(runs)
    (name,) = page(site, f"runs/{key}.html").attributes("data-sources")
    assert len(index_of(site.files(f"samples/{name}/index.js"))["samples"]["id"]) == 14
    assert site.files(f"samples/{name}/part-0.js")
    assert files_of(runs) == before
    (runs / "model-a" / "attempts.jsonl").touch()
    (later,) = page(site, f"runs/{key}.html").attributes("data-sources")
    assert later != name
    assert site.files(f"samples/{later}/index.js")


NOWHERE = """
x runs runs/ runs/x.html runs/../index.html runs/A.html runs/KEY index.html/ assets/ assets/../site.py
assets/table.js samples/ samples/x/index.js samples/../../etc/passwd samples/NAME/../index.js
samples/NAME/.suite-view samples/NAME/index.js/ samples/NAME/part-9.js compare/.html compare/index.html
compare/KEY.html compare/KEY--KEY.html compare/KEY--x.html compare/KEY--
"""


def test_nothing_else_is_served(site: ViewSite) -> None:
    key = keys(site)[0]
    (name,) = page(site, f"runs/{key}.html").attributes("data-sources")
    assert site.files(f"samples/{name}/index.js")
    paths = ["", *(one.replace("KEY", key).replace("NAME", name) for one in NOWHERE.split())]
    assert [path for path in paths if site.files(path) is not None] == []


def test_two_runs_are_compared_with_interval_and_test_and_their_samples_paired(site: ViewSite) -> None:
    a, b, _ = keys(site)
    found = page(site, f"compare/{a}--{b}.html")
    assert "model-a.jsonl against scripted" in found.text
    assert re.search(r"[+-]\d\.\d{3} \[[+-]\d\.\d{3}, [+-]\d\.\d{3}\]", found.text)
    ((one, two),) = (names.split() for names in found.attributes("data-sources"))
    labels = [index_of(site.files(f"samples/{name}/index.js"))["run"]["label"] for name in (one, two)]
    assert (labels, found.attributes("data-pairs")) == (["model-a", "model-b"], ["0:0"])
    assert "LabelledRun" not in found.text


def test_of_several_runs_each_is_compared_with_the_last_and_a_pair_chosen_to_read(site: ViewSite) -> None:
    a, b, c = keys(site)
    found = page(site, f"compare/{c}--{a}--{b}.html")
    assert found.attributes("data-sources") == []
    assert [one for one in found.attributes("href") if "--" in one] == [
        f"{c}--{b}.html#samples",
        f"{a}--{b}.html#samples",
    ]


def test_what_is_not_comparable_is_refused_and_shown_where_asked_for(site: ViewSite, runs: Path) -> None:
    manifest = runs / "model-a" / "manifest.json"
    manifest.write_text(re.sub(r'"version": \d+', '"version": 99', manifest.read_text("utf-8")), "utf-8")
    a, b, _ = keys(site)
    refused = page(site, f"compare/{b}--{a}.html")
    assert "are not comparable" in refused.text
    assert "task version (prefeval/classification): " in refused.text
    assert "minus" not in refused.text
    assert f"{b}--{a}.anyway.html" in refused.attributes("href")
    shown = page(site, f"compare/{b}--{a}.anyway.html")
    assert "Not comparable, shown all the same:" in shown.text
    assert "A minus B" in shown.text


@pytest.mark.parametrize("name", ["manifest.json", "scorings/*/results.json"])
def test_a_damaged_run_is_said_on_its_pages(site: ViewSite, runs: Path, name: str) -> None:
    a, b, _ = keys(site)
    (path,) = (runs / "model-a").glob(name)
    path.write_bytes(path.read_bytes()[:400])
    for place in (f"runs/{a}.html", f"compare/{b}--{a}.html"):
        assert f"{path.name} is not JSON" in page(site, place).text


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            lambda path: path.write_bytes(path.read_bytes()[:-30]),
            "1 of 14 samples that results.json counts is not in",
        ),
        (lambda path: path.unlink(), "14 of 14 samples that results.json counts are not in outputs.jsonl"),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b'"cell"', b'"cull"', 1)),
            "The journal is damaged: outputs.jsonl line 1 was changed",
        ),
        (
            lambda path: path.with_name("calls.jsonl").unlink(),
            "calls.jsonl is missing: the journal is damaged",
        ),
    ],
)
def test_a_damaged_journal_is_said_with_the_results_and_with_the_samples(
    site: ViewSite, runs: Path, damage: Callable[[Path], object], told: str
) -> None:
    damage(runs / "model-a" / "outputs.jsonl")
    assert page(site, f"runs/{keys(site)[0]}.html").text.count(told) == 2


def test_one_damaged_run_stops_no_export_and_its_page_says_why(runs: Path, tmp_path: Path) -> None:
    (path,) = (runs / "model-a").glob("scorings/*/scores.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"cell"', b'"cull"', 1))
    found = exported(runs, tmp_path)
    name, body = next(one for one in found.items() if re.match("samples/model-a-.*/index.js", one[0]))
    assert body.startswith(b"suiteTrouble(")
    assert b"scores.jsonl line 1 was changed or damaged" in body
    assert len([one for one in found if one.endswith("/part-0.js")]) == 2, name
    assert all(
        str(runs / "model-a") in found[one].decode() for one in found if re.match("compare/.*model-a", one)
    )


def exported(runs: Path, tmp_path: Path, **how: Any) -> dict[str, bytes]:
    out = tmp_path / "pages"
    count, _ = write_site(RunListing(runs), out, how.pop("compared", ()), texts=how.pop("texts", False))
    found = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert len(found) == count + 1  # and the mark
    return found


def test_an_export_holds_every_pair_and_no_link_that_leads_nowhere(runs: Path, tmp_path: Path) -> None:
    found = exported(runs, tmp_path)
    assert len([path for path in found if path.startswith("compare/")]) == 3
    assert len([path for path in found if path.endswith("/index.js")]) == 3
    for path, body in found.items():
        if path.endswith(".html"):
            one = Page(body.decode())
            for link in (*one.attributes("href"), *one.attributes("src")):
                if not link.startswith(("#", "data:")):
                    place = (tmp_path / "pages" / path).parent / link.partition("#")[0]
                    assert place.is_file(), (path, link)
            for names in one.attributes("data-sources"):
                assert all(f"samples/{name}/index.js" in found for name in names.split()), path
    assert "data-live" not in found["index.html"].decode()


def test_an_export_holds_the_comparisons_that_were_named(runs: Path, tmp_path: Path) -> None:
    a, b, c = (key_of(runs / f"model-{one}") for one in "abc")
    found = exported(runs, tmp_path, compared=[[c, a, b], [c, a]])
    assert sorted(path for path in found if path.startswith("compare/")) == sorted(
        [f"compare/{one}.html" for one in (f"{c}--{a}--{b}", f"{c}--{a}", f"{c}--{b}", f"{a}--{b}")]
    )
    with pytest.raises(ConfigError, match="names no two of the runs"):
        exported(runs, tmp_path, compared=[[a, "nothing"]])


@pytest.mark.parametrize("texts", [False, True])
def test_texts_that_nobody_may_pass_on_are_left_out_unless_asked_for(
    make_run: Make, tmp_path: Path, texts: bool
) -> None:
    data = {"prefs": {"revision": "c" * 40, "licence": {"name": "unknown"}}}
    folder = make_run(manifest={"data": data}, methods=("plain",))
    found = exported(folder.parent, tmp_path, texts=texts)
    (path,) = (path for path in found if path.endswith("/index.js"))
    index = index_of(found[path])
    assert ("answer 5 of cell" in json.dumps(index["samples"]["answer"])) == texts
    parts = [body for path, body in found.items() if "/part-" in path]
    assert (
        any(b"I like trains" in gzip.decompress(base64.b64decode(one.split(b'"')[3])) for one in parts)
        == texts
    )
    (report,) = (body.decode() for path, body in found.items() if path.startswith("runs/"))
    assert ("a licence lets nobody pass them on" in report) != texts


def test_an_export_says_what_it_lacks(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite.view.site.MOST_PAIRED", 2)
    _, told = write_site(RunListing(runs), tmp_path / "pages", (), texts=False)
    assert told.startswith("No comparison is written: every pair of 3 runs is too much")
    assert told in (tmp_path / "pages" / "index.html").read_text("utf-8")


def test_runs_of_one_name_are_compared_in_the_order_of_picking(runs: Path, tmp_path: Path) -> None:
    other = shutil.copytree(runs / "model-b", tmp_path / "elsewhere" / "model-a")
    (tmp_path / "scratch").mkdir()
    site = ViewSite(RunListing(runs, [runs / "model-a", other]), tmp_path / "scratch")
    first, second = key_of(other), key_of(runs / "model-a")
    (sources,) = page(site, f"compare/{first}--{second}.html").attributes("data-sources")
    assert [one[: len(first)] for one in sources.split()] == [first, second]


def test_an_export_needs_a_run(tmp_path: Path) -> None:
    (tmp_path / "runs" / "torn").mkdir(parents=True)
    (tmp_path / "runs" / "torn" / "manifest.json").write_text("{")
    with pytest.raises(ConfigError, match="holds no run that can be shown"):
        exported(tmp_path / "runs", tmp_path)
    assert not (tmp_path / "pages").exists()
