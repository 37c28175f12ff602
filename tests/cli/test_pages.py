"""Where pages go: into files with a word about it, or to standard output alone."""

from pathlib import Path

import pytest

from suite.cli.main import run

LABELS = "judge,human\n" + "yes,yes\nno,no\nyes,no\nyes,\nno,yes\n" * 6


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(LABELS)
    return path


@pytest.mark.parametrize("flag", ["--html", "--markdown"])
def test_a_dash_prints_the_page_and_nothing_else(
    labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    page = tmp_path / "new" / "page"
    assert run(["judge", "correct", str(labels), flag, str(page)]) == 0
    assert capsys.readouterr().out.endswith(f"written: {page}\n")
    assert run(["judge", "correct", str(labels), flag, "-"]) == 0
    assert capsys.readouterr().out == page.read_text()
