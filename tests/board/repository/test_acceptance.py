"""Taking real bundles into a board: verified, once, under one name; checked again later; seen on the site."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import good_bundles
import pytest
import yaml
from sealing import seal

from suite.board.define.board import Board
from suite.board.entry import read_entry
from suite.board.pack import bundle_files
from suite.board.repository import acceptance, remote_bundle
from suite.board.repository.acceptance import KEPT, Accepted, accept, accept_new, withdraw
from suite.board.repository.audit import check_board
from suite.board.repository.pull_request import comment
from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from suite.board.verify.verification import VerifiedBundle
from suite.chat import Reply, Request, Usage
from suite.cli.main import run
from suite.errors import BundleError, ConfigError, DataError
from suite.models.engine import Asking
from suite.testing.answers import plausible
from tests.board.making import as_values
from tests.board.rewriting import changed

WHEN = datetime(2026, 11, 25, 12, tzinfo=UTC)


def verified(found: Accepted) -> VerifiedBundle:
    assert found.verification is not None
    return found.verification


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Board, Path]]:
    """A board, and a bundle folder for it. Do not change them."""
    with pytest.MonkeyPatch.context() as patch:
        base = tmp_path_factory.mktemp("made")
        patch.setenv("SUITE_CACHE", str(base / "cache"))
        recipe = good_bundles.RECIPES["choice"]
        board = good_bundles.board("choice", recipe, base)
        runs = [good_bundles.run(recipe, base / "choice-run")]
        yield board, good_bundles.bundle(runs, board, base / "bundle")


@pytest.fixture
def root(made: tuple[Board, Path], tmp_path: Path) -> Path:
    """An empty repository of that board."""
    board, _ = made
    folder = tmp_path / "repo" / "boards" / board.id
    folder.mkdir(parents=True)
    assert board.path is not None
    shutil.copyfile(board.path, folder / "board.yaml")
    (tmp_path / "repo" / "submissions" / board.id).mkdir(parents=True)
    return tmp_path / "repo"


def test_a_good_bundle_becomes_an_entry_that_checks_and_shows(
    made: tuple[Board, Path], root: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "mine.suite.zip"
    bundle_files.write_archive(made[1], archive)
    found = accept(archive, root, when=WHEN)
    assert found.folder is not None, found.reasons
    entry = read_entry(found.folder)
    assert found.folder.name == f"constant-{entry.short}"
    assert (found.folder / "bundle.suite.zip").read_bytes() == archive.read_bytes()
    assert entry.record.accepted == WHEN
    assert entry.record.trace_sha256
    assert entry.column("prefeval/classification") is not None
    assert [one for shelf in open_repository(root) for one in check_board(shelf)] == []
    built = build_site(open_repository(root), tmp_path / "site")
    assert built.entries == 1
    assert "Constant" in (tmp_path / "site/index.html").read_text()
    data = json.loads((tmp_path / "site/data.json").read_text())
    assert data["entries"][0]["rank"] == 1


def test_it_is_taken_once_whatever_it_is_called(made: tuple[Board, Path], root: Path, tmp_path: Path) -> None:
    assert accept(made[1], root, when=WHEN).folder is not None
    again = accept(made[1], root)
    assert again.folder is None
    assert "this very bundle" in again.reasons[0]
    renamed = changed(made[1], tmp_path / "renamed", model={"display_name": "Better Model"})
    relabelled = accept(renamed, root)
    assert relabelled.folder is None
    assert "the same calls and replies" in relabelled.reasons[0]
    assert len(list((root / "submissions" / made[0].id).iterdir())) == 1


def test_what_is_not_verified_is_not_taken(made: tuple[Board, Path], root: Path, tmp_path: Path) -> None:
    raised = changed(made[1], tmp_path / "raised")
    path = raised / "submission.json"
    told = json.loads(path.read_text())
    told["runs"][0]["cells"][0]["headline"]["value"] = 1.0
    path.write_text(json.dumps(told))
    seal(raised)
    found = accept(raised, root)
    assert found.folder is None
    assert verified(found).verdict == "rejected"
    assert not list((root / "submissions" / made[0].id).iterdir())
    assert run(["board", "accept", str(raised), "--repo", str(root)]) == 1


def test_a_definition_of_an_older_laxer_version_is_refused(
    made: tuple[Board, Path], root: Path, tmp_path: Path
) -> None:
    path = root / "boards" / made[0].id / "board.yaml"
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 1.1.0"))
    found = accept(made[1], root)
    assert found.folder is None
    assert any(one.code.startswith("R5.") for one in verified(found).findings)


def test_superseding_is_for_whoever_submitted_it(
    made: tuple[Board, Path], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = accept(made[1], root, when=WHEN)
    assert first.folder is not None
    old = read_entry(first.folder)
    recipe, usual = good_bundles.RECIPES["choice"], plausible

    def other(request: Request, asking: Asking) -> Reply:
        reply = usual(request, asking)
        return Reply(
            f"{reply.text} Indeed, {asking.call[:4]}.", usage=Usage(9, request.options.max_tokens or 9)
        )

    monkeypatch.setattr(good_bundles, "plausible", other)
    runs = [good_bundles.run(recipe, tmp_path / "new-run")]
    fresh = good_bundles.bundle(runs, made[0], tmp_path / "fresh")
    stranger = changed(fresh, tmp_path / "stranger", supersedes=old.id, submitter={"name": "Somebody"})
    refused = accept(stranger, root)
    assert "somebody else" in refused.reasons[0], list(verified(refused).findings)
    nothing = changed(fresh, tmp_path / "nothing", supersedes="0" * 64)
    assert "not on this board" in accept(nothing, root).reasons[0]
    good = accept(changed(fresh, tmp_path / "good", supersedes=old.id), root, when=WHEN)
    assert good.folder is not None
    assert read_entry(first.folder).record.status == "superseded"
    assert read_entry(first.folder).record.by == read_entry(good.folder).id
    build_site(open_repository(root), tmp_path / "site")
    assert len(json.loads((tmp_path / "site/data.json").read_text())["entries"]) == 1
    page = (tmp_path / f"site/entries/{read_entry(good.folder).short}.html").read_text()
    assert "sample by sample" in page


def test_a_pull_requests_folder_is_accepted_where_it_stands(
    made: tuple[Board, Path], root: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "x.suite.zip"
    bundle_files.write_archive(made[1], archive)
    bundle_id = seal(changed(made[1], tmp_path / "same"))
    folder = root / "submissions" / made[0].id / f"mine-{bundle_id[:12]}"
    folder.mkdir()
    shutil.copyfile(made[1] / "submission.json", folder / "submission.json")
    shutil.copyfile(archive, folder / "bundle.suite.zip")
    assert open_repository(root)[0].entries() == []  # nobody accepted it yet
    done = accept_new(root)
    assert [one.folder for _, one in done] == [folder]
    assert accept_new(root) == []
    assert read_entry(folder).id == bundle_id
    moved = folder.with_name("mine-000000000000")
    shutil.move(folder, moved)
    (moved / "entry.yaml").unlink()
    ((place, refused),) = accept_new(root)
    assert (place, refused.folder, refused.verification) == (moved, None, None)
    assert "is not where the bundle" in refused.reasons[0]


class TestEveryFolderByItself:
    @pytest.fixture
    def brought(self, made: tuple[Board, Path], root: Path) -> Path:
        """The board's submissions with one good folder, last by name."""
        shelf = root / "submissions" / made[0].id
        bundle_id = hashlib.sha256((made[1] / "submission.json").read_bytes()).hexdigest()
        shutil.copytree(made[1], shelf / f"z-good-{bundle_id[:12]}" / "bundle")
        return shelf

    def test_bad_ones_keep_no_good_one_away(
        self, made: tuple[Board, Path], root: Path, brought: Path, capsys: Any
    ) -> None:
        (brought / "a-empty-000000000000").mkdir()
        (brought / "b-broken-000000000000").mkdir()
        (brought / "b-broken-000000000000" / "bundle.suite.zip").write_bytes(b"no archive")
        shutil.copytree(made[1], brought / "c-named-000000000000" / "bundle")
        (brought / "e-reference-000000000000").mkdir()
        (brought / "e-reference-000000000000" / "bundle.ref.yaml").write_text("sha256: [")
        assert run(["board", "accept", "--all", "--repo", str(root)]) == 2
        told = capsys.readouterr()
        (entry,) = open_repository(root)[0].entries()
        assert entry.folder.name.startswith("z-good-")
        assert f"accepted (verified with warnings): {entry.folder}" in told.out
        for name, why in (
            ("a-empty", "has no bundle"),
            ("b-broken", "is no bundle"),
            ("c-named", "is not where the bundle"),
            ("e-reference", "bundle.ref.yaml"),
        ):
            (line,) = [one for one in told.err.splitlines() if f"not accepted: {name}" in one]
            assert why in line + told.err.partition(line)[2].partition("not accepted")[0]
            assert not (brought / f"{name}-000000000000" / "entry.yaml").exists()

    @pytest.mark.parametrize("name", ["submission.json", "README.md", "entry.yaml", "verification.json.part"])
    def test_nothing_is_written_through_a_link(
        self, name: str, root: Path, brought: Path, tmp_path: Path
    ) -> None:
        (folder,) = brought.iterdir()
        (folder / name).symlink_to(tmp_path / "outside")
        ((_, found),) = accept_new(root)
        assert "holds a link" in found.reasons[0]
        assert name in found.reasons[0]
        assert not (tmp_path / "outside").exists()
        assert {one.name for one in folder.iterdir()} == {"bundle", name}

    def test_one_that_is_refused(
        self, made: tuple[Board, Path], root: Path, brought: Path, tmp_path: Path, capsys: Any
    ) -> None:
        """It was read and verified, and is not good: 1, not 2."""
        worse = changed(made[1], tmp_path / "worse", board={"version": "9.9.9"})
        bundle_id = hashlib.sha256((worse / "submission.json").read_bytes()).hexdigest()
        shutil.copytree(worse, brought / f"a-worse-{bundle_id[:12]}" / "bundle")
        assert run(["board", "accept", "--all", "--repo", str(root)]) == 1
        told = capsys.readouterr()
        assert "R5.board" in told.out
        assert "verification: rejected" in told.err
        assert len(open_repository(root)[0].entries()) == 1
        assert run(["board", "accept", "--all", "--repo", str(root)]) == 1
        assert "accepted (" not in capsys.readouterr().out

    def test_what_nobody_foresaw(self, root: Path, brought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (brought / "a-odd-000000000000" / "bundle").mkdir(parents=True)
        real = remote_bundle.bundle_of

        def odd(folder: Path, *rest: Any) -> Path | None:
            if folder.name.startswith("a-odd"):
                raise OSError("the disk is gone")
            return real(folder, *rest)

        monkeypatch.setattr(acceptance, "bundle_of", odd)
        (_, bad), (_, good) = accept_new(root)
        assert bad.reasons == ("OSError: the disk is gone",)
        assert good.folder is not None


def test_a_withdrawn_entry_keeps_its_reason_and_loses_its_rank(
    made: tuple[Board, Path], root: Path, tmp_path: Path
) -> None:
    found = accept(made[1], root, when=WHEN)
    assert found.folder is not None
    with pytest.raises(ConfigError, match="a reason is needed"):
        withdraw(found.folder, "withdrawn", " ")
    assert run(["board", "withdraw", str(found.folder), "--reason", "wrong weights were served"]) == 0
    build_site(open_repository(root), tmp_path / "site")
    assert json.loads((tmp_path / "site/data.json").read_text())["entries"] == []
    assert "wrong weights were served" in (tmp_path / "site/history.html").read_text()
    with pytest.raises(ConfigError, match="withdrawn already"):
        withdraw(found.folder, "withdrawn", "another reason")
    withdraw(found.folder, "retracted", "they were made up", WHEN)
    told = yaml.safe_load((found.folder / "entry.yaml").read_text())
    assert told["status"] == "retracted"
    assert told["reason"].startswith("they were made up (before, withdrawn on 20")
    assert told["reason"].endswith(": wrong weights were served)"), "a board does not forget in silence"


def test_numbers_that_were_edited_later_are_found(made: tuple[Board, Path], root: Path) -> None:
    found = accept(made[1], root, when=WHEN)
    assert found.folder is not None
    path = found.folder / "verification.json"
    told = json.loads(path.read_text())
    told["columns"][0]["value"] += 0.25
    path.write_text(json.dumps(told))
    troubles = check_board(open_repository(root)[0])
    assert any("columns" in one.what and one.serious for one in troubles)
    assert run(["board", "check", "--repo", str(root)]) == 1
    (found.folder / "plugin.py").write_text("x")
    told = yaml.safe_load((found.folder / "entry.yaml").read_text())
    (found.folder / "entry.yaml").write_text(yaml.safe_dump({**told, "status": "disputed"}))
    said = [one.what for one in check_board(open_repository(root)[0], again=False)]
    assert any("plugin.py" in one for one in said)
    assert any("without a reason" in one for one in said)


def test_a_swapped_bundle_is_found(made: tuple[Board, Path], root: Path, tmp_path: Path) -> None:
    found = accept(made[1], root, when=WHEN)
    assert found.folder is not None
    other = changed(made[1], tmp_path / "other", model={"display_name": "Other"})
    shutil.rmtree(found.folder / "bundle")
    shutil.copytree(other, found.folder / "bundle")
    assert any("another one" in one.what for one in check_board(open_repository(root)[0]))


def test_a_large_bundle_needs_an_address(
    made: tuple[Board, Path], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "x.suite.zip"
    bundle_files.write_archive(made[1], archive)
    monkeypatch.setattr("suite.board.repository.acceptance.KEPT", 10)
    assert KEPT == 5 * 2**20
    with pytest.raises(ConfigError, match="--bundle-url"):
        accept(archive, root)
    with pytest.raises(ConfigError, match=r"elsewhere\.example\.org"):
        accept(archive, root, urls=["https://elsewhere.example.org/x.suite.zip"])
    found = accept(archive, root, urls=["https://bundles.example.org/x.suite.zip"])
    assert found.folder is not None
    assert not (found.folder / "bundle.suite.zip").exists()
    told = yaml.safe_load((found.folder / "bundle.ref.yaml").read_text())
    assert told["bytes"] == archive.stat().st_size
    (found.folder / "bundle.ref.yaml").write_text(yaml.safe_dump({**told, "urls": []}))
    notes = check_board(open_repository(root)[0])
    assert [(one.serious, "not verified again" in one.what) for one in notes] == [(False, True)]


def test_what_is_no_bundle_or_for_another_board_is_an_error(
    made: tuple[Board, Path], root: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(BundleError):
        accept(tmp_path / "text.zip", root)
    other = changed(made[1], tmp_path / "other", board={"id": "elsewhere"})
    with pytest.raises(ConfigError, match="'elsewhere'"):
        accept(other, root)


def test_a_comment_is_bounded_and_all_of_it_is_text(
    made: tuple[Board, Path], root: Path, tmp_path: Path
) -> None:
    found = accept(made[1], root, when=WHEN)
    report = as_values(verified(found))
    report["findings"] = [
        {
            "code": "R1.x",
            "severity": "error",
            "what": "```\n# owned\n@everyone",
            **dict.fromkeys(("where", "sample", "expected"), ""),
            "found": "`" * 40,
        }
    ] * 500
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    text = comment(path)
    assert len(text) < 21_000
    fence = text.splitlines()[2].removesuffix("text")
    assert set(fence) == {"`"}
    assert text.count(fence) == 2
    inside = text.split(fence)[1]
    assert "# owned" in inside
    assert "\n# owned" not in inside
    path.write_text('{"format": "suite-verification/1"}')
    with pytest.raises(DataError, match="no verification report"):
        comment(path)
    assert run(["board", "comment", str(path)]) == 2
