"""Registry entries, the bundled data, the published queries and attributes, the pool of the five sources."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from suite_contexteval import __file__ as package
from suite_contexteval.cli import contexteval
from suite_contexteval.plugin import suite_register
from suite_contexteval.pool import pool
from suite_contexteval.reading import contextual, parsed_attributes, queries
from suite_contexteval.wrapping import context_pairs

import suite
from suite.testing import task_data

ROOT = Path(package).parent
REAL = Path(__file__).parents[4] / "shared/data/contexteval"
QUERIES = REAL / "all_data_latest_filtered_hf.jsonl"
MINI = yaml.safe_load((ROOT / "registry/datasets/contexteval-mini.yaml").read_text("utf-8"))

needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the published data is not beside this checkout")


def bundled(part: str) -> list[dict[str, Any]]:
    text = (ROOT / "mini" / MINI["parts"][part]["pattern"]).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("part", MINI["parts"])
def test_the_bundled_rows_fit_their_schema_and_count(part: str) -> None:
    told = MINI["parts"][part]
    schema = json.loads((ROOT / "registry/schemas" / told["schema"]).read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    rows = bundled(part)
    assert len(rows) == told["rows"]
    for row in rows:
        validator.validate(row)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({})


def test_the_bundled_parts_agree_with_each_other() -> None:
    ids = [row["example_id"] for row in bundled("queries")]
    assert len(set(ids)) == 36
    assert [row["example_id"] for row in bundled("contexts")] == ids
    attributes = {row["attribute"] for row in bundled("attributes")}
    assert {row["attribute"] for row in bundled("selected")} == attributes
    for row in bundled("contexts"):
        for one in row["qas"]:
            assert one["answer"] in one["options"]
    for part in MINI["parts"]:
        if part != "attributes":
            assert {row["example_id"] for row in bundled(part)} <= set(ids)


def test_everything_announced_is_well_formed_and_loads() -> None:
    entries = suite_register()
    assert [entry.problem() for entry in entries] == [""] * len(entries)
    plugins = suite.catalogue()
    for entry in entries:
        if entry.kind != "registry":
            found = plugins.load(entry.kind, entry.name)
            if entry.kind == "task":
                assert found.info.name == entry.name


@needs_real
def test_the_published_queries() -> None:
    assert hashlib.sha256(QUERIES.read_bytes()).hexdigest().startswith("9ac02978b44d1eb9")
    found = list(queries(task_data(given={"contexteval": QUERIES})))
    assert len(found) == 3580
    assert Counter(one.source for one in found) == {
        "lmsys/chatbot_arena_conversations": 2500,
        "tatsu-lab/alpaca_eval": 645,
        "cmalaviya/expertqa": 300,
        "fangyuan/kiwi": 78,
        "lmsys/mt_bench_human_judgments": 57,
    }
    assert len({one.example_id for one in found}) == 3580
    assert len({one.query for one in found}) == 3577
    assert all(4 <= len(one.query.split()) <= 59 for one in found)
    assert [one.index for one in found] == list(range(3580))


@needs_real
def test_the_published_attributes() -> None:
    found = parsed_attributes((REAL / "contextual_attributes_qas.txt").read_text("utf-8"))
    assert len(found) == 12
    assert sum(len(one.answers) for one in found) == 52
    five = {one.attribute for one in found if len(one.answers) == 5}
    assert five == {"User Expertise", "Style", "Geographical / Regional Context", "Age Group"}
    slugs = [one.slug for one in found]
    assert "geographical___regional_context" in slugs
    assert len(set(slugs)) == 12


@pytest.mark.parametrize(
    "text", ["* Size\nHow big?\n", "* Size\nQ: How big? A: big\n", "* Size\nQ: How? A: [big\n"]
)
def test_attributes_of_another_form(text: str) -> None:
    with pytest.raises(suite.DataError, match="Size"):
        parsed_attributes(text)


def test_contexts_from_a_file_of_somebody(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"

    def found(*rows: dict[str, Any]) -> list[Any]:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return list(contextual(task_data(given={"contexteval-contexts": path})))

    row = {"example_id": "a_1", "query": "Why?", "context": "Q: Where is it? A: in town\nQ: When? A: at noon"}
    assert [one.answer for one in context_pairs(found(row)[0].context)] == ["in town", "at noon"]
    with pytest.raises(suite.DataError, match="occurs twice"):
        found(row, row)
    with pytest.raises(suite.DataError, match="no context"):
        found({**row, "context": " "})
    with pytest.raises(suite.DataError, match="query"):
        found({"example_id": "a_1", "context": "Q: a? A: b"})


def test_the_pool_of_a_source() -> None:
    chat = [
        {"turn": 1, "conversation_a": [{"content": " What is a herring? "}]},
        {"turn": 2, "conversation_a": [{"content": "And what is a gull then?"}]},
        {"turn": 1, "conversation_a": [{"content": "What is a herring?"}]},
        {"turn": 1, "conversation_a": [{"content": "Too short, this"}]},
        {"turn": 1, "conversation_a": [{"content": "word " * 60}]},
        {"turn": 1, "conversation_a": [{"content": "word " * 59}]},
    ]
    rows = list(pool("lmsys/chatbot_arena_conversations", chat))
    assert [row["example_id"] for row in rows] == [
        "chatbot_arena_conversations_0",
        "chatbot_arena_conversations_5",
    ]
    alpaca = [{"instruction": " "}, {"instruction": "Too short"}, {"instruction": "Name a bird that swims."}]
    assert [row["example_id"] for row in pool("tatsu-lab/alpaca_eval", alpaca)] == ["alpaca_1"]
    with pytest.raises(suite.DataError, match="row 0"):
        list(pool("fangyuan/kiwi", [{"question": "Which?"}]))
    with pytest.raises(suite.NotFound, match="kiwis"):
        list(pool("kiwis", []))


def test_the_command_for_the_pool(tmp_path: Path) -> None:
    path = tmp_path / "kiwi.jsonl"
    path.write_text('{"original_question": "How do kiwis sleep at night?"}\n', "utf-8")
    result = CliRunner().invoke(contexteval, ["pool", f"fangyuan/kiwi={path}"])
    assert json.loads(result.output) == {
        "query": "How do kiwis sleep at night?",
        "source": "fangyuan/kiwi",
        "example_id": "kiwi_0",
    }
    result = CliRunner().invoke(contexteval, ["pool", "fangyuan/kiwi"])
    assert isinstance(result.exception, suite.ConfigError)
