"""Order: groups over cells, shared histories together, no biased slices; the simulator predicts the hits."""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tasks import Spell, cells, plan_of, run, scripted

import suite
from suite.chat import Message, Request, user
from suite.errors import PluginError
from suite.run.limits import Limit, Slots
from suite.run.order import Trie, contiguous, groups, limited, shard_of
from suite.task import Sample

ITEMS, TURNS, METHODS = 12, (0, 3, 8, 18), ("zero-shot", "remind")


def samples(*names: str) -> list[Sample[object]]:
    return [Sample(f"{name}/{i}", None, group=name) for name in names for i in range(2)]


def test_a_group_is_drained_from_every_cell_that_has_it_at_its_head() -> None:
    found = list(groups([samples("a", "b", "c"), samples("a", "c")]))
    assert [group.name for group in found] == ["a", "b", "c"]
    assert [len(group.items) for group in found] == [4, 2, 4]
    assert [(item.cell, item.sample.id) for item in found[2].items] == [
        (0, "c/0"),
        (0, "c/1"),
        (1, "c/0"),
        (1, "c/1"),
    ]


def test_samples_are_read_lazily() -> None:
    read = 0

    def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield Sample(f"s{read}", None)

    iterator = groups([endless(), endless()])
    for _ in range(5):
        next(iterator)
    assert read <= 14


def test_a_torn_group_is_named() -> None:
    samples: list[Sample[object]] = [
        Sample(name, None, group=group) for name, group in (("1", "a"), ("2", "b"), ("3", "a"))
    ]
    with pytest.raises(PluginError, match="'a' is not contiguous"):
        list(contiguous(samples, "t"))


@given(st.integers(1, 30), st.integers(0, 5))
def test_a_limit_keeps_the_groups_that_a_sort_by_hash_would(limit: int, seed: int) -> None:
    import hashlib

    names = [f"g{i}" for i in range(25)]
    rank = sorted(names, key=lambda name: hashlib.sha256(f"{seed}\x1f{name}".encode()).digest())
    assert limited(names, limit, seed) == frozenset(rank[:limit])


def test_shards_are_even_and_stable() -> None:
    counts = [0] * 4
    for i in range(4000):
        counts[shard_of(f"g{i}", 4)] += 1
    assert max(counts) - min(counts) < 200
    assert shard_of("a group", 7) == shard_of("a group", 7)


def trie_order(requests: Sequence[Request]) -> list[int]:
    """Indexes of requests that are ready together, in the order to send them."""
    trie = Trie()
    paths = [trie.path(request) for request in requests]
    return sorted(range(len(requests)), key=lambda i: (paths[i], i))


def test_requests_with_tools_share_the_history_of_those_with_the_same_tools() -> None:
    trie = Trie()
    tools = [suite.Tool("look", "Looks.", {"type": "object", "properties": {name: {}}}) for name in "ab"]
    first, second, other = (
        trie.path(Request("chat", (user("one"),), tools=(tool,))) for tool in (tools[0], tools[0], tools[1])
    )
    assert first[:-1] == second[:-1] != other[:-1]


def simulate_hits(prompts: Iterable[Sequence[int]], cache_tokens: int, block: int = 32) -> tuple[int, int]:
    """Prefix-cache hits of prompts sent one after the other: (hit tokens, all prompt tokens).

    prompts: token ids of each prompt, in order. cache_tokens: size of the cache. block: tokens a KV
    block. A block is found if it and all before it are cached; least recently used blocks are evicted,
    tails first. The last token of a prompt is always computed. Equals a real vLLM to the token on
    grouped loads (docs/prefix-order.md).
    """
    room = cache_tokens // block
    cache: OrderedDict[int, None] = OrderedDict()
    hit = total = 0
    for tokens in prompts:
        total += len(tokens)
        keys, digest = [], 0
        for start in range(0, len(tokens) - block + 1, block):
            digest = hash((digest, tuple(tokens[start : start + block])))
            keys.append(digest)
        usable = keys[: (len(tokens) - 1) // block]
        found = 0
        while found < len(usable) and usable[found] in cache:
            found += 1
        hit += found * block
        for key in reversed(keys):
            cache[key] = None
            cache.move_to_end(key)
        while len(cache) > room:
            cache.popitem(last=False)
    return hit, total


def conversation(item: int, turns: int, method: str) -> list[Message]:
    """About the sizes of the published measurement: 130 tokens of preference, 475 a turn, 60 of question."""
    start = [user(f"item {item} " + "p" * 110), suite.assistant("fine " + "a" * 20)]
    middle = [
        Message("user" if i % 2 == 0 else "assistant", f"{i:04d}" + "t" * 234) for i in range(2 * turns)
    ]
    return [*start, *middle, user(f"question {item} {method} " + "q" * 40)]


def tokens(messages: list[Message] | tuple[Message, ...]) -> list[int]:
    """One token a character and one for the role: what counts is where two prompts part."""
    return [ord(c) for message in messages for c in (message.role[0] + message.content)]


def sweep_order() -> list[list[Message]]:
    return [
        conversation(item, turns, method) for turns in TURNS for method in METHODS for item in range(ITEMS)
    ]


def test_the_trie_order_reaches_the_maximum_with_a_small_cache() -> None:
    nested = sweep_order()
    requests = [Request("chat", tuple(messages)) for messages in nested]
    grouped = [nested[i] for i in trie_order(requests)]
    everything, total = simulate_hits([tokens(one) for one in nested], 10**9)
    in_trie_order, _ = simulate_hits([tokens(one) for one in grouped], 24_000)
    cell_by_cell, _ = simulate_hits([tokens(one) for one in nested], 24_000)
    assert in_trie_order == everything
    assert in_trie_order / total > 0.6
    assert cell_by_cell / total < 0.15


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_the_runner_sends_a_sweep_in_an_order_that_reaches_the_maximum(
    tmp_path: Path, concurrency: int
) -> None:
    class Long(Spell):
        words = ITEMS

        async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
            item = int(sample.id[1:])
            first = await models.candidate.chat(conversation(item, 0, "")[:1])
            messages = conversation(item, self.parameters.turns, self.parameters.style)
            messages[1] = suite.assistant(first.text)
            reply = await models.candidate.chat(messages)
            return suite.Output(reply.text)

    sweep = [{"turns": turns, "style": style} for turns in TURNS for style in ("plain", "polite")]
    plan = plan_of({"candidate": "scripted/echo"}, cells(Long, *sweep), concurrency=concurrency)
    sent: list[list[int]] = []

    async def note(request: Request, asking: Any) -> str:
        sent.append(tokens(request.messages))
        await asyncio.sleep(0.001)
        return "fine " + "a" * 20

    scripted(note, plan)
    await run(plan, tmp_path / "run")
    assert len(sent) == ITEMS * 9
    reached, total = simulate_hits(sent, 24_000)
    most, _ = simulate_hits(sent, 10**9)
    assert reached == most
    assert reached / total > 0.6


def test_first_seen_order_is_never_alphabetical() -> None:
    requests = [Request("chat", (user(text),)) for text in ("zebra", "apple", "zebra", "mango")]
    assert trie_order(requests) == [0, 2, 1, 3]


def test_the_limit_doubles_until_the_engine_pushes_back_then_creeps() -> None:
    now = [0.0]
    limit = Limit(clock=lambda: now[0])
    for _ in range(4 + 8 + 16 + 32):
        now[0] += 1 / limit.current  # twice as many at once, twice as many replies a second
        limit.good(True, now[0])
    assert limit.current == 64
    limit.overloaded(0.5, None)
    limit.overloaded(0.6, None)  # was sent before the cut
    assert limit.current == 32
    for _ in range(32):
        limit.good(True, now[0])
    assert limit.current == 33
    limit.overloaded(now[0] + 1.0, 7.0)
    assert limit.current == 16
    assert limit.pause() == pytest.approx(7.0)
    fixed = Limit(5)
    fixed.overloaded(0.0, None)
    assert fixed.current == 5


async def test_places_are_given_in_the_plans_order() -> None:
    slots = Slots(Limit(1))
    order: list[int] = []

    async def one(number: int) -> None:
        if not slots.entered():
            await slots.wait((number, ()))
        order.append(number)
        await asyncio.sleep(0)
        slots.leave()

    numbers = list(range(20))
    random.Random(1).shuffle(numbers)
    await asyncio.gather(*(one(number) for number in numbers))
    assert order[1:] == sorted(order[1:])
    assert slots.in_flight == 0


async def test_retry_after_holds_everybody_back() -> None:
    loop = asyncio.get_running_loop()
    slots = Slots(Limit(clock=loop.time))
    slots.limit.overloaded(loop.time(), 0.2)
    started = loop.time()
    assert not slots.entered()
    await slots.wait((0, ()))
    assert loop.time() - started >= 0.19


async def test_who_is_turned_away_and_dropped_gives_no_place_back() -> None:
    slots = Slots(Limit(1))
    assert slots.entered()
    waiting = asyncio.ensure_future(slots.wait((0, ())))
    await asyncio.sleep(0)
    slots.refuse_all(lambda: RuntimeError("stopped"))
    waiting.cancel()
    await asyncio.wait([waiting])
    assert slots.in_flight == 1
