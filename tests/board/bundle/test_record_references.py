"""What records say of each other (R2): identities, texts, calls and blocks, sealed by the tamperer."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from suite.board.bundle.bounds import SizeLimits
from suite.board.bundle.contents import open_bundle
from suite.board.bundle.rungs import Findings
from suite.chat import Message, Options, call_id, sha256_hex
from suite.journal.records import BlockRecord, encode
from suite.journal.run import Run
from tests.board import making
from tests.board.making import codes, edit, journal, lines_of, look
from tests.board.rewriting import rewrite


def test_output_text_changed(bundle: Path) -> None:
    lines = [json.loads(line) for line in lines_of(journal(bundle, "outputs"))]
    assert all(one["text_from"] for one in lines)

    def change(record: dict[str, Any]) -> None:
        record["output"]["text"] = "the right answer"
        del record["text_from"]

    edit(bundle, "outputs", change)
    found = look(bundle)[1]
    assert {one.code for one in found} == {"R2.output-hash"}
    assert found[0].sample == lines[0]["sample"]


def test_text_from_another_call(bundle: Path) -> None:
    lines = [json.loads(line) for line in lines_of(journal(bundle, "outputs"))]
    edit(bundle, "outputs", lambda record: record.update(text_from=lines[-1]["calls"][-1]))
    assert codes(bundle) == {"R2.text-from", "R2.output-hash"}


def test_text_and_text_from(bundle: Path) -> None:
    edit(bundle, "outputs", lambda record: record["output"].update(text="both"))
    assert "R2.text-from" in codes(bundle)


def test_reply_changed(bundle: Path) -> None:
    """The reply that an output takes its text from: the judged output was another."""
    names = {json.loads(line)["calls"][-1] for line in lines_of(journal(bundle, "outputs"))}
    calls = [json.loads(line) for line in lines_of(journal(bundle, "calls"))]
    at = next(i for i, one in enumerate(calls) if one["id"] in names)
    edit(bundle, "calls", lambda record: record["reply"].update(text="better"), at)
    assert codes(bundle) == {"R2.output-hash"}


def test_score_of_another_output(bundle: Path) -> None:
    edit(bundle, "scoring/scores", lambda record: record.update(output_sha256="0" * 64))
    assert codes(bundle) == {"R2.output-hash", "R2.orphan-call"} or codes(bundle) == {"R2.output-hash"}


def test_score_without_output(bundle: Path) -> None:
    edit(bundle, "scoring/scores", lambda record: record.update(sample="invented"))
    assert "R2.no-output" in codes(bundle)


def test_output_of_no_cell(bundle: Path) -> None:
    edit(bundle, "outputs", lambda record: record.update(cell="0" * 12))
    assert "R2.unknown-cell" in codes(bundle)


def test_call_named_that_is_not_there(bundle: Path) -> None:
    edit(bundle, "outputs", lambda record: record["calls"].insert(0, "0" * 64))
    found = look(bundle)[1]
    assert {one.code for one in found} == {"R2.no-call"}
    assert found[0].sample


def test_reference_is_compared_as_a_whole(bundle: Path) -> None:
    """The first digits of a hash are no reference."""

    def change(record: dict[str, Any]) -> None:
        record["calls"][0] = record["calls"][0][:32] + "0" * 32

    edit(bundle, "outputs", change)
    assert "R2.no-call" in codes(bundle)


def test_call_that_nobody_names(bundle: Path) -> None:
    edit(bundle, "outputs", lambda record: record["calls"].clear())
    assert {"R2.text-from"} <= codes(bundle) <= {"R2.text-from", "R2.orphan-call", "R2.output-hash"}
    edit(bundle, "scoring/scores", lambda record: record.pop("calls", None))
    assert "R2.orphan-call" in codes(bundle)


def test_call_of_another_sample(bundle: Path) -> None:
    lines = [json.loads(line) for line in lines_of(journal(bundle, "outputs"))]
    edit(bundle, "outputs", lambda record: record["calls"].insert(0, lines[-1]["calls"][0]))
    assert codes(bundle) == {"R2.call-of-other-group"}


@pytest.mark.parametrize("field", ["group", "role", "key"])
def test_call_says_another_origin(field: str, bundle: Path) -> None:
    edit(bundle, "calls", lambda record: record.update({field: "other"}))
    assert "R2.call-id" in codes(bundle)


def test_call_twice(bundle: Path) -> None:
    rewrite(bundle, "calls", lambda lines: [*lines, lines[0]])
    assert codes(bundle) == {"R2.call-twice"}


def test_request_hash_changed(bundle: Path) -> None:
    edit(bundle, "calls", lambda record: record.update(request_sha256="0" * 64))
    assert {"R2.request-hash", "R2.call-id"} <= codes(bundle)


def test_options_changed(bundle: Path) -> None:
    edit(bundle, "calls", lambda record: record["options"].update(temperature=1.5))
    assert codes(bundle) == {"R2.call-id", "R2.call-of-other-group"}


def test_request_is_another_message(bundle: Path) -> None:
    blocks = [json.loads(line) for line in lines_of(journal(bundle, "blocks"))]
    other = next(one["sha256"] for one in blocks[::-1] if one.get("role"))
    edit(bundle, "calls", lambda record: record["request"].append(other))
    assert codes(bundle) == {"R2.call-id", "R2.call-of-other-group"}


def test_negative_usage(bundle: Path) -> None:
    edit(bundle, "calls", lambda record: record["reply"]["usage"].update(prompt=-5))
    assert codes(bundle) == {"R1.negative"}


def test_block_changed(bundle: Path) -> None:
    edit(bundle, "blocks", lambda record: record.update(content="Please say yes."))
    assert {"R2.block-hash", "R2.no-block"} <= codes(bundle)


def test_block_gone(bundle: Path) -> None:
    rewrite(bundle, "blocks", lambda lines: lines[1:])
    assert codes(bundle) == {"R2.no-block"}


def test_block_twice_is_harmless_and_unused_block_is_noted(bundle: Path) -> None:
    rewrite(bundle, "blocks", lambda lines: [*lines, lines[0]])
    assert codes(bundle) == set()
    message = Message("user", "nobody asked")
    digest = sha256_hex(msgspec.json.encode(message, order="sorted"))
    extra = encode(BlockRecord(digest, "user", "nobody asked")).rstrip(b"\n")
    rewrite(bundle, "blocks", lambda lines: [*lines, extra])
    found = look(bundle)[1]
    assert [(one.code, one.severity) for one in found] == [("R2.unused-blocks", "note")]


BLOCKS = {
    "list of another length": BlockRecord("", list=["0" * 64] * 31),
    "list with content": BlockRecord("", content="x", list=["0" * 64] * 32),
    "unknown role": BlockRecord("", role="developer", content="x"),
    "text with extra": BlockRecord("", role="text", content="x", extra={"a": 1}),
    "message with more": BlockRecord("", role="user", content="x", extra={"tool_call_id": "a", "b": 1}),
    "message with another content": BlockRecord("", role="user", content="x", extra={"content": "y"}),
    "tools that are none": BlockRecord("", role="tools", extra=[{"x": 1}]),
    "tools with more": BlockRecord("", role="tools", extra=[{"name": "a", "x": 1}]),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_block_that_is_none(name: str, bundle: Path) -> None:
    block = BLOCKS[name]
    block.sha256 = "0" * 64
    rewrite(bundle, "blocks", lambda lines: [*lines, encode(block).rstrip(b"\n")])
    assert codes(bundle) & {"R2.block", "R2.block-hash"}


def _list_of(names: list[str]) -> tuple[str, bytes]:
    digest = sha256_hex(b"list\x1f" + "".join(names).encode())
    return digest, encode(BlockRecord(digest, list=names)).rstrip(b"\n")


def test_lists_in_lists_do_not_multiply(bundle: Path) -> None:
    """32 to the power of depth messages, in a few kilobytes: reading all of them would not end."""
    blocks = [json.loads(line) for line in lines_of(journal(bundle, "blocks"))]
    name = next(one["sha256"] for one in blocks if one.get("role") == "user")
    lines = []
    for _ in range(30):
        name, line = _list_of([name] * 32)
        lines.append(line)
    rewrite(bundle, "blocks", lambda old: [*old, *lines])
    edit(bundle, "calls", lambda record: record.update(request=[name]))
    assert "R2.block" in codes(bundle)


def test_a_list_is_no_prompt(bundle: Path) -> None:
    block = _text_block("hi")
    name, line = _list_of([block.sha256] * 32)
    rewrite(bundle, "blocks", lambda old: [*old, encode(block).rstrip(b"\n"), line])
    edit(bundle, "calls", lambda record: record.update(prompt=name))
    assert codes(bundle) == {"R2.call-id", "R2.call-of-other-group"}


def test_requests_that_grow_without_end(bundle: Path) -> None:
    content = "x" * 2**20
    digest = sha256_hex(msgspec.json.encode(Message("user", content), order="sorted"))
    block = encode(BlockRecord(digest, "user", content)).rstrip(b"\n")
    name, line = _list_of([digest] * 32)
    rewrite(bundle, "blocks", lambda old: [*old, block, line])
    edit(bundle, "calls", lambda record: record.update(request=[name] * 3))
    assert "R2.request-too-big" in codes(bundle)
    edit(bundle, "calls", lambda record: record.update(request=[name]))
    assert "R2.requests-too-big" in codes(bundle, SizeLimits(rebuilt=2**20))


def test_both_notations_of_unset_options(bundle: Path) -> None:
    """A request without options hashes with or without an empty object; both are its hash."""
    from suite.board.bundle.lines_check import LinesCheck
    from suite.board.bundle.requests_check import BlocksCheck
    from suite.board.bundle.rungs import Findings
    from suite.chat import Request, request_sha256
    from suite.journal.records import CallRecord

    (bundle / "blocks.jsonl").write_bytes(encode(_text_block("hi")))
    lines = LinesCheck(bundle / "blocks.jsonl", "x", BlockRecord, Findings(), SizeLimits())
    blocks = BlocksCheck(lines, [2**30])
    for request in (Request("complete", prompt="hi"), Request("complete", prompt="hi", options=Options())):
        digest = request_sha256(request)
        call = CallRecord(
            id="", group="g", kind="complete", request_sha256=digest, prompt=_text_block("hi").sha256
        )
        assert blocks.request_hash(call) == digest
    blocks.finish()


def _text_block(text: str) -> BlockRecord:
    return BlockRecord(sha256_hex(b"text\x1f" + text.encode()), "text", text)


def test_run_with_tools_and_data_is_good(tmp_path: Path) -> None:
    run = making.make_run(tmp_path / "tools", task=making.WithTools, judge=False, parameters=({},))
    bundle = making.stage(tmp_path / "b", run)
    opened, findings = look(bundle)
    assert not findings
    assert opened.runs[0].sound
    edit(bundle, "blocks", lambda record: record.get("extra") or record.update(content="other"))
    assert "R2.block-hash" in codes(bundle)


def test_call_id_uses_the_family_of_a_cell(bundle: Path) -> None:
    """A call made for another family of tasks is none of this run."""
    with open_bundle(bundle, Findings()) as opened:
        assert opened is not None
        journal = Run(opened.runs[0].folder, opened.runs[0].entry.scoring).journal
        asked = journal.blocks.request_hash(next(iter(journal.calls)))

    def change(record: dict[str, Any]) -> None:
        record["id"] = call_id("other", record["group"], 0, record.get("role", "candidate"), "", asked)

    edit(bundle, "calls", change)
    assert "R2.call-id" in codes(bundle)
