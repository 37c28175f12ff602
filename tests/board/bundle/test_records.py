"""The lines of a run's journals held against the format (R1), sealed by the tamperer, and their index."""

import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sealing import seal

from suite.board.bundle import keyed_index, lines_check
from suite.board.bundle.bounds import SizeLimits
from suite.board.bundle.keyed_index import Index
from tests.board.making import codes, journal, lines_of, look, with_crc, without_crc, write_lines
from tests.board.rewriting import first, raw, rewrite

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
    "duplicate key": (first(lambda line: b'{"cell":"",' + line[1:]), "R1.not-strict-json"),
    "duplicate by escape": (first(lambda line: b'{"\\u0063ell":"",' + line[1:]), "R1.not-strict-json"),
    "wrong type": (first(lambda line: line.replace(b'"sample":"', b'"trial":"","sample":"')), "R1.record"),
    "missing field": (first(lambda line: line.replace(b'"payload_sha256"', b'"trials"')), "R1.record"),
    "negative": (first(lambda line: line.replace(b'"sample":"', b'"trial":-1,"sample":"')), "R2.no-output"),
    "invalid UTF-8": (first(lambda line: line.replace(b'"w', b'"\xff', 1)), "R1.not-strict-json"),
}  # fmt: skip


def before(name: str, lines: list[bytes]) -> list[bytes]:
    """The lines with all that lines of before held."""
    return [one_before(name, line) for line in lines]


def one_before(name: str, line: bytes) -> bytes:
    record = json.loads(without_crc(line))
    if name == "outputs":
        group = record.get("group", record["sample"])
        usual = {"trial": 0, "group": group, "cluster": group, "tags": {}}
        record["text_from"] = (
            record["calls"][-1] if record.get("text_from") == "last" else record["text_from"]
        )
        order = ["cell", "sample", *usual]
    elif name == "calls":
        usual = {"role": "candidate", "trial": 0, "kind": "chat"}
        order = ["id", "role", "group", "trial", "kind"]
    else:
        usual, order = {"trial": 0}, ["cell", "sample", "trial"]
    whole = usual | record
    whole = {key: whole[key] for key in order} | whole
    return with_crc(json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode())


def test_lines_of_before_are_in_our_notation(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_check, "_MOST_ODD", 0)
    for name in ("outputs", "calls", "scoring/scores"):
        rewrite(bundle, name, partial(before, name))
    assert codes(bundle) == set()
    first_line = lines_of(journal(bundle, "outputs"))[0]
    assert json.loads(first_line)["trial"] == 0


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
    assert "R1.long-line" in codes(bundle, SizeLimits(line=200))


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
    seal(bundle)
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
        "kept",
    }
    shared = name == "scoring/scores" and key == "calls"  # another cell's score may name the same call
    assert found or key in free or shared or record[key] == before
    shutil.rmtree(bundle.parent)


def test_index_finds_what_was_added(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one\ntwo\nthree\n")
    index = Index(path)
    for name, offset in (("b", 0), ("a", 4), ("b", 8)):
        index.add(keyed_index.digest(name), offset, 3, offset)
    index.freeze()
    at = index.find(keyed_index.digest("a"))
    assert (index.line(at), index.notes[at]) == (b"two", 4)
    assert index.find(keyed_index.digest("c")) == -1
    assert len(list(index.twice())) == 1
    index.mark(index.find(keyed_index.digest("b")))
    assert [index.line(one) for one in index.unused()] == [b"two"]
    index.close()


def test_digest_is_stable_within_a_process() -> None:
    assert keyed_index.digest("a") == keyed_index.digest("a") != keyed_index.digest("b")
    assert 0 <= keyed_index.digest("a\ud800") < 2**64
