"""Functions of many called for one: when a batch goes, and who hears of its end."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from suite.errors import PluginError
from suite.run.tools import RunTools

NEVER_MS = 60_000.0


class Doubling:
    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        return [2 * one for one in items]


async def test_a_full_batch_goes_at_once(tmp_path: Path) -> None:
    double = Doubling()
    batch = RunTools(tmp_path).batch("double", double, 2, NEVER_MS)
    assert await asyncio.gather(*map(batch, range(4))) == [0, 2, 4, 6]
    assert double.batches == [[0, 1], [2, 3]]


async def test_a_batch_goes_when_everybody_who_could_add_to_it_waits(tmp_path: Path) -> None:
    double = Doubling()
    batch = RunTools(tmp_path, lambda: 3).batch("double", double, 100, NEVER_MS)
    assert await asyncio.gather(*map(batch, range(3))) == [0, 2, 4]
    assert double.batches == [[0, 1, 2]]


async def test_a_batch_goes_after_its_time_and_another_follows(tmp_path: Path) -> None:
    double = Doubling()
    batch = RunTools(tmp_path).batch("double", double, 100, 1.0)
    assert await asyncio.gather(*map(batch, (1, 2))) == [2, 4]
    assert await batch(3) == 6
    assert double.batches == [[1, 2], [3]]


async def test_everybody_in_a_batch_hears_of_its_error(tmp_path: Path) -> None:
    async def fails(items: Sequence[int]) -> list[int]:
        raise ValueError(f"no {len(items)}")

    batch = RunTools(tmp_path).batch("fails", fails, 2, NEVER_MS)
    found = await asyncio.gather(batch(1), batch(2), return_exceptions=True)
    assert [str(one) for one in found] == ["no 2", "no 2"]


async def test_a_batch_with_another_number_of_results_is_an_error(tmp_path: Path) -> None:
    batch = RunTools(tmp_path).batch("lost", lambda items: list(items)[1:], 2, NEVER_MS)
    found = await asyncio.gather(batch(1), batch(2), return_exceptions=True)
    assert all(isinstance(one, PluginError) and "1 results for 2 items" in str(one) for one in found)


async def test_whoever_gives_up_leaves_the_others_their_results(tmp_path: Path) -> None:
    double = Doubling()
    batch = RunTools(tmp_path).batch("double", double, 2, NEVER_MS)
    first = asyncio.ensure_future(batch(1))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await batch(2) == 4
    assert double.batches == [[1, 2]]
