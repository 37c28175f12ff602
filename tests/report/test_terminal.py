"""What is printed: complete, plain where nobody watches, no wider than the screen, no hostile escape."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from suite.report.terminal import print_results
from suite.report.terminal_sample import print_sample

Make = Callable[..., Path]
HOSTILE = "\x1b]0;owned\x07\x1b[2J[bold]x[/bold] :smile: \u202e \r overwritten \ud83d"


def printed(folder: Path, width: int = 100, details: bool = False) -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.setenv("COLUMNS", str(width))
        print_results(folder, details=details)
    return out.getvalue()


def test_headline_interval_counts_and_slices_are_there(make_run: Make) -> None:
    text = printed(make_run(samples=30))
    assert "\x1b" not in text
    assert "kept (higher is better)" in text
    assert "95 % interval" in text
    assert "coverage (bounds)" in text
    assert "kept by topic" in text
    assert "unhelpful ↓" in text
    assert "protocol: paper; prompts: own; index: bm25 0.3" in text
    assert "left out: method=rag: too few messages" in text
    rows = [
        line.split()
        for line in text.partition("Further")[0].splitlines()
        if line.startswith(("plain", "remind"))
    ]
    assert len(rows) == 6
    assert rows[0][-1] == "2"  # pending


def test_why_values_have_no_number_is_told(mini_run: Path) -> None:
    (path,) = mini_run.glob("scorings/*/results.json")
    told = json.loads(path.read_text())
    told["cells"][0]["unscored"] = {"kept": {"truncated": 2, "refused": 12}}
    told["cells"][1]["unscored"] = {"kept": {"truncated": 3}, "yes": {"unparsed": 1}}
    path.write_text(json.dumps(told))
    text = printed(mini_run)
    assert "  kept unscored: refused 12, truncated 5\n" in text
    assert "  yes unscored: unparsed 1\n" in text


def test_clusters_and_method_on_request(make_run: Make) -> None:
    folder = make_run()
    assert "beta" not in printed(folder)
    assert "beta" in printed(folder, width=130, details=True)


@pytest.mark.parametrize("width", [30, 48, 60, 80, 200])
def test_no_line_is_wider_than_the_screen(make_run: Make, width: int) -> None:
    for line in printed(make_run(), width).splitlines():
        assert len(line) <= width or "command: " in line  # to be copied


def test_every_cell_is_named_on_a_narrow_screen(make_run: Make) -> None:
    text = printed(make_run(), 45)
    assert text.count("95 % interval:") == 7
    assert "method=remind, inter_turns=40" in text


def test_colours_only_on_a_terminal(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    with redirect_stdout(out):
        print_results(make_run())
    assert "\x1b[1m" in out.getvalue()


def test_an_output_without_unicode_gets_question_marks(make_run: Make) -> None:
    raw = io.BytesIO()
    ascii_only = io.TextIOWrapper(raw, "ascii")
    with redirect_stdout(ascii_only):
        print_results(make_run())
    assert b"unhelpful ?" in raw.getvalue()


def test_hostile_text_stays_text(make_run: Make) -> None:
    clean = HOSTILE.encode("utf-8", "replace").decode()
    folder = make_run(text=lambda c, s: clean, tag=lambda s: clean, note=clean, name="r", samples=6)
    text = printed(folder)
    assert "[bold]x[/bold] :smile:" in text
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(text)


def test_a_sample_is_shown_with_its_calls(make_run: Make, capsys: pytest.CaptureFixture[str]) -> None:
    print_sample(make_run(), "pets/4")
    text = capsys.readouterr().out
    assert text.count("solve call 1 to candidate") == 7
    assert "helpful.yes:" in text
    assert "the first 81 messages are those of call 1" in text  # 40 turns of history, shown once
    assert "76 messages between" in text


def test_an_unknown_sample_suggests_a_near_one(make_run: Make) -> None:
    with pytest.raises(Exception, match=r"pets/4"):
        print_sample(make_run(), "pet/4")
