"""The records of a run held against the format and against each other (R1, R2), sealed by the tamperer."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suite.board import indexes, packing
from suite.board.indexes import Index
from suite.board.limits import Limits
from suite.chat import Message, Options, call_id, sha256_hex
from suite.journal.records import BlockRecord, encode
from tests.board import making
from tests.board.making import codes, edit, journal, lines_of, look, with_crc, without_crc, write_lines


def rewrite(bundle: Path, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = journal(bundle, name)
    write_lines(path, change(lines_of(path)))
    packing.seal(bundle)


def raw(bundle: Path, name: str, data: bytes) -> None:
    from suite.board import frames

    journal(bundle, name).write_bytes(frames.compress(data))
    packing.seal(bundle)


def first(change: Callable[[bytes], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    """Change the first line's JSON, and give it a checksum."""
    return lambda lines: [with_crc(change(without_crc(lines[0]))), *lines[1:]]


# --- lines

LINES = {
    "torn": (lambda lines: lines, "R1.torn-line"),
    "blank": (lambda lines: [lines[0], b"", *lines[1:]], "R1.blank-line"),
    "spaces": (lambda lines: [lines[0], b"  ", *lines[1:]], "R1.blank-line"),
    "no JSON": (lambda lines: [b"hello", *lines[1:]], "R1.not-strict-json"),
    "a list": (lambda lines: [b"[]", *lines[1:]], "R1.record"),
    "checksum": (lambda lines: [lines[0][:-3] + b'0"}', *lines[1:]], "R2.line-checksum"),
    "no checksum": (lambda lines: [without_crc(lines[0]), *lines[1:]], "R1.record"),
    "checksum not last": (
        lambda lines: [b'{"crc":"00000000",' + without_crc(lines[0])[1:], *lines[1:]],
        "R2.line-checksum",
    ),
    "byte order mark": (lambda lines: [b"\xef\xbb\xbf" + lines[0], *lines[1:]], "R1.not-strict-json"),
    "unknown field": (first(lambda line: line[:-1] + b',"extra":1}'), "R1.record"),
    "duplicate key": (first(lambda line: b'{"trial":5,' + line[1:]), "R1.not-strict-json"),
    "duplicate by escape": (first(lambda line: b'{"\\u0074rial":5,' + line[1:]), "R1.not-strict-json"),
    "wrong type": (first(lambda line: line.replace(b'"trial":0', b'"trial":"0"')), "R1.record"),
    "missing field": (first(lambda line: line.replace(b'"trial":0,', b"")), "R1.record"),
    "negative": (first(lambda line: line.replace(b'"trial":0', b'"trial":-1')), "R2.no-output"),
    "invalid UTF-8": (first(lambda line: line.replace(b'"w', b'"\xff', 1)), "R1.not-strict-json"),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_line_that_is_no_record(name: str, bundle: Path) -> None:
    change, code = LINES[name]
    if name == "torn":
        raw(bundle, "outputs", b"\n".join(lines_of(journal(bundle, "outputs"))))
    else:
        rewrite(bundle, "outputs", change)
    assert code in codes(bundle)
    assert not look(bundle)[0].runs[0].sound


VALUES = {
    "NaN": (b"NaN", "R1.not-strict-json"),
    "infinity": (b"Infinity", "R1.not-strict-json"),
    "1e999": (b"1e999", "R1.not-strict-json"),
    "minus 1e999": (b"-1e999", "R1.not-strict-json"),
    "big integer": (b"90071992547409930", "R1.not-strict-json"),
    "just too big": (b"9007199254740993", "R1.not-strict-json"),
    "huge integer": (b"9" * 400, "R1.not-strict-json"),
    "list": (b"[1]", "R1.record"),
    "object": (b'{"a":1}', "R1.record"),
}


@pytest.mark.parametrize("name", VALUES)
def test_value_that_is_no_number(name: str, bundle: Path) -> None:
    value, code = VALUES[name]
    rewrite(
        bundle,
        "scoring/scores",
        first(lambda line: line.replace(b'"values":{', b'"values":{"x":%b,' % value)),
    )
    assert code in codes(bundle)
    assert not look(bundle)[0].runs[0].sound


def test_good_values_in_another_notation(bundle: Path) -> None:
    """Spaces, escapes and order of keys change nothing; they are read strictly and accepted."""

    def change(line: bytes) -> bytes:
        value = json.loads(line)
        return json.dumps(dict(reversed(value.items())), indent=None).encode()

    rewrite(bundle, "scoring/scores", first(change))
    assert codes(bundle) == set()


def test_many_lines_in_another_notation_are_refused(bundle: Path) -> None:
    line = without_crc(lines_of(journal(bundle, "attempts"))[0]).replace(b":", b": ")
    raw(bundle, "attempts", b"".join(with_crc(line) + b"\n" for _ in range(1500)))
    assert "R1.notation" in codes(bundle)


def test_long_line(bundle: Path) -> None:
    assert "R1.long-line" in codes(bundle, Limits(line=200))


def test_line_of_eighteen_mebibytes(bundle: Path) -> None:
    """Over the real limit; it is given up where the limit is."""
    text = random.Random(1).randbytes(9 * 2**20).hex().encode()
    raw(bundle, "attempts", b'{"at":1.0,"event":"' + text + b'"}\n')
    assert codes(bundle) == {"R1.long-line"}


@pytest.mark.parametrize("depth", [70, 10_000])
def test_deep_data(depth: int, bundle: Path) -> None:
    deep = b'"data":' + b"[" * depth + b"]" * depth + b","
    rewrite(bundle, "outputs", first(lambda line: line.replace(b'"output":{', b'"output":{' + deep)))
    assert "R1.not-strict-json" in codes(bundle)


def test_integer_beyond_doubles_in_free_data(bundle: Path) -> None:
    rewrite(
        bundle,
        "outputs",
        first(lambda line: line.replace(b'"output":{', b'"output":{"data":{"n":9007199254740993},')),
    )
    assert "R1.not-strict-json" in codes(bundle)


def test_only_so_many_broken_lines_are_read(bundle: Path) -> None:
    raw(bundle, "attempts", b"x\n" * 5000)
    findings = look(bundle)[1]
    assert "R1.too-many-broken" in {one.code for one in findings}


# --- identities and references


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
    edit(bundle, "outputs", lambda record: record.update(text_from=lines[-1]["text_from"]))
    assert codes(bundle) == {"R2.text-from", "R2.output-hash"}


def test_text_and_text_from(bundle: Path) -> None:
    edit(bundle, "outputs", lambda record: record["output"].update(text="both"))
    assert "R2.text-from" in codes(bundle)


def test_reply_changed(bundle: Path) -> None:
    """The reply that an output takes its text from: the judged output was another."""
    names = {json.loads(line)["text_from"] for line in lines_of(journal(bundle, "outputs"))}
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
    edit(bundle, "outputs", lambda record: record["calls"].append("0" * 64))
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
    edit(bundle, "outputs", lambda record: record["calls"].append(lines[-1]["calls"][0]))
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
    assert codes(bundle) == {"R2.request-hash"}


def test_request_is_another_message(bundle: Path) -> None:
    blocks = [json.loads(line) for line in lines_of(journal(bundle, "blocks"))]
    other = next(one["sha256"] for one in blocks[::-1] if one.get("role"))
    edit(bundle, "calls", lambda record: record["request"].append(other))
    assert codes(bundle) == {"R2.request-hash"}


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


def test_requests_that_grow_without_end(bundle: Path) -> None:
    content = "x" * 2**20
    digest = sha256_hex(msgspec.json.encode(Message("user", content), order="sorted"))
    block = encode(BlockRecord(digest, "user", content)).rstrip(b"\n")
    name, line = _list_of([digest] * 32)
    rewrite(bundle, "blocks", lambda old: [*old, block, line])
    edit(bundle, "calls", lambda record: record.update(request=[name] * 3))
    assert "R2.request-too-big" in codes(bundle)
    edit(bundle, "calls", lambda record: record.update(request=[name]))
    assert "R2.requests-too-big" in codes(bundle, Limits(rebuilt=2**20))


def test_both_notations_of_unset_options(bundle: Path) -> None:
    """A request without options hashes with or without an empty object; both are its hash."""
    from suite.board.findings import Findings
    from suite.board.requests_check import BlocksCheck
    from suite.chat import Request, request_sha256
    from suite.journal.records import CallRecord

    (bundle / "blocks.jsonl").write_bytes(encode(_text_block("hi")))
    blocks = BlocksCheck(bundle / "blocks.jsonl", "x", Findings(), Limits(), [2**30])
    blocks.read()
    for request in (Request("complete", prompt="hi"), Request("complete", prompt="hi", options=Options())):
        digest = request_sha256(request)
        call = CallRecord("", "candidate", "g", 0, "complete", digest, prompt=_text_block("hi").sha256)
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

    def change(record: dict[str, Any]) -> None:
        record["id"] = call_id(
            "other", record["group"], record["trial"], record["role"], "", record["request_sha256"]
        )

    edit(bundle, "calls", change)
    assert "R2.call-id" in codes(bundle)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_field_of_a_line_changed(good_bundle: Path, tmp_path_factory: Any, data: st.DataObject) -> None:
    """Sealed again, a changed record never crashes; all is found but what other rungs look at."""
    import shutil

    bundle = Path(shutil.copytree(good_bundle, tmp_path_factory.mktemp("any") / "b"))
    name = data.draw(st.sampled_from(["outputs", "calls", "blocks", "scoring/scores", "scoring/calls"]))
    lines = lines_of(journal(bundle, name))
    at = data.draw(st.integers(0, len(lines) - 1))
    record = json.loads(without_crc(lines[at]))
    key = data.draw(st.sampled_from(sorted(record)))
    before = record[key]
    record[key] = data.draw(
        st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
        | st.lists(st.text(max_size=3), max_size=2) | st.just({})
    )  # fmt: skip
    lines[at] = (
        with_crc(msgspec.json.encode(record)) if data.draw(st.booleans()) else msgspec.json.encode(record)
    )
    write_lines(journal(bundle, name), lines)
    packing.seal(bundle)
    found = codes(bundle)
    free = {
        "reply",
        "times",
        "attempt",
        "cached",
        "tags",
        "cluster",
        "values",
        "parts",
        "payload_sha256",
        "imported",
    }
    shared = name == "scoring/scores" and key == "calls"  # another cell's score may name the same call
    assert found or key in free or shared or record[key] == before
    shutil.rmtree(bundle.parent)


# --- the index


def test_index_finds_what_was_added(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one\ntwo\nthree\n")
    index = Index(path)
    for name, offset in (("b", 0), ("a", 4), ("b", 8)):
        index.add(indexes.digest(name), offset, 3, offset)
    index.freeze()
    assert len(index) == 3
    at = index.find(indexes.digest("a"))
    assert (index.line(at), index.note(at)) == (b"two", 4)
    assert index.find(indexes.digest("c")) == -1
    assert len(list(index.twice())) == 1
    index.mark(index.find(indexes.digest("b")))
    assert [index.line(one) for one in index.unused()] == [b"two"]
    index.close()


def test_digest_is_stable_within_a_process() -> None:
    for digest in (indexes._siphash, indexes._keyed):
        assert digest("a") == digest("a") != digest("b")
        assert 0 <= digest("a\ud800") < 2**64
