import json
from pathlib import Path

import pytest

from suite.chat import Json, Request, call_id, request_sha256, user
from suite.errors import CallFailed, DataError, NotFound, RunError
from suite.journal.document_files import write_json
from suite.journal.documents import (
    SCORING_FORMAT,
    CellRecord,
    Hardware,
    RoleMember,
    RunManifest,
    SampleCounts,
    ScoringManifest,
)
from suite.journal.records import FORMAT, CallRecord, encode
from suite.models.engine import Asking, Engine
from suite.models.replay import provider
from suite.models.scripted import ScriptedEngine
from suite.models.spec import parse_spec


def engine(name: str, **options: str) -> Engine:
    return provider.engine(parse_spec(f"replay/{name}", options.items()))


def chat(text: str) -> Request:
    return Request("chat", (user(text),))


async def record(folder: Path, role: str, asks: list[tuple[str, int, str, str]]) -> None:
    """Ask a scripted model and journal its replies, as a run does."""
    shout = ScriptedEngine(lambda request, asking: f"{role} says {request.messages[-1].content}")
    with (folder / "calls.jsonl").open("ab") as file:
        for group, trial, key, text in asks:
            digest = request_sha256(chat(text))
            call = CallRecord(
                id=call_id("t", group, trial, role, key, digest),
                role=role,
                group=group,
                trial=trial,
                kind="chat",
                request_sha256=digest,
                key=key,
                reply=await shout.call(chat(text), Asking(group=group)),
            )
            file.write(encode(call))


def member(
    name: str,
    identity: dict[str, Json],
    capabilities: tuple[str, ...] = ("chat",),
    limits: dict[str, int] | None = None,
) -> RoleMember:
    return RoleMember(
        member=name, spec="m", stage="both", needs=(), capabilities=capabilities, identity=identity,
        limits=limits or {}, sampling={},
    )  # fmt: skip


@pytest.fixture
async def run(tmp_path: Path) -> Path:
    folder = tmp_path / "units-1234"
    scoring = folder / "scorings" / "s1"
    scoring.mkdir(parents=True)
    identity: dict[str, Json] = {"provider": "openai", "name": "m", "deterministic": False}
    candidate = member("candidate", identity, ("chat", "seed"), limits={"window": 99})
    cell = CellRecord(
        cell="0" * 12, task="t", version=1, parameters={}, score_parameters={}, prompts="own",
        prompts_sha256="0" * 64, plugin="p 1", title="T", paper="", headline="h", note="", replay="exact",
        swept=(), facts={},
    )  # fmt: skip
    manifest = RunManifest(
        format=FORMAT, name=folder.name, suite="0", created="2026-01-01T00:00:00Z", plan_sha256="0" * 64,
        seed=0, trials=1, mini=False, limit=None, shard=None, imported=False, prompts="own", cells=[cell],
        skipped=(), roles={"candidate": [candidate]}, data={}, versions={},
        counts=SampleCounts(groups=0, groups_taken=0, samples={}, tags={}),
        hardware=Hardware(cpus=1, memory_gib=None, system="", python="", gpus=()),
    )  # fmt: skip
    write_json(folder / "manifest.json", manifest)
    judges = [member("judge", {"name": "j1"}), member("judge/2", {"name": "j2"})]
    judging = ScoringManifest(
        format=SCORING_FORMAT, scoring="s1", started="", run=folder.name, plan_sha256="0" * 64, level=0.95,
        roles={"judge": judges}, cells=(),
    )  # fmt: skip
    write_json(scoring / "manifest.json", judging)
    (folder / "calls.jsonl").touch()
    await record(
        folder, "candidate", [("g1", 0, "", "hello"), ("g1", 0, "again", "hello"), ("g2", 1, "", "hello")]
    )
    await record(scoring, "judge", [("g1", 0, "", "hello")])
    await record(scoring, "judge/2", [("g1", 0, "", "bye")])
    return folder


async def test_recorded_calls_are_found_by_group_trial_key_and_request(run: Path) -> None:
    one = engine(str(run))
    said = [
        await one.call(chat("hello"), Asking(group="g1")),
        await one.call(chat("hello"), Asking(group="g1", key="again")),
        await one.call(chat("hello"), Asking(group="g2", trial=1)),
    ]
    assert {reply.text for reply in said} == {"candidate says hello"}
    assert one.capabilities() == {"chat", "seed", "continue_final", "template"}
    assert one.identity() == {
        "provider": "openai",
        "name": "m",
        "deterministic": False,
        "replayed_from": "units-1234",
    }
    assert one.limits() == {"window": 99}


@pytest.mark.parametrize(
    ("text", "asking"),
    [
        ("other", Asking(group="g1")),
        ("hello", Asking(group="g3", sample="s7")),
        ("hello", Asking(group="g1", trial=1)),
        ("hello", Asking(group="g1", key="third")),
    ],
)
async def test_what_was_not_recorded_fails_for_good(run: Path, text: str, asking: Asking) -> None:
    with pytest.raises(CallFailed) as caught:
        await engine(str(run)).call(chat(text), asking)
    assert (caught.value.kind, caught.value.retryable) == ("not-recorded", False)
    assert repr(asking.group) in str(caught.value)
    assert asking.key in str(caught.value)


async def test_judges_replay_from_the_scorings(run: Path) -> None:
    judge = engine(f"{run}?role=judge")
    assert (await judge.call(chat("hello"), Asking(group="g1"))).text == "judge says hello"
    second = engine(str(run), role="judge/2")
    assert second.identity()["name"] == "j2"
    assert (await second.call(chat("bye"), Asking(group="g1"))).text == "judge/2 says bye"
    with pytest.raises(NotFound, match="no recorded role named 'user'"):
        engine(f"{run}?role=user")


async def test_a_changed_record_is_not_replayed(run: Path) -> None:
    calls = run / "calls.jsonl"
    calls.write_bytes(calls.read_bytes().replace(b"says", b"said"))
    with pytest.raises(RunError, match=r"calls\.jsonl line 1 was changed"):
        await engine(str(run)).call(chat("hello"), Asking(group="g1"))


async def test_runs_are_found_by_name_and_missing_ones_are_said(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run.parent / "runs").mkdir()
    run.rename(run.parent / "runs" / run.name)
    monkeypatch.chdir(run.parent)
    assert engine("units-1234").capabilities()
    with pytest.raises(NotFound, match="did you mean 'units-1234'"):
        engine("units-1243")
    with pytest.raises(RunError, match="holds no run"):
        engine("runs")


def lines(tmp_path: Path, *rows: dict[str, object] | str) -> str:
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return str(path)


async def test_the_nth_distinct_request_of_a_sample_gets_its_nth_text(tmp_path: Path) -> None:
    one = engine(
        lines(
            tmp_path,
            {"sample_id": "a", "text": "first"},
            {"sample_id": "b", "text": "", "extra": 1},
            {"sample_id": "a", "text": "second", "call": 1},
            {"sample_id": "a", "text": "later", "trial": 1},
        )
    )
    a = Asking(sample="a")
    said = [(await one.call(chat(text), a)).text for text in ("x", "y", "x")]
    assert said == ["first", "second", "first"]
    assert (await one.call(chat("x"), Asking(sample="a", trial=1))).text == "later"
    assert (await one.call(chat("x"), Asking(sample="b"))).finish == "empty"
    assert (await one.call(chat("resumed"), Asking(sample="a", nth=1))).text == "second"
    with pytest.raises(CallFailed, match='no text for request 3 of sample .a.: .* "call": 2'):
        await one.call(chat("z"), a)
    with pytest.raises(CallFailed, match="not-recorded"):
        await one.call(chat("x"), Asking(sample="c"))


async def test_calls_may_be_numbered_and_two_answers_are_one_too_many(tmp_path: Path) -> None:
    one = engine(
        lines(
            tmp_path,
            {"sample_id": "a", "text": "2nd", "call": 1},
            {"sample_id": "a", "text": "1st", "call": 0},
        )
    )
    assert (await one.call(chat("x"), Asking(sample="a"))).text == "1st"


@pytest.mark.parametrize("call", [{}, {"call": 0}, {"call": 2}, {"call": 1, "trial": 3}])
def test_two_texts_of_one_request_are_named_with_both_lines(tmp_path: Path, call: dict[str, int]) -> None:
    row: dict[str, object] = {"sample_id": "a", "text": "x", **call}
    other: dict[str, object] = {"sample_id": "a", "text": "y", **(call if call != {"call": 0} else {})}
    with pytest.raises(
        DataError, match=r"(?s)'a.*' is given twice\n  in answers\.jsonl line 1 and in .* line 3.*call"
    ):
        engine(lines(tmp_path, row, {"sample_id": "b", "text": "x"}, other))


async def test_the_only_text_is_the_last_answer_where_nothing_else_is_scored(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        {"sample_id": "a", "text": "only"},
        {"sample_id": "b", "text": "1st"},
        {"sample_id": "b", "text": "3rd", "call": 2},
    )
    one = engine(path)
    last = Asking(sample="a", nth=4, last_counts=True)
    assert (await one.call(chat("x"), last)).text == "only"
    with pytest.raises(CallFailed, match='has no text for request 5 of sample .a.: .*with "call": 4'):
        await one.call(chat("x"), Asking(sample="a", nth=4))
    with pytest.raises(CallFailed, match="request 2 of sample 'b'"):
        await one.call(chat("x"), Asking(sample="b", nth=1, last_counts=True))
    with pytest.raises(CallFailed, match="has no text for sample 'c'"):
        await one.call(chat("x"), Asking(sample="c", nth=0, last_counts=True))


def test_a_file_of_answers_may_begin_with_a_mark_and_may_not_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"sample_id": "a", "text": "x\xe2\x80\xa8y"}\r\n')
    engine(str(path))
    path.write_bytes(b"\n")
    with pytest.raises(DataError, match=r"answers\.jsonl holds no answers"):
        engine(str(path))


@pytest.mark.parametrize("bad", ['{"sample_id": "a"}', "{", '{"sample_id": 3, "text": "x"}'])
def test_a_bad_line_is_named(tmp_path: Path, bad: str) -> None:
    path = lines(tmp_path, {"sample_id": "a", "text": "x"}, bad)
    with pytest.raises(DataError, match=r"answers\.jsonl line 2( is not an answer|: not JSON)"):
        engine(path)
    with pytest.raises(DataError, match=r"cannot read none\.jsonl"):
        engine(str(tmp_path / "none.jsonl"))
