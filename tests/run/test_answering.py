"""Who answered: which kept replies stand for whom, and what is said when it was another."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from named_server import NamedServer
from openai_shapes import error_response
from small_tasks import Many, cells, plan_of, run

from suite.api.arguments import settled
from suite.comparisons.comparability import differences, match_cells
from suite.errors import ConfigError, RunError
from suite.journal.documents import Results
from suite.journal.run import Run, open_run
from suite.report.findings import sentences
from suite.report.markdown import markdown_report
from suite.run.cache import other_facts
from suite.secrets import remember


class Few(Many):
    """Six samples."""

    words = 6


async def asked(server: NamedServer, folder: Path, *more: tuple[str, str, str], **settings: Any) -> Results:
    """The results of one run of six samples against a server. limit: a plan of its own."""
    limit = settings.pop("limit", None)
    plan = plan_of(
        {"candidate": "openai/loopback"},
        cells(Few),
        options=[("", "base_url", server.url), *more],
        limit=limit,
    )
    outcome = await run(plan, folder, cache=True, **settings)
    assert outcome.results is not None
    return outcome.results


def found(results: Results, kind: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = msgspec.to_builtins([one for one in results.findings if one.kind == kind])
    return told


VOUCHED = ("", "identity", "amber-7b")


async def test_a_server_on_this_machine_is_always_asked(tmp_path: Path) -> None:
    for number in range(2):
        async with NamedServer() as server:
            await asked(server, tmp_path / str(number), limit=6 - number)
            assert server.requests == 6 - number


async def test_a_finished_run_of_another_server_is_not_shown_as_its_own(tmp_path: Path) -> None:
    for more, refused in (((), True), ((VOUCHED,), False)):  # who vouches says that it is the same
        folder = tmp_path / str(refused)
        async with NamedServer() as server:
            await asked(server, folder, *more)
            await asked(server, folder, *more)
        async with NamedServer() as other:
            if not refused:
                await asked(other, folder, *more)
                continue
            with pytest.raises(RunError, match=r"at another address \(url: ") as caught:
                await asked(other, folder, *more)
            assert server.url in str(caught.value)
            assert f"now {other.url}" in str(caught.value)
            assert "--new makes another run" in str(caught.value)
            assert other.requests == 0


async def test_a_server_that_one_vouches_for_is_asked_once_and_the_cache_is_told(tmp_path: Path) -> None:
    async with NamedServer() as server:
        await asked(server, tmp_path / "one", VOUCHED)
        results = await asked(server, tmp_path / "two", VOUCHED)
        assert server.requests == 7
        day = Run(tmp_path / "one").manifest.created[:10]
        assert found(results, "cached") == [
            {"kind": "cached", "who": "candidate", "counts": {day: 5}, "of": 6}
        ]
        assert next(sentences(results)) == (
            f"5 of 6 replies of the candidate came from the cache of {day}.",
            False,
        )
        assert Run(tmp_path / "two").manifest.roles["candidate"][0].identity["vouched"] == "amber-7b"


async def test_a_new_run_asks_anew_and_says_nothing_of_a_cache(tmp_path: Path) -> None:
    async with NamedServer() as server:
        await asked(server, tmp_path / "one", VOUCHED)
        results = await asked(server, tmp_path / "two", VOUCHED, reuse="none")
        assert (server.requests, results.findings) == (12, [])


@pytest.mark.parametrize(
    "other",
    [
        {"card": {"root": "ft/model-b"}},
        {"card": {"created": 1_600_000_000}},
        {"card": {"owned_by": "somebody"}},
        {"card": {"max_model_len": 512}},
        {"fingerprint": "fp_2"},
        {"models_said": ["loopback-v2"]},
    ],
    ids=str,
)
async def test_who_tells_other_facts_is_another(tmp_path: Path, other: dict[str, Any]) -> None:
    facts = {"root": "ft/model-a", "created": 1_500_000_000, "owned_by": "us", "max_model_len": 4096}
    async with NamedServer(card=facts, fingerprint="fp_1") as one:
        await asked(one, tmp_path / "one", VOUCHED)
        port = one.port
    card = {**facts, **other.pop("card", {})}
    async with NamedServer(**{"card": card, "fingerprint": "fp_1", "port": port, **other}) as two:
        results = await asked(two, tmp_path / "two", VOUCHED)
        assert (two.requests, results.calls["candidate"].cached) == (6, 0)


async def test_nothing_is_kept_once_two_models_answer_and_the_shares_are_told(tmp_path: Path) -> None:
    async with NamedServer(models_said=["big", "big", "small"]) as server:
        results = await asked(server, tmp_path / "one", VOUCHED)
        counts = {"big": 4, "small": 2}
        assert found(results, "models") == [{"kind": "models", "who": "candidate", "counts": counts, "of": 6}]
        assert next(sentences(results)) == (
            "Several models answered as the candidate: big 4 (67%), small 2 (33%).",
            True,
        )


async def test_a_run_that_goes_on_with_another_server_says_so(tmp_path: Path) -> None:
    async with NamedServer(card={"root": "a"}) as one:
        plan = plan_of({"candidate": "openai/loopback"}, cells(Few), options=[("", "base_url", one.url)])
        one.add_faults(["ok", "ok", "401", "401", "401", "401"])
        assert (await run(plan, tmp_path / "run")).exit_code == 1
        port = one.port
    async with NamedServer(card={"root": "b"}, port=port) as two:
        plan = plan_of({"candidate": "openai/loopback"}, cells(Few), options=[("", "base_url", two.url)])
        outcome = await run(plan, tmp_path / "run")
    assert outcome.results is not None
    assert found(outcome.results, "identity") == [
        {"kind": "identity", "who": "candidate", "counts": {"root: a, now b": 1}, "of": 1}
    ]


@pytest.mark.parametrize("finish", ["content_filter", "length"])
async def test_a_cell_whose_outputs_all_fail_alike_is_told(tmp_path: Path, finish: str) -> None:
    class Nine(Many):
        words = 9

    async with NamedServer(finish=finish) as server:
        plan = plan_of({"candidate": "openai/loopback"}, cells(Nine), options=[("", "base_url", server.url)])
        outcome = await run(plan, tmp_path / "run")
    assert outcome.results is not None
    (one,) = found(outcome.results, "alike")
    assert (one["counts"], one["of"]) == ({{"content_filter": "refused"}.get(finish, finish): 9}, 9)


async def test_cut_answers_that_score_differently_are_no_failure(tmp_path: Path) -> None:
    class Nine(Many):
        words = 9

    async with NamedServer(finish="length") as server:
        plan = plan_of({"candidate": "openai/loopback"}, cells(Nine), options=[("", "base_url", server.url)])
        texts = iter(["amber", "so", "lin", "amber", "amber", "amber", "amber", "amber", "amber"])
        server._answer = lambda _: ""

        async def turn(body: Any) -> Any:
            server.text = next(texts)
            return await server._named(body)

        server._routes["/v1/chat/completions"] = turn
        outcome = await run(plan, tmp_path / "run")
    assert outcome.results is not None
    assert found(outcome.results, "alike") == []


async def test_what_fails_for_good_can_be_settled_on_purpose_and_says_so(tmp_path: Path) -> None:
    async with NamedServer() as server:

        async def refuse(body: Any) -> Any:
            if "word3" in str(body["messages"]):
                return error_response(400, "Nein")
            return await server._named(body)

        server._routes["/v1/chat/completions"] = refuse
        plan = plan_of({"candidate": "openai/loopback"}, cells(Few), options=[("", "base_url", server.url)])
        assert (await run(plan, tmp_path / "run")).exit_code == 1
        outcome = await run(plan, tmp_path / "run", settle={"status-400": "refused"})
    assert outcome.exit_code == 0
    assert outcome.results is not None
    assert outcome.results.cells[0].finishes == {"refused": 1, "stop": 5}
    (one,) = found(outcome.results, "settled")
    assert one["counts"] == {"refused (status-400=refused)": 1}
    replies = [call.reply for call in Run(tmp_path / "run").journal.calls if call.reply.finish == "refused"]
    assert [reply.details for reply in replies] == [{"refusal": "Nein", "settled": "status-400=refused"}]


@pytest.mark.parametrize(
    "text",
    ["timeout=overflow", "connect=refused", "status-429=overflow", "status-401=refused", "quota=overflow",
     "status-503=refused", "status-400=stop", "status-400", "max-tokens=overflow", "setting=overflow"],
)  # fmt: skip
def test_a_failure_of_the_way_to_the_model_cannot_be_settled(text: str) -> None:
    kind, _, finish = text.partition("=")
    with pytest.raises(ConfigError, match="--settle"):
        settled([(kind, finish)])


async def test_a_comparison_says_that_another_model_answered(tmp_path: Path) -> None:
    for name in ("one", "two"):
        async with NamedServer(models_said=[f"amber-{name}"]) as server:
            await asked(server, tmp_path / name)
    a, b = (open_run(tmp_path / name) for name in ("one", "two"))
    matches, _ = match_cells(a, b)
    (difference,) = [one for one in differences(a, b, matches) if one.what.startswith("who answered")]
    assert (difference.first, difference.second, difference.weight) == (
        "amber-one 100%",
        "amber-two 100%",
        "warn",
    )


async def test_a_judge_whose_replies_mostly_fail_alike_is_told_with_its_option(tmp_path: Path) -> None:
    async with NamedServer() as server, NamedServer(finish="length") as judge:
        plan = plan_of(
            {"candidate": "openai/loopback", "judge": "openai/loopback"},
            options=[("", "base_url", server.url), ("judge", "base_url", judge.url)],
        )
        outcome = await run(plan, tmp_path / "run")
    assert outcome.results is not None
    (one,) = found(outcome.results, "judged")
    assert (one["who"], one["counts"], one["of"]) == ("judge", {"length": 12}, 12)
    assert markdown_report(tmp_path / "run").count("-o judge.max_tokens=") == 1


async def test_counts_of_tokens_that_cannot_be_are_told(tmp_path: Path) -> None:
    async with NamedServer(new=10**6) as server:
        results = await asked(server, tmp_path / "run")
    assert found(results, "counts") == [
        {
            "kind": "counts",
            "who": "candidate",
            "counts": {"completion_tokens 1000000, where 50 were allowed": 6},
            "of": 6,
        }
    ]
    assert any("hold its bill" in text and bad for text, bad in sentences(results))
    assert "none reported that can be counted" in markdown_report(tmp_path / "run")


async def test_most_scores_without_a_value_for_one_reason_are_told(tmp_path: Path) -> None:
    async with NamedServer() as server, NamedServer("cannot tell") as judge:
        plan = plan_of(
            {"candidate": "openai/loopback", "judge": "openai/loopback"},
            options=[("", "base_url", server.url), ("judge", "base_url", judge.url)],
        )
        outcome = await run(plan, tmp_path / "run")
    assert outcome.results is not None
    (one,) = found(outcome.results, "unscored")
    assert (one["counts"], one["of"]) == ({"said: unparsed": 12}, 12)


def test_a_key_in_an_address_is_no_other_fact_and_is_told_to_nobody() -> None:
    remember("cAnArY-in-a-path-1")
    recorded, now = {"url": "https://host/***/v1"}, {"url": "https://host/cAnArY-in-a-path-1/v1"}
    assert list(other_facts(recorded, now)) == []
    assert list(other_facts({"url": "https://other/v1"}, now)) == [
        "url: https://other/v1, now https://host/***/v1"
    ]
