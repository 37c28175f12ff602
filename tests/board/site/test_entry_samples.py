"""The samples of entries on a site: what is written, what licences and rules keep back, and why."""

import base64
import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from suite.data.entry import Licence
from tests.board.conftest import HOSTILE_NAME
from tests.board.pages import soup


@pytest.fixture
def root(twins: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(twins, tmp_path / "repo"))


def built(root: Path) -> Path:
    return build_site(open_repository(root), root.parent / "site").folder


def names(root: Path) -> list[str]:
    return [one.short for one in open_repository(root)[0].entries()]


def index(site: Path, name: str) -> dict[str, Any]:
    """What a source's index.js hands to the viewer."""
    text = (site / "samples" / name / "index.js").read_text()
    found = re.fullmatch(rf'suiteIndex\("{name}", "([A-Za-z0-9+/=]+)"\)\n', text)
    assert found
    told: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return told


def section(site: Path, page: str) -> str:
    return " ".join(
        one.text for one in soup(site / page).select("#samples, section") if "Samples" in one.text
    )


def test_an_entrys_samples_are_files_that_its_page_names(root: Path) -> None:
    site = built(root)
    for name in names(root):
        page = soup(site / "entries" / f"{name}.html")
        (link,) = page.select("#samples a[data-samples]")
        assert link["data-sources"] == f"{name}-0"
        told = index(site, f"{name}-0")
        rows = len(told["samples"]["id"])
        assert f"{rows} rows" in page.select("#samples li")[0].text
        assert told["run"]["label"] in ("Constant", HOSTILE_NAME)
        assert any(told["questions"])
        assert "The replies stand under CC0-1.0, by A tester." in page.select("#samples")[0].text
        base = str(page.select("#samples")[0]["data-base"])
        assert (site / "entries" / base / f"{name}-0" / "part-0.js").is_file()


def test_two_entries_are_paired_by_the_places_of_their_cells(root: Path) -> None:
    site = built(root)
    (path,) = (site / "pairs").glob("*--*.html")
    (link,) = soup(path).select("#samples a[data-samples]")
    first, second = str(link["data-sources"]).split()
    assert [first, second] == [f"{one}-0" for one in path.stem.split("--")]
    cells = [[one["id"] for one in index(site, name)["cells"]] for name in (first, second)]
    for pair in str(link["data-pairs"]).split():
        mine, other = map(int, pair.split(":"))
        assert cells[0][mine] == cells[1][other]
    assert len(str(link["data-pairs"]).split()) == len(cells[0])


def test_a_licence_that_does_not_let_texts_be_passed_on_leaves_ids_and_values(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Licence, "open", property(lambda _: False))
    site = built(root)
    for name in names(root):
        told = index(site, f"{name}-0")
        assert set(told["questions"]) <= {""}
        assert set(told["samples"]["answer"]) <= {""}
        assert all(told["samples"]["id"])
        assert any(one is not None for column in told["samples"]["values"] for one in column)
        assert "the licence of prefeval does not let the texts be shown" in section(
            site, f"entries/{name}.html"
        )


def test_a_hidden_test_set_shows_no_samples_and_offers_no_bundle(root: Path) -> None:
    path = root / "boards/choice/board.yaml"
    path.write_text(path.read_text() + "publish: {per_sample: false}\n")
    for entry in (root / "submissions/choice").iterdir():  # verified for the definition before
        told = json.loads((entry / "verification.json").read_text())
        told["board"] = open_repository(root)[0].board.exact_name
        (entry / "verification.json").write_text(json.dumps(told))
    site = built(root)
    assert not (site / "samples").exists()
    assert not list(site.rglob("bundle.suite.zip"))
    page = f"entries/{names(root)[0]}.html"
    assert "This board does not show values by sample" in section(site, page)
    (pair,) = (site / "pairs").glob("*--*.html")
    assert "They cannot be shown side by side." in section(site, f"pairs/{pair.name}")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("elsewhere", "the bundle is not kept in the board's repository"),
        ("withdrawn", "it is withdrawn"),
        ("damaged", "the bundle cannot be read here"),
        ("swapped", "the bundle cannot be read here"),
    ],
)
def test_where_there_are_no_samples_a_sentence_says_why(root: Path, what: str, said: str) -> None:
    first, second = sorted((root / "submissions/choice").iterdir())
    if what == "withdrawn":
        told = yaml.safe_load((first / "entry.yaml").read_text())
        (first / "entry.yaml").write_text(yaml.safe_dump({**told, "status": "withdrawn", "reason": "x"}))
    elif what == "damaged":
        journal = next((first / "bundle").rglob("outputs.jsonl.zst"))
        journal.write_bytes(journal.read_bytes()[:-9])
    else:
        shutil.rmtree(first / "bundle")
        if what == "swapped":
            shutil.copytree(second / "bundle", first / "bundle")
    made = build_site(open_repository(root), root.parent / "site")
    assert said in section(made.folder, f"entries/{first.name[-12:]}.html")
    assert not list((made.folder / "samples").glob(f"{first.name[-12:]}-*"))
    assert list((made.folder / "samples").glob(f"{second.name[-12:]}-*"))
    assert bool(made.warnings) == (what in ("damaged", "swapped"))
