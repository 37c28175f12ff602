"""The Hub path end to end, with the real client on a loopback Hub, healthy and not."""

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from local_git import LocalGit
from local_hub import LocalHub, commit_of
from small_registry import COMMIT, QUESTIONS, Place, jsonl, listed, sha256

from suite.data.hub_source import hub_answer
from suite.data.pull import pull
from suite.errors import DataError, LicenceRequired, SourceUnreachable

pytestmark = pytest.mark.hub
Write = Callable[..., None]


def kept(place: Place) -> list[str]:
    """Hashes in the cache."""
    return sorted(path.name for path in (place.cache_folder / "data/blobs").rglob("*") if path.is_file())


def test_pulls_verifies_and_works_offline_afterwards(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    first = place.suite("data", "pull", "questions", "--json")
    assert first.returncode == 0, first.stderr
    identity = json.loads(first.stdout)["questions"]
    folder = hub.root / "datasets/ours/questions"
    assert identity["revision"] == commit_of(folder)
    assert identity["files"] == {
        f"data/{part}.jsonl": sha256((folder / f"data/{part}.jsonl").read_bytes())
        for part in ("test", "train")
    }
    offline = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"}
    again = place.suite("data", "pull", "questions", "--json", **offline)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert place.suite("data", "verify", "questions", **offline).returncode == 0
    shown = json.loads(place.suite("data", "show", "questions", "--json", **offline).stdout)
    assert (shown["here"], shown["bytes"]) == (True, sum(len(jsonl(QUESTIONS)) * n for n in (1, 200)))


def test_errors_that_pass_are_waited_out(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    hub.faults.fail_first = 2
    assert place.suite("data", "pull", "questions").returncode == 0
    assert hub.faults.failed == 2


def test_a_body_that_breaks_off_is_an_error_and_leaves_nothing(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    hub_entry()
    hub.faults.truncate = 1000
    done = place.suite("data", "pull", "questions")
    assert done.returncode == 2
    assert "SourceUnreachable: questions: the transfer from the Hub failed" in done.stderr
    assert "try again" in done.stderr
    assert kept(place) == []
    hub.faults.truncate = -1
    assert place.suite("data", "pull", "questions").returncode == 0


def test_one_wrong_bit_is_refused_though_the_client_accepts_it(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    hub_entry()
    hub.faults.corrupt = True
    done = place.suite("data", "pull", "questions")
    assert done.returncode == 2
    assert "DataError: questions: data/test.jsonl is not the file that was pinned" in done.stderr
    assert kept(place) == []
    hub.faults.corrupt = False
    assert place.suite("data", "pull", "questions").returncode == 0


def test_a_gated_repository_says_what_to_do(
    place: Place, hub: LocalHub, hub_entry: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_entry()
    hub.faults.gate, hub.faults.token = "/resolve/", "hf_ours"
    with pytest.raises(LicenceRequired, match="gated repository") as caught:
        pull(place.registry.dataset("questions"), place.cache)
    assert "HF_TOKEN" in caught.value.fix
    assert place.suite("data", "pull", "questions", HF_TOKEN="hf_ours").returncode == 0


@pytest.mark.parametrize(
    ("status", "token", "what", "fix"),
    [
        (401, "hf_expired", "refuses the token in HF_TOKEN", "unset HF_TOKEN is enough"),
        (403, "hf_weak", "forbids this", "give the token in HF_TOKEN the rights"),
    ],
)
def test_what_the_hub_answers_is_told_and_not_taken_for_a_dead_network(
    place: Place, hub: LocalHub, hub_entry: Write, status: int, token: str, what: str, fix: str
) -> None:
    hub_entry()
    hub.faults.fail_first, hub.faults.fail_status = 1000, status
    hub.faults.fail_message = "Invalid credentials in Authorization header" if status == 401 else "no"
    for command in ("pull", "pin"):
        done = place.suite("data", command, "questions", HF_TOKEN=token)
        assert (done.returncode, "can't be reached" in done.stderr) == (2, False)
        assert what in done.stderr
        assert fix in done.stderr


@pytest.mark.parametrize(
    ("status", "headers", "token", "what", "fix"),
    [
        (429, {"Retry-After": "7"}, "hf_a", "limits the rate of requests (429)", "wait 7 s and try again"),
        (429, {"RateLimit": '"api";r=0;t=300'}, "hf_a", "limits the rate of requests (429)",
         "wait 300 s and try again"),
        (429, {"Retry-After": "soon"}, "", "limits the rate of requests (429)",
         "set HF_TOKEN, which has a higher limit, or wait some minutes and try again"),
        (503, {}, "", "answers with an error of its own (503)", "try again later"),
    ],
)  # fmt: skip
def test_the_answer_below_an_error_of_the_clients_cache_decides(
    status: int, headers: dict[str, str], token: str, what: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)

    class Limited(Exception):
        response = SimpleNamespace(status_code=status, headers=headers)

    try:
        try:
            raise Limited
        except Limited as error:
            raise OSError("not in the cache") from error
    except OSError as error:
        found = hub_answer(error)
    assert found == (status, f"the Hub {what}", fix)


def test_a_rewritten_repository_is_a_revision_gone(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    (hub.root / "datasets/ours/questions/data/test.jsonl").write_bytes(jsonl(QUESTIONS[1:]))
    with pytest.raises(DataError, match="the pinned revision is gone") as caught:
        pull(place.registry.dataset("questions"), place.cache)
    assert "suite data pin questions" in caught.value.fix


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"files": [{"path": "data/none.jsonl", "sha256": "0" * 64}]}, "has no file data/none.jsonl"),
        ({"source": {"kind": "hub", "repo": "ours/none", "revision": "0" * 40}}, "no such repository"),
    ],
)
def test_what_is_not_there_is_named(
    place: Place, hub: LocalHub, hub_entry: Write, told: dict[str, object], message: str
) -> None:
    hub_entry(**told)
    with pytest.raises(DataError, match=message):
        pull(place.registry.dataset("questions"), place.cache)


def test_a_slow_hub_is_followed_with_progress(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    hub.faults.slow = 0.05
    steps: list[tuple[str, int, int | None]] = []
    pull(
        place.registry.dataset("questions"),
        place.cache,
        progress=lambda path, done, total: steps.append((path, done, total)),
    )
    size = len(jsonl(QUESTIONS * 200))
    assert ("data/train.jsonl", size, size) in steps


def test_no_hub_at_all_says_how_to_bring_the_files(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    done = place.suite("data", "pull", "questions", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert done.stderr.startswith("SourceUnreachable: questions: the Hub can't be reached")
    assert "suite data import questions --dir DIR" in done.stderr


@pytest.mark.parametrize("same", [True, False])
def test_a_hub_that_cant_be_reached_is_replaced_by_a_twin_with_the_same_bytes(
    place: Place, hub: LocalHub, hub_entry: Write, git: LocalGit, same: bool
) -> None:
    content = jsonl(QUESTIONS)
    (git.root / "ours/questions" / COMMIT / "rows.jsonl").write_bytes(content if same else content[::-1])
    source = {
        "kind": "git",
        "repo": "ours/questions",
        "url_template": "https://files.example/ours/questions/{commit}/{path}",
        "commit": COMMIT,
    }
    twin = {"path": "rows.jsonl", "source": source}
    hub_entry(
        files=[listed("data/test.jsonl", content, part="test", twin=twin)], parts={"test": {"split": "test"}}
    )
    hub.faults.fault_match, hub.faults.fail_first, hub.faults.fail_status = ".", 1000, 403
    if not same:
        with pytest.raises(DataError, match="is not the file that was pinned"):
            pull(place.registry.dataset("questions"), place.cache)
        return
    local = pull(place.registry.dataset("questions"), place.cache)
    assert [row for _, row in local.rows()] == QUESTIONS


def test_a_file_in_the_clients_own_cache_is_taken_if_its_bytes_are_right(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    from huggingface_hub import constants, hf_hub_download

    hub_entry()
    entry = place.registry.dataset("questions")
    hf_hub_download(
        "ours/questions", "data/train.jsonl", repo_type="dataset", revision=entry.revision, endpoint=hub.url
    )
    assert Path(constants.HF_HUB_CACHE).exists()
    hub.log.clear()
    pull(entry, place.cache)
    assert [row for row in hub.log if "train" in row["path"]] == []


def test_two_processes_pull_at_once(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    hub.faults.slow = 0.05
    running = [place.start("data", "pull", "questions", "--json") for _ in range(2)]
    results = [process.communicate(timeout=240) for process in running]
    assert [process.returncode for process in running] == [0, 0], results
    assert results[0][0] == results[1][0]
    bodies = [row for row in hub.log if row["method"] == "GET" and row["path"].endswith("train.jsonl")]
    assert len({row["path"] for row in bodies}) == len(bodies)  # the resolver's redirect and one body


def test_a_killed_download_leaves_nothing_that_is_used(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    hub.faults.fault_match = body = "^/datasets/.*train.jsonl"
    hub.faults.slow = 600.0  # after its first 64 KiB
    process = place.start("data", "pull", "questions")
    while not any(re.search(body, row["path"]) and row["method"] == "GET" for row in hub.log):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    train = sha256((hub.root / "datasets/ours/questions/data/train.jsonl").read_bytes())
    assert train not in kept(place)
    listed = json.loads(place.suite("data", "list", "--json").stdout)["entries"]
    assert [one["here"] for one in listed] == [False]
    hub.faults.slow = 0.0
    assert place.suite("data", "pull", "questions").returncode == 0


def test_unknown_hashes_are_checked_against_the_hub_and_recorded(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    hub_entry(
        files=[{"path": f"data/{part}.jsonl", "part": part} for part in ("test", "train")],
    )
    hub.faults.corrupt = True
    with pytest.raises(DataError, match="wanted what the Hub announced"):
        pull(place.registry.dataset("questions"), place.cache)
    hub.faults.corrupt = False
    local = pull(place.registry.dataset("questions"), place.cache)
    folder = hub.root / "datasets/ours/questions/data"
    hashes = {f"data/{one.name}": sha256(one.read_bytes()) for one in sorted(folder.iterdir())}
    assert local.identity()["files"] == hashes
    lock = (place.cache_folder / "data/pins/datasets/questions.yaml").read_text()
    assert all(one in lock for one in hashes.values())


def test_pin_records_commit_and_hashes_then_pull_holds_to_them(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    part = {"format": "jsonl", "schema": "question.json"}
    hub_entry(
        source={"kind": "hub", "repo": "ours/questions"},
        files=[],
        parts={name: {**part, "pattern": f"data/{name}*.jsonl"} for name in ("test", "train")},
    )
    refused = place.suite("data", "pull", "questions")
    assert refused.returncode == 2
    assert "questions is not pinned yet: run `suite data pin questions`" in refused.stderr
    pinned = place.suite("data", "pin", "questions", "--json")
    assert pinned.returncode == 0, pinned.stderr
    lock = json.loads(pinned.stdout)
    folder = hub.root / "datasets/ours/questions"
    assert lock["revision"] == commit_of(folder)
    assert [(one["path"], one["part"], one["sha256"]) for one in lock["files"]] == [
        (f"data/{name}.jsonl", name, sha256((folder / f"data/{name}.jsonl").read_bytes()))
        for name in ("test", "train")
    ]
    assert place.suite("data", "pull", "questions").returncode == 0
    (folder / "data/test.jsonl").write_bytes(jsonl(QUESTIONS[1:]))  # upstream moves on: what we have stays
    assert place.suite("data", "pull", "questions").returncode == 0


def test_pin_can_write_the_entry_itself(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry(
        source={"kind": "hub", "repo": "ours/questions"}, files=[{"path": "data/test.jsonl", "part": "test"}]
    )
    assert place.suite("data", "pin", "questions", "--write").returncode == 0
    entry = place.registry.dataset("questions")
    assert entry.revision == commit_of(hub.root / "datasets/ours/questions")
    assert entry.files[0].sha256 == sha256(jsonl(QUESTIONS))


def test_pin_of_an_unknown_branch_is_an_error(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    done = place.suite("data", "pin", "questions", "--branch", "nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("DataError: questions: the Hub has no revision 'nowhere'")


def test_an_endpoint_that_is_no_hub_is_unreachable(
    place: Place, hub: LocalHub, hub_entry: Write, git: LocalGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_entry()
    monkeypatch.setenv("HF_ENDPOINT", git.url)
    with pytest.raises(SourceUnreachable, match="the Hub can't be reached"):
        pull(place.registry.dataset("questions"), place.cache)


def test_rows_of_another_shape_are_not_pinned(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry()
    changed = [{**one, "system": "both"} if one["id"] == "q-7" else one for one in QUESTIONS]
    (hub.root / "datasets/ours/questions/data/test.jsonl").write_bytes(jsonl(changed))
    before = (place.folder / "datasets/questions.yaml").read_bytes()
    for more in ((), ("--write",)):
        refused = place.suite("data", "pin", "questions", *more)
        assert refused.returncode == 2
        assert refused.stderr.splitlines()[0].endswith("data/test.jsonl, line 8 breaks schemas/question.json")
        assert "field `system`: 'both' is not one of" in refused.stderr
        assert "suite data new my-questions --hub ours/questions" in refused.stderr
    assert not (place.cache_folder / "data/pins").exists()
    assert (place.folder / "datasets/questions.yaml").read_bytes() == before


def test_pin_counts_the_rows_anew_and_pull_holds_to_that(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    hub_entry()
    (hub.root / "datasets/ours/questions/data/test.jsonl").write_bytes(jsonl(QUESTIONS[1:]))
    with pytest.raises(DataError, match="the pinned revision is gone") as caught:
        pull(place.registry.dataset("questions"), place.cache)
    assert caught.value.where.endswith(" now, another data/test.jsonl")
    assert place.suite("data", "pin", "questions").returncode == 0
    local = pull(place.registry.dataset("questions"), place.cache)
    assert (local.part("test").rows, len(list(local.rows("test")))) == (19, 19)
    assert place.suite("data", "pin", "questions", "--write").returncode == 0
    assert place.registry.dataset("questions").parts["test"].rows == 19


def test_patterns_that_find_nothing_list_the_files(place: Place, hub: LocalHub, hub_entry: Write) -> None:
    hub_entry(files=[], parts={"test": {"format": "jsonl", "pattern": "rows/*.jsonl"}})
    refused = place.suite("data", "pin", "questions")
    assert refused.returncode == 2
    assert "its files: data/test.jsonl, data/train.jsonl" in refused.stderr


def test_pinning_without_a_network_does_not_advise_to_bring_files(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    hub_entry()
    refused = place.suite("data", "pin", "questions", HF_ENDPOINT="http://127.0.0.1:9")
    assert refused.stderr.splitlines() == [
        "SourceUnreachable: questions: the Hub can't be reached",
        "  no connection to 127.0.0.1:9: [Errno 111] Connection refused",
        "  pinning asks the source: try again with a network",
    ]


def test_a_licence_is_accepted_by_the_command_that_works_here(
    place: Place, hub: LocalHub, hub_entry: Write
) -> None:
    hub_entry(licence={"name": "CC-BY-NC-4.0", "accept_required": True})
    online = place.suite("data", "pull", "questions")
    assert "`suite data pull questions --accept-licence`" in online.stderr
    alone = place.suite("data", "pull", "questions", HF_HUB_OFFLINE="1")
    assert "`suite data import questions --dir DIR --accept-licence`" in alone.stderr
