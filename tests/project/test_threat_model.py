"""The page of threats names tests that exist, and names them for every promise."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")


def test_every_promise_names_tests_that_exist() -> None:
    part = PAGE.partition("## What is promised")[2].partition("##")[0]
    rows = [
        line
        for line in part.splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| against"))
    ]
    named = [re.findall(r"`((?:tests|plugins)/[^`]+)`", row) for row in rows]
    assert len(rows) >= 15
    assert all(named)
    assert [path for paths in named for path in paths if not (ROOT / path).is_file()] == []


def test_the_page_is_in_the_navigation() -> None:
    assert "Threat model: threat-model.md" in (ROOT / "mkdocs.yml").read_text("utf-8")
