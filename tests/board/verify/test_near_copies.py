"""A copy of an accepted entry's replies under another model's name is found, also where each is changed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import good_bundles
import numpy as np
import pytest
from sealing import seal

from suite.board.define.board import Board
from suite.board.entry import read_entry
from suite.board.repository.acceptance import Accepted, accept
from suite.board.repository.audit import check_board
from suite.board.repository.shelves import open_repository
from suite.board.verify.plausibility.calls import family_of
from suite.board.verify.reply_digests import ReplyCollector, overlap, read_replies
from suite.chat import Reply, Request, Usage, call_id
from suite.cli.main import run as run_command
from suite.errors import DataError
from suite.journal.blocks import BlockReader
from suite.journal.records import CallRecord
from suite.models.engine import Asking

Touch = Callable[[str, Asking], str]


@pytest.fixture
def root(good: Callable[..., Any], tmp_path: Path) -> Path:
    """A repository whose one entry is the good bundle of free texts."""
    folder, board = good("judged")
    base = tmp_path / "repo" / "boards" / board.id
    base.mkdir(parents=True)
    shutil.copyfile(board.path, base / "board.yaml")
    (tmp_path / "repo" / "submissions" / board.id).mkdir(parents=True)
    assert accept(folder, tmp_path / "repo").folder is not None
    return tmp_path / "repo"


def submitted(touch: Touch, board: Board, folder: Path, patch: pytest.MonkeyPatch, **changes: Any) -> Path:
    """Another model's bundle, whose replies are the first one's as `touch` changes them."""
    usual = good_bundles.answer

    def answer(request: Request, asking: Asking) -> Reply:
        reply = usual(request, asking)
        if asking.member != "candidate":
            return reply
        text = touch(reply.text, asking)
        return Reply(text, usage=Usage(reply.usage.prompt, len(text) // 4))

    patch.setattr(good_bundles, "answer", answer)
    made = good_bundles.run(
        good_bundles.RECIPES["judged"], folder / "run", spec="scripted/constant?text=other"
    )
    patch.setattr(good_bundles, "answer", usual)
    bundle = good_bundles.bundle([made], board, folder / "bundle")
    path = bundle / "submission.json"
    told = json.loads(path.read_text())
    told["model"]["identity"]["name"] = "constant?text=other"
    told["model"]["display_name"] = "Other"
    told |= changes
    path.write_text(json.dumps(told))
    seal(bundle)
    return bundle


def copies(found: Accepted) -> list[str]:
    assert found.verification is not None
    assert found.folder is not None, (found.reasons, list(found.verification.findings))
    told = [one for one in found.verification.findings if one.code == "R9.near-copies"]
    assert all(one.severity == "warning" for one in told)
    return [one.found for one in told]


def one_reply(text: str, asking: Asking) -> str:
    return f"{text} indeed" if asking.call.startswith("0") else text


def every_layout(text: str, asking: Asking) -> str:
    return text.upper().replace(" ", ",  ") + "!"


def every_last_word(text: str, asking: Asking) -> str:
    return f"{text.rpartition(' ')[0]} {asking.call[8:14]}"


def other_words(text: str, asking: Asking) -> str:
    words = text.split()
    return " ".join(f"{word[::-1]}{asking.call[:2]}" for word in words)


@pytest.mark.parametrize("touch", [one_reply, every_layout, every_last_word])
def test_a_touched_up_copy_is_told_with_both_names(
    touch: Touch, root: Path, good: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (told,) = copies(accept(submitted(touch, good("judged")[1], tmp_path / "new", monkeypatch), root))
    assert "of Other" in told
    assert "those of Constant" in told


def test_another_models_own_words_are_not(
    root: Path, good: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = submitted(other_words, good("judged")[1], tmp_path / "new", monkeypatch)
    assert copies(accept(bundle, root)) == []


def test_accept_prints_what_it_found(
    root: Path,
    good: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = submitted(one_reply, good("judged")[1], tmp_path / "new", monkeypatch)
    assert run_command(["board", "accept", str(bundle), "--repo", str(root)]) == 0
    told = capsys.readouterr().out
    assert "accepted (verified with warnings)" in told
    assert "R9.near-copies: warning" in told


def test_a_new_version_of_the_submitters_own_is_no_copy(
    root: Path, good: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = open_repository(root)[0].entries()
    board = good("judged")[1]
    bundle = submitted(one_reply, board, tmp_path / "new", monkeypatch, supersedes=first.id)
    assert copies(accept(bundle, root)) == []


def test_an_entry_keeps_its_digests_and_the_board_checks_them(root: Path) -> None:
    (entry,) = open_repository(root)[0].entries()
    assert entry.replies is not None
    assert len(read_replies(entry.replies)) > 20
    assert check_board(open_repository(root)[0]) == []
    whole = entry.replies.read_bytes()
    entry.replies.unlink()
    (trouble,) = check_board(open_repository(root)[0])
    assert not trouble.serious
    assert "replies.parquet is missing" in trouble.what
    (entry.folder / "replies.parquet").write_bytes(whole[:-9] + b"\0" * 9)
    with pytest.raises(DataError, match="is not the one that verification wrote"):
        read_entry(entry.folder)
    assert run_command(["board", "check", "--repo", str(root), "--no-verify"]) == 1


def test_digests_that_the_submitter_brought_are_not_read(root: Path) -> None:
    """Else whoever has no long replies could make others look like copies."""
    (entry,) = open_repository(root)[0].entries()
    path = entry.folder / "verification.json"
    told = json.loads(path.read_text())
    told["replies_sha256"] = None
    path.write_text(json.dumps(told))
    assert (entry.folder / "replies.parquet").is_file()
    assert read_entry(entry.folder).replies is None


class TestDigests:
    words = tuple(f"word{n}" for n in range(500))

    def texts(self, seed: int, count: int = 300) -> dict[str, str]:
        chance = np.random.default_rng(seed)
        return {f"g{n}": " ".join(chance.choice(self.words, 40)) for n in range(count)}

    def digests(self, texts: dict[str, str], most: int = 20_000) -> Any:
        collector = ReplyCollector(most)
        for group, text in texts.items():
            collector.add("family", group, text)
        return collector.digests()

    def test_of_two_entries_the_same_groups_are_kept(self) -> None:
        """However many replies each has and in whatever order they came."""
        texts = self.texts(0)
        whole = self.digests(texts)
        few = self.digests(dict(reversed(texts.items())), 100)
        assert 25 < len(few) <= 100
        for one, other in ((few, whole), (whole, few)):
            found = overlap(one, other)
            assert found.replies == found.same == found.near == len(few)

    def test_a_run_of_several_families_keeps_them_apart(self) -> None:
        """Whatever else was run with a task, its replies have the same digests."""
        made, blocks = ["one", "other", "third"], BlockReader(Path("none"))
        for family in made:
            call = CallRecord(id=call_id(family, "g", 0, "candidate", "", "h"), group="g", request_sha256="h")
            assert family_of(call, made, blocks) == family_of(call, [family], blocks) == family

    def test_nothing_is_shared_by_chance_or_by_another_group(self) -> None:
        texts = self.texts(0)
        other = overlap(self.digests(self.texts(1)), self.digests(texts))
        assert (other.replies, other.same, other.near) == (300, 0, 0)
        turned = dict(zip(texts, reversed(texts.values()), strict=True))
        assert overlap(self.digests(turned), self.digests(texts)).near == 0

    def test_what_is_said_to_many_groups_does_not_count(self) -> None:
        refusals = dict.fromkeys(
            self.texts(0), "i am sorry but with that i can not help you here at all today"
        )
        assert overlap(self.digests(refusals), self.digests(refusals)).replies == 0

    def test_a_reply_of_few_words_does_not_count(self) -> None:
        assert len(self.digests({"g": "yes this is quite right"})) == 0

    def test_a_damaged_file(self, tmp_path: Path) -> None:
        path = tmp_path / "replies.parquet"
        path.write_bytes(b"no table")
        with pytest.raises(DataError, match="holds no digests"):
            read_replies(path)
        path.write_bytes(self.digests(self.texts(0)).file("0" * 64))
        assert len(read_replies(path)) == 300
