"""The pages about design and style: pictures that follow the contract, files that are there."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), *ROOT.glob("plugins/*/README.md")])


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    """The pictures, as they are drawn now."""
    spec = importlib.util.spec_from_file_location("site_design", ROOT / ".ci" / "site_design.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path, _ in module.WAY:
        assert (ROOT / "suite" / path).is_file(), path
    found: dict[str, str] = module.pictures()
    return found


@pytest.mark.parametrize("name", ["rooms.svg", "way.svg"])
def test_a_picture_is_the_one_that_the_contract_gives(drawn: dict[str, str], name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == drawn[name], "run: python .ci/site_design.py"


def test_every_room_is_in_the_picture(drawn: dict[str, str]) -> None:
    shown = set(re.findall(r"\w+", " ".join(re.findall(r'class="name"[^>]*>([^<]+)<', drawn["rooms.svg"]))))
    rooms = {path.parent.name for path in ROOT.glob("suite/*/__init__.py")} - {"compare"}  # names of before
    rooms |= {path.stem for path in ROOT.glob("suite/*.py")} - {"__init__", "__main__"}
    rooms |= {path.parent.name for path in ROOT.glob("suite/board/*/__init__.py")}
    assert rooms <= shown


def test_the_design_names_ten_changes_and_their_files() -> None:
    rows = re.findall(
        r"^\| (\d+)\. [^|]+\| ([^|]+) \|$", (ROOT / "docs" / "design.md").read_text("utf-8"), re.M
    )
    assert [int(number) for number, _ in rows] == list(range(1, 11))
    assert all(re.search(r"`[\w/.-]+/`|`[\w/.-]+\.py`", where) for _, where in rows)


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_the_tree_that_a_page_names_is_there(text: Path) -> None:
    if text.name == "CHANGELOG.md":
        pytest.skip("tells of what was")
    named = re.findall(
        r"`((?:suite|tests|plugins|registry|benchmarks|\.ci)/[\w./-]*)`", text.read_text("utf-8")
    )
    assert [path for path in named if not (ROOT / path).exists() and not (text.parent / path).exists()] == []
