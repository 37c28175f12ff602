"""Whether a prompt was cut without a word: no alarm on any script or kind of text."""

import base64
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.journal.journal_file import Blocks, JournalFile
from suite.models.sent_prompts import Sent, least

WORDS = ("the", "user", "asked", "about", "a", "recipe", "with", "fresh", "basil", "and", "nobody", "dinner")
# text, and the fewest tokens that a real tokenizer makes of a thousand characters of such text:
# o200k and Qwen's vocabularies hold whole phrases of Chinese, long runs of spaces and of one character
KIND = {
    "english": (" ".join(random.Random(1).choices(WORDS, k=900)), 200),
    "chinese": ("今天天气很好我们一起去公园散步然后回家做饭" * 60, 500),
    "one chinese phrase": ("中华人民共和国" * 200, 143),
    "japanese": ("今日はとても良い天気ですので散歩に行きましょう" * 60, 500),
    "thai": ("วันนี้อากาศดีมากเราไปเดินเล่นที่สวนสาธารณะกัน" * 60, 250),
    "cyrillic": ("сегодня хорошая погода и мы пойдём гулять в парк " * 60, 190),
    "korean": ("오늘은 날씨가 정말 좋아서 공원에 산책하러 갑니다 " * 60, 400),
    "emoji": ("😀🎉👍🏽" * 400, 1000),
    "code": ("        if value is None:\n            return self.items[index]\n" * 60, 180),
    "spaces": (" " * 4000 + "end", 10),
    "base64": (base64.b64encode(random.Random(2).randbytes(3000)).decode(), 280),
    "hex": (random.Random(3).randbytes(2000).hex(), 300),
    "one character": ("a" * 5000, 15),
    "laughter": ("ha" * 2500, 60),
    "rule": ("=" * 3000, 15),
    "json": ('{"a": [1, 2, 3], "name": "value", "more": {"x": null}}\n' * 60, 300),
}


@pytest.mark.parametrize("name", KIND)
def test_the_least_is_below_what_any_tokenizer_makes_of_it(name: str) -> None:
    text, per_thousand = KIND[name]
    assert least(text) <= len(text) * per_thousand / 1000 + 1


@given(
    st.lists(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Z"]), max_size=30), max_size=20)
)
@settings(max_examples=60, deadline=None)
def test_the_least_adds_up_and_is_never_more_than_the_characters(parts: list[str]) -> None:
    assert least(" ".join(parts)) <= sum(map(len, parts)) + 1e-9
    assert least(" ".join(parts)) == pytest.approx(sum(map(least, parts)))


def cut(folder: Path, prompts: list[tuple[str, int]]) -> dict[str, int]:
    """What is found of prompts and the tokens that were read of each."""
    file = JournalFile(folder / "blocks.jsonl")
    blocks, sent = Blocks(file), Sent()
    for text, read in prompts:
        sent.add([blocks.text(text)], read)
    file.close()
    sent.weigh(folder / "blocks.jsonl")
    return sent.cut()


def english(words: int) -> str:
    return " ".join(random.Random(words).choices(WORDS, k=words))


def test_a_prompt_of_which_fewer_tokens_were_read_than_it_can_have_is_cut(tmp_path: Path) -> None:
    assert cut(tmp_path, [(english(700), 300), (english(120), 160), (english(60), 20)]) == {
        "cut": 1,
        "sent": 700,
        "read": 300,
    }


def test_a_ceiling_for_much_longer_prompts_is_a_cut(tmp_path: Path) -> None:
    prompts = [(english(2000), 4096), (english(3100), 4096), (english(4600), 4096), (english(500), 700)]
    assert cut(tmp_path, prompts) == {"cut": 3, "sent": 4600, "read": 4096}


@pytest.mark.parametrize(
    "prompts",
    [
        [(english(700), 700), (english(120), 160)],  # all was read
        [(english(700), 0)],  # the endpoint does not tell
        [(english(90), 20)],  # too short to tell
        [(english(2000), 2500), (english(2100), 2500), (english(2050), 2500)],  # prompts of one length
        *([(text, int(len(text) * rate / 1000) + 1)] for text, rate in KIND.values()),
    ],
)
def test_what_is_no_cut(tmp_path: Path, prompts: list[tuple[str, int]]) -> None:
    assert cut(tmp_path, prompts) == {}


def test_a_long_conversation_is_weighed_whole(tmp_path: Path) -> None:
    file = JournalFile(tmp_path / "blocks.jsonl")
    blocks, sent = Blocks(file), Sent()
    whole = blocks.fold([blocks.text(f"{number} {english(10)}") for number in range(80)])
    assert len(whole) < 80
    sent.add(whole, 300)
    file.close()
    sent.weigh(tmp_path / "blocks.jsonl")
    assert sent.cut() == {"cut": 1, "sent": 880, "read": 300}
