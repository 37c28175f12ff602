"""Several servers of one model asked as one: where groups go, what happens when one fails."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer
from small_tasks import Many, cells, plan_of, run, without_times

from suite.errors import CallFailed, ConfigError, EngineError
from suite.journal.run import Run
from suite.models.engine import Asking, Engine, Surroundings
from suite.models.spec import parse_spec
from suite.models.vllm import provider as vllm
from suite.report.remarks import remarks
from tests.models.endpoints import chat, engine


@pytest.fixture
async def pair() -> AsyncIterator[tuple[OpenAIServer, OpenAIServer]]:
    async with OpenAIServer(keep_bodies=True) as one, OpenAIServer(keep_bodies=True) as other:
        yield one, other


def both(pair: Sequence[OpenAIServer]) -> str:
    return ",".join(one.url for one in pair)


class Few(Many):
    """Enough samples for both replicas."""

    words = 40


def candidate(folder: str, **options: object) -> Any:
    """A plan whose candidate is served by replicas."""
    given = [("", name, str(value)) for name, value in options.items()]
    return plan_of({"candidate": folder}, cells(Few), options=given, concurrency=4)


async def asked(one: Engine, groups: Iterable[str], times: int = 1) -> None:
    for group in groups:
        for n in range(times):
            await one.call(chat(f"{group} asks {n}"), Asking(group=group))


def groups_at(server: OpenAIServer) -> set[str]:
    return {body["messages"][0]["content"].partition(" ")[0] for body in server.bodies}


async def test_a_group_stays_at_one_replica_and_all_replicas_have_groups(
    pair: tuple[OpenAIServer, OpenAIServer],
) -> None:
    one = engine(both(pair))
    await one.start(Surroundings())
    await asked(one, [f"g{n}" for n in range(40)], times=3)
    await one.close()
    here, there = map(groups_at, pair)
    assert not here & there
    assert min(len(here), len(there)) >= 8


async def test_a_crowded_replica_passes_calls_on_to_an_idle_one() -> None:
    gate = asyncio.Event()

    async def answer(body: Any) -> str:
        await gate.wait()
        return "yes"

    async with OpenAIServer(answer) as a, OpenAIServer(answer) as b:
        one = engine(both((a, b)))
        await one.start(Surroundings())
        calls = [asyncio.ensure_future(asked(one, ["one-group"])) for _ in range(20)]
        while a.in_flight + b.in_flight < 20:
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*calls)
        await one.close()
        assert min(a.max_in_flight, b.max_in_flight) >= 7


async def test_the_run_is_the_same_with_one_address_and_with_two(
    pair: tuple[OpenAIServer, OpenAIServer], tmp_path: Path
) -> None:
    alone = candidate("openai/loopback", base_url=pair[0].url)
    plan = candidate("openai/loopback", base_url=both(pair))
    assert plan.sha256 == alone.sha256
    here, there = tmp_path / "one" / "run", tmp_path / "two" / "run"
    wanted, found = await run(alone, here), await run(plan, there)
    assert without_times(found.results) == without_times(wanted.results)
    first, second = (sorted(call.id for call in Run(folder).journal.calls) for folder in (here, there))
    assert first == second
    assert (await run(alone, there)).exit_code == 0  # finished by both, shown for one of them


async def test_limits_are_the_sum_and_the_smallest_window(pair: tuple[OpenAIServer, OpenAIServer]) -> None:
    one = engine(both(pair), concurrency=3, window=4096)
    assert one.limits() == {"replicas": 2, "concurrency": 6, "window": 4096}


async def test_addresses_of_two_models_are_refused_unless_vouched_for() -> None:
    async with OpenAIServer(window=4096) as a, OpenAIServer(window=8192) as b:
        with pytest.raises(EngineError, match=r"not one model: told.max_model_len is 4096 and 8192"):
            await engine(both((a, b))).start(Surroundings())
        vouched = engine(both((a, b)), identity="mine")
        await vouched.start(Surroundings())
        await vouched.close()


@pytest.mark.parametrize(
    ("also", "wrong"),
    [
        (",http://127.0.0.1:1/v1/", "http://127.0.0.1:1/v1 stands twice"),
        (",http://127.0.0.1:1", "http://127.0.0.1:1 stands twice"),
        (",nonsense", "'nonsense' is no http URL"),
        (",", "address 2 is empty"),
    ],
)
def test_addresses_that_are_none_or_stand_twice_are_refused(also: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        engine(f"http://127.0.0.1:1/v1{also}")
    with pytest.raises(ConfigError, match=wrong):
        vllm.engine(parse_spec("vllm/some", [("url", f"http://127.0.0.1:1/v1{also}")]))


def test_half_of_a_password_with_a_comma_is_not_shown() -> None:
    with pytest.raises(ConfigError) as found:
        engine("http://127.0.0.1:1/v1,http://me:half,other@127.0.0.1:2/v1")
    assert "half" not in str(found.value)
    assert "other" not in str(found.value)


async def test_groups_of_an_address_that_ends_go_elsewhere_and_the_run_says_so(tmp_path: Path) -> None:
    ends: list[asyncio.Task[None]] = []

    def answer(body: Any) -> str:
        if doomed.requests == 5:
            ends.append(asyncio.ensure_future(doomed.stop()))
        return "e"

    async with OpenAIServer(lambda _: "e") as good, OpenAIServer(answer) as doomed:
        outcome = await run(candidate("openai/loopback", base_url=both((good, doomed))), tmp_path / "run")
        await asyncio.gather(*ends)
    assert (outcome.exit_code, len(ends)) == (0, 1)
    told = [one.text for one in remarks(Run(tmp_path / "run")) if "replica" in one.text]
    assert re.match(r"openai/loopback gives groups of replica 2 \(http\S+\) to others: connect", told[0])
    asked = rf"asked others [1-9]\d* times, for groups of replica 2 \(http://127.0.0.1:{doomed.port}/v1\)"
    assert re.match(f"openai/loopback {asked}", told[1])


@pytest.mark.parametrize(
    "fault", ["404", "401", "402", "403", "html", "wrong-shape", "error-200", "quota", "500", "503"]
)
async def test_an_address_that_is_wrong_costs_few_calls_and_no_samples(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suite.models.replicas.REST_S", 600.0)
    async with (
        OpenAIServer(lambda _: "e") as good,
        OpenAIServer(lambda _: "e", fault_every=(1, fault)) as wrong,
    ):
        outcome = await run(candidate("openai/loopback", base_url=both((good, wrong))), tmp_path / "run")
    assert outcome.exit_code == 0
    assert wrong.requests <= 8  # what was in flight until it rested
    told = " ".join(one.text for one in remarks(Run(tmp_path / "run")))
    assert f"replica 2 (http://127.0.0.1:{wrong.port}/v1)" in told


async def test_a_run_ends_where_all_addresses_are_wrong(tmp_path: Path) -> None:
    async with OpenAIServer(fault_every=(1, "404")) as a, OpenAIServer(fault_every=(1, "404")) as b:
        outcome = await run(candidate("openai/loopback", base_url=both((a, b))), tmp_path / "run")
    assert isinstance(outcome.error, EngineError)
    assert "status-404" in str(outcome.error)
    assert a.requests + b.requests < 30


async def test_what_a_request_is_refused_for_is_not_asked_elsewhere(pair: Sequence[OpenAIServer]) -> None:
    one = engine(both(pair))
    await one.start(Surroundings())
    for _ in range(9):
        with pytest.raises(CallFailed) as found:
            await one.call(chat("[[fault:400]]"), Asking(group="g"))
        assert (found.value.kind, found.value.retryable) == ("status-400", False)
    await one.close()
    assert not all(server.requests for server in pair)


@pytest.mark.parametrize("others", [1, 0])
async def test_no_more_than_its_concurrency_is_in_flight_at_each(others: int) -> None:
    async with OpenAIServer(latency_s=0.001) as a, OpenAIServer(latency_s=0.001) as b:
        one = engine(both((a, b)), concurrency=2)
        await one.start(Surroundings())
        if not others:
            await b.stop()
        calls = [answered(one, f"g{n}") for n in range(20)]
        found = await asyncio.gather(*calls)
        await one.close()
    assert (a.max_in_flight, b.max_in_flight) == (2, 2 * others)
    assert sum(found) >= 20 - 4


async def test_an_address_that_is_dead_at_the_start_gets_calls_once_it_is_the_same_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("suite.models.replicas.REST_S", 0.0)
    said: list[str] = []
    async with OpenAIServer(window=4096) as here:
        late = OpenAIServer(window=4096)
        await late.start()
        await late.stop()
        one = engine(f"http://127.0.0.1:{late.port}/v1,{here.url}")
        await one.start(Surroundings(say=said.append, note=lambda _, words: said.append(words)))
        assert said[0].endswith(f"at {', '.join(sorted((here.url, late.url)))}")
        assert said[1].startswith(f"starts without replica 1 ({late.url}): connect")
        async with OpenAIServer(window=8192, port=late.port) as foreign:
            await asked(one, map(str, range(40)))
            assert foreign.requests == 0
        assert "came back as another" in said[-1]
        assert one.limits() == {"replicas": 2, "window": 4096}
        async with OpenAIServer(window=4096, port=late.port) as back:
            await asked(one, map(str, range(40, 140)))
            assert back.requests > 9
        await one.close()


async def test_a_run_needs_one_address_that_answers(pair: Sequence[OpenAIServer]) -> None:
    urls = both(pair)
    for server in pair:
        await server.stop()
    with pytest.raises(EngineError, match="connect"):
        await engine(urls).start(Surroundings())


async def test_what_one_address_is_overloaded_with_others_take() -> None:
    async with OpenAIServer(lambda _: "e", faults=["429"] * 9) as busy, OpenAIServer(lambda _: "e") as free:
        one = engine(both((busy, free)))
        await one.start(Surroundings())
        groups = iter(map(str, range(99)))
        while await answered(one, group := next(groups)):
            pass
        await asked(one, [group] * 3)
        await one.close()
        assert busy.requests == 1


async def answered(one: Engine, group: str) -> bool:
    """Whether a group's call got a reply; what fails of it slows nothing down."""
    try:
        await asked(one, [group])
    except CallFailed as failed:
        assert failed.kind in ("status-429", "connect")
        assert (failed.overload, failed.retryable) == (False, True)
        return False
    return True


@pytest.fixture
def served(stand_in: Path, model: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A model that the stand-in for vLLM serves, on a machine with four GPUs."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,GPU-c,3")
    return f"vllm/{model()}"


async def test_replicas_get_disjoint_devices(served: str, stand_in: Path) -> None:
    one = vllm.engine(parse_spec(served, [("replicas", "2"), ("tensor_parallel_size", "2")]))
    one.check()
    assert one.devices() == 4
    await one.start(Surroundings(logs=stand_in / "logs"))
    await one.close()
    given = sorted(path.read_text() for path in stand_in.glob("devices-*"))
    assert given == ["0,1", "GPU-c,3"]


@pytest.mark.parametrize("size", ["abc", "0", "1.5", "true"])
def test_a_parallel_size_that_is_no_number_is_refused_on_every_machine(size: str) -> None:
    with pytest.raises(ConfigError, match=r"tensor_parallel_size=\S+ is no whole number from 1"):
        vllm.engine(parse_spec("vllm/some/model", [("tensor-parallel-size", size)]))


def test_replicas_beyond_the_devices_are_refused_before_anything_starts(served: str) -> None:
    one = vllm.engine(parse_spec(served, [("replicas", "3"), ("tensor_parallel_size", "2")]))
    with pytest.raises(EngineError, match=r"3 × 2 = 6 GPUs, and 4 can be used here"):
        one.check()


async def test_a_replica_that_dies_is_started_again_once_and_its_groups_go_elsewhere(
    served: str, stand_in: Path, tmp_path: Path
) -> None:
    (stand_in / "die-at-word9.").touch()
    outcome = await run(candidate(served, replicas=2), tmp_path / "run")
    assert outcome.exit_code == 0
    journal = Run(tmp_path / "run").journal
    assert len({call.id for call in journal.calls}) == Few.words
    told = [one.detail for one in journal.attempts if one.kind == "replica" and one.event == "adapted"]
    assert re.search(r"lost replica \d of 2, which is started again", told[0])
    assert {one.kind for one in journal.attempts if one.event == "retry"} == {"replica"}


async def test_a_run_whose_replicas_are_all_dead_ends_with_the_end_of_a_log(
    served: str, stand_in: Path, tmp_path: Path
) -> None:
    for n in range(4):
        (stand_in / f"die-at-word#{n}").touch()
    outcome = await run(candidate(served, replicas=2), tmp_path / "run")
    assert isinstance(outcome.error, EngineError)
    assert "illegal memory access" in str(outcome.error)
