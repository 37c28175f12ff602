"""The Git path end to end on a loopback host, healthy and not."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from local_git import LocalGit
from small_registry import COMMIT, QUESTIONS, Place, sha256

from suite.data import git_source
from suite.data.entry import GitSource
from suite.data.pull import pull
from suite.errors import ConfigError, DataError, SourceUnreachable

Write = Callable[..., None]
SOURCE = GitSource(
    kind="git",
    repo="ours/questions",
    url_template="https://files.example/ours/questions/{commit}/{path}",
    clone_url="https://git.example/ours/questions.git",
    commit=COMMIT,
)


def fetched(git: LocalGit, folder: Path, size: int | None = None) -> tuple[bytes, list[float]]:
    """Fetch one file without really waiting; its bytes, and the pauses asked for."""
    pauses: list[float] = []
    target = folder / "file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(git_source, "time", SimpleNamespace(sleep=pauses.append))  # the host sleeps, too
        git_source.fetch(SOURCE, git_source.WantedFile("questions", "data/space.json", size), target)
    return target.read_bytes(), pauses


@pytest.fixture
def content(git: LocalGit) -> bytes:
    """The file as it should be."""
    return (git.root / "ours/questions" / COMMIT / "data/space.json").read_bytes()


def test_pulls_and_works_offline_afterwards(place: Place, git: LocalGit, git_entry: Write) -> None:
    git_entry()
    first = place.suite("data", "pull", "questions", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["questions"]["revision"] == COMMIT
    asked = len(git.log)
    again = place.suite("data", "pull", "questions", "--json", SUITE_GIT_ENDPOINT="http://127.0.0.1:9")
    assert (again.returncode, again.stdout, len(git.log)) == (0, first.stdout, asked)


def test_rows_come_in_order_with_the_fields_of_their_place(
    place: Place, git: LocalGit, git_entry: Write
) -> None:
    git_entry()
    local = pull(place.registry.dataset("questions"), place.cache)
    rows = [row for _, row in local.rows("all")]
    assert rows == [
        {"topic": "space" if i < 12 else "time", "index": i if i < 12 else i - 12, **one}
        for i, one in enumerate(QUESTIONS)
    ]


@pytest.mark.parametrize(
    ("faults", "pauses"),
    [
        ({"fail_first": 2, "fail_status": 500}, [0.5, 1.0]),
        ({"fail_first": 1, "fail_status": 429, "retry_after": 7}, [7.0]),
        ({"truncate": 100, "truncate_first": 2}, [0.5, 1.0]),
        ({"slow": 0.05}, []),
    ],
    ids=["500 twice", "429 with Retry-After", "broken off twice", "slow"],
)
def test_what_passes_is_waited_out(
    git: LocalGit, content: bytes, tmp_path: Path, faults: dict[str, float], pauses: list[float]
) -> None:
    for name, value in faults.items():
        setattr(git.faults, name, value)
    assert fetched(git, tmp_path) == (content, pauses)


def test_a_host_that_stays_down_is_given_up(git: LocalGit, content: bytes, tmp_path: Path) -> None:
    git.faults.fail_first = 99
    with pytest.raises(SourceUnreachable, match="gave up after 5 attempts: status 500"):
        fetched(git, tmp_path)


def test_no_host_at_all_is_unreachable(
    git: LocalGit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_GIT_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceUnreachable, match="no connection"):
        fetched(git, tmp_path)


def test_a_body_that_always_breaks_off_leaves_nothing(
    place: Place, git: LocalGit, git_entry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_entry()
    monkeypatch.setattr(git_source, "ATTEMPTS", 1)
    git.faults.truncate = 50
    with pytest.raises(SourceUnreachable, match="broke off after 50 of"):
        pull(place.registry.dataset("questions"), place.cache)
    assert not list((place.cache_folder / "data").rglob("blobs/*/*"))


@pytest.mark.parametrize("faults", [{"corrupt": True}, {"chunked": True, "truncate": 80}], ids=str)
def test_wrong_bytes_are_refused(
    place: Place, git: LocalGit, git_entry: Write, faults: dict[str, object]
) -> None:
    git_entry()
    for name, value in faults.items():
        setattr(git.faults, name, value)
    with pytest.raises(DataError, match="data/space.json is not the file that was pinned"):
        pull(place.registry.dataset("questions"), place.cache)
    assert not list((place.cache_folder / "data").rglob("blobs/*/*"))


def test_a_body_that_does_not_end_is_cut_at_the_pinned_size(
    git: LocalGit, content: bytes, tmp_path: Path
) -> None:
    git.faults.longer = b" " * 1_000_000
    with pytest.raises(DataError, match="is larger than the entry's"):
        fetched(git, tmp_path, len(content))


def test_a_missing_file_is_a_source_that_moved(place: Place, git: LocalGit, git_entry: Write) -> None:
    git_entry()
    (git.root / "ours/questions" / COMMIT / "data/time.json").unlink()
    with pytest.raises(DataError, match=r"no data/time.json at the pinned commit \(status 404\)") as caught:
        pull(place.registry.dataset("questions"), place.cache)
    assert "suite data pin questions" in caught.value.fix


def test_a_pointer_to_a_large_file_is_not_the_file(git: LocalGit, tmp_path: Path) -> None:
    path = git.root / "ours/questions" / COMMIT / "data/space.json"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    with pytest.raises(DataError, match="Git LFS pointer"):
        fetched(git, tmp_path)


def test_a_git_object_id_holds_a_file_whose_hash_nobody_knew(
    place: Place, git: LocalGit, git_entry: Write
) -> None:
    # `printf 'hello\n' | git hash-object --stdin`
    (git.root / "ours/questions" / COMMIT / "hello.txt").write_text("hello\n")
    known = "ce013625030ba8dba906f756967f9e9ca394464a"
    git_entry(parts={}, files=[{"path": "hello.txt", "git_blob": known}])
    local = pull(place.registry.dataset("questions"), place.cache)
    assert local.identity()["files"] == {"hello.txt": sha256(b"hello\n")}
    git_entry(parts={}, files=[{"path": "hello.txt", "git_blob": "0" * 40}])
    (place.cache_folder / "data/pins/datasets/questions.yaml").unlink()
    with pytest.raises(DataError, match="not the file that was pinned"):
        pull(place.registry.dataset("questions"), place.cache)


def test_pin_asks_for_the_branch_and_hashes_what_it_holds(
    place: Place, git: LocalGit, git_entry: Write
) -> None:
    git_entry()
    new = "f" * 40
    old = git.root / "ours/questions" / COMMIT
    (git.root / "ours/questions" / new).symlink_to(old)
    git.heads["next"] = new
    done = place.suite("data", "pin", "questions", "--branch", "next", "--json")
    assert done.returncode == 0, done.stderr
    lock = json.loads(done.stdout)
    assert lock["revision"] == new
    assert [one["sha256"] for one in lock["files"]] == [
        sha256((old / f"data/{topic}.json").read_bytes()) for topic in ("space", "time")
    ]
    assert pull(place.registry.dataset("questions"), place.cache).identity()["revision"] == new


def test_a_lock_of_another_entry_is_refused(place: Place, git: LocalGit, git_entry: Write) -> None:
    git_entry()
    assert place.suite("data", "pin", "questions").returncode == 0
    git_entry(files=[{"path": "data/space.json", "part": "all"}], parts={"all": {"format": "json-array"}})
    with pytest.raises(DataError, match="made for another version of its entry"):
        pull(place.registry.dataset("questions"), place.cache)


def test_an_unknown_branch_is_named_with_those_there_are(git: LocalGit) -> None:
    with pytest.raises(DataError, match="no branch 'nowhere'") as caught:
        git_source.first_branch(SOURCE, ["nowhere"])
    assert caught.value.fix == "branches: main"


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("", "https://files.example/a/{commit}/{path}"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80/a/{commit}/{path}"),
        ("https://mirror.example/git/", "https://mirror.example/git/a/{commit}/{path}"),
    ],
)
def test_the_endpoint_replaces_scheme_and_host(
    endpoint: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUITE_GIT_ENDPOINT", endpoint)
    assert git_source.address("https://files.example/a/{commit}/{path}") == expected


@pytest.mark.parametrize("endpoint", ["file:///etc", "mirror.example", "ftp://mirror.example"])
def test_an_endpoint_of_another_kind_is_refused(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_GIT_ENDPOINT", endpoint)
    with pytest.raises(ConfigError, match="SUITE_GIT_ENDPOINT"):
        git_source.address("https://files.example/{commit}/{path}")


def test_addresses_are_shown_without_credentials() -> None:
    assert git_source.shown("https://me:secret@host.example/a?token=1") == "https://host.example/a"
