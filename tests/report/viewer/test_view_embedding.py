"""How samples get into a page: elements or scripts that nothing breaks, in a folder where they are many."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from suite.cli.main import cli
from suite.errors import ConfigError
from suite.journal.run import Run
from suite.report import html
from suite.report.html import html_report
from suite.report.run_reports import write_html
from suite.report.viewer.embedding import AWKWARD, dense, inline, script_files, viewer_script
from suite.report.viewer.source import ViewSource
from tests.report.viewer.reading_views import from_dense, read_page, rows_of, unpacked

Make = Callable[..., Path]
SMALL: dict[str, Any] = {"turns": (0,), "methods": ("plain",)}
HOSTILE = "</script><script>alert(1)</script><!-- \u202e ]]> \x1b"


def folder_rows(folder: Path) -> list[Any]:
    bodies = {}
    for path in folder.glob("run/*.js"):
        found = re.fullmatch(
            r'suite(?:Index\("run"|Part\("run", (\d+)), "([A-Za-z0-9+/=]*)"\)\n', path.read_text("utf-8")
        )
        assert found is not None
        bodies[found[1]] = unpacked(base64.b64decode(found[2]))
    index = bodies.pop(None)
    return list(rows_of(index, [bodies[str(number)] for number in range(len(bodies))]))


def test_a_page_holds_every_row(make_run: Make, page: Any) -> None:
    text = "".join(
        html_report(make_run(text=lambda c, s: HOSTILE, tag=lambda s: HOSTILE, note=HOSTILE, **SMALL))
    )
    page(text)
    assert len(read_page(text)) == 2 * 12 - 2


def test_both_ways_carry_the_same(make_run: Make, tmp_path: Path) -> None:
    folder = make_run(**SMALL)
    write_html(tmp_path / "page.html", folder, most=5)
    assert folder_rows(tmp_path / "page-parts") == read_page("".join(html_report(folder)))


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda body: body.replace(b"a", b"\0\r<")))
def test_bytes_stand_in_a_page_as_text_that_html_leaves_alone(body: bytes) -> None:
    text = dense(body)
    assert from_dense(text) == body
    assert not set(text) & set("\0\r\n\x1b<")
    assert not re.search("[\x80-\xff\ud800-\udfff]", text)
    assert len(text.encode()) <= -(-8 * len(body) // 7) + 2


def test_a_page_takes_seven_bits_a_byte() -> None:
    body = bytes(range(256)) * 2
    assert from_dense(dense(body)) == body
    assert len(dense(body).encode()) <= len(body) * 8 / 7 + 3


def test_the_script_takes_apart_what_was_put_together() -> None:
    assert f"const AWKWARD = {[ord(one) for one in AWKWARD]};" in viewer_script()


def test_a_name_that_could_be_markup_is_refused(make_run: Make) -> None:
    source = ViewSource(Run(make_run(samples=1)))
    for made in (inline, script_files):
        with pytest.raises(ConfigError, match="names no source"):
            list(made('run"><script>', source))


def test_the_script_is_whole_and_ends_no_element() -> None:
    script = viewer_script()
    assert script.startswith("(() => {")
    assert "</script" not in script.lower()
    assert "<!--" not in script
    assert "DecompressionStream" in script


def test_many_rows_lie_beside_the_page_and_the_policy_lets_them_load(
    make_run: Make, tmp_path: Path, page: Any
) -> None:
    write_html(tmp_path / "page.html", make_run(**SMALL), most=5)
    found = page((tmp_path / "page.html").read_text("utf-8"))
    (place,) = (attrs for _, attrs in found.elements if attrs.get("class") == "suite-viewer")
    assert (place["data-sources"], place["data-base"]) == ("run", "page-parts/")
    header = next(attrs["content"] for _, attrs in found.elements if "http-equiv" in attrs)
    assert re.search(r"script-src 'self' file: 'sha256-[^']+';", header)
    assert "text/plain" not in found.attributes("type")


def test_the_folder_is_replaced_and_taken_away_when_nothing_needs_it(make_run: Make, tmp_path: Path) -> None:
    path, beside = tmp_path / "page.html", tmp_path / "page-parts"
    write_html(path, make_run(**SMALL), most=5)
    (beside / "run" / "part-99.js").write_text("of an earlier run")
    write_html(path, make_run(name="second", **SMALL), most=5)
    assert len(folder_rows(beside)) == 2 * 12 - 2
    write_html(path, make_run(name="third", **SMALL))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["page.html", "runs"]


def test_a_folder_of_somebody_else_is_never_replaced(make_run: Make, tmp_path: Path) -> None:
    own = tmp_path / "page-parts" / "mine.txt"
    own.parent.mkdir()
    own.write_text("mine")
    with pytest.raises(ConfigError, match="page-parts"):
        write_html(tmp_path / "page.html", make_run(**SMALL), most=5)
    write_html(tmp_path / "page.html", make_run(name="small", **SMALL))
    assert own.read_text() == "mine"


def test_a_page_with_a_folder_cannot_be_printed(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_INLINE", 5)
    done = CliRunner().invoke(cli, ["report", "show", str(make_run(**SMALL)), "--html", "-"])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).splitlines() == [
        "a page of 22 answers has a folder beside it",
        "  write it to a file: suite report show RUN --html page.html",
    ]


def test_a_page_is_written_with_its_folder_by_the_command(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "MOST_INLINE", 5)
    done = CliRunner().invoke(
        cli, ["report", "show", str(make_run(**SMALL)), "--html", str(tmp_path / "new/page.html")]
    )
    assert done.exit_code == 0, done.output
    assert len(folder_rows(tmp_path / "new/page-parts")) == 22
