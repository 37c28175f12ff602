"""Prices: which row counts, what is refused, what calls cost."""

from pathlib import Path
from typing import Any

import pytest

from suite.chat import Usage
from suite.errors import ConfigError
from suite.journal.documents import CallTotals, RoleMember
from suite.models.prices import (
    FREE,
    Cost,
    Rates,
    TokenPrice,
    costs,
    own_prices,
    price_wanted,
    prices_of,
    rates_of,
    shown_costs,
    shown_usd,
)

HOSTED = {"provider": "openai", "name": "gpt-4.1-mini", "url": "https://api.openai.com/v1"}


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"url": "http://localhost:8000/v1"}, False),  # who serves it there is not known
        ({"url": "https://eu.api.openai.com/v1"}, False),
        ({"name": "gpt-4.1-mini-audio"}, False),
        ({"options": {"extra_body": {"service_tier": "priority"}}}, False),
        ({"options": {"extra_body": {"seed": 1}}}, True),
    ],
)
def test_a_listed_price_is_of_one_service_model_and_tier(change: dict[str, Any], known: bool) -> None:
    assert (rates_of({**HOSTED, **change}) is not None) == known


def test_a_users_own_price_wins_also_over_nothing_for_a_local_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    local = {"provider": "vllm", "name": "Qwen/Qwen3-8B"}
    assert rates_of(local) == FREE
    (tmp_path / "suite.toml").write_text(
        "[[prices]]\nmodel = 'gpt.*'\ninput = 7\noutput = 8\n"
        "[[prices]]\nprovider = 'vllm'\nmodel = '.*'\ninput = 1\noutput = 1\n"
    )
    assert rates_of(HOSTED) == Rates(7_000_000, 7_000_000, 8_000_000)
    assert rates_of(local) == Rates(10**6, 10**6, 10**6)
    assert rates_of({**HOSTED, "replayed_from": "a-run"}) == FREE


def test_a_plugins_rows_come_before_the_suites(tmp_path: Path) -> None:
    text = "prices:\n  - {host: h, model: m, input: 1, output: 2, date: '2026-01-01', source: 'https://x'}\n"
    (tmp_path / "prices.yaml").write_text(text)
    assert prices_of((tmp_path,))[0].model == "m"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{model: m, input: 1, output: 2}", "prices.0"),  # no host, date, source
        ("{host: '(', model: m, input: 1, output: 2, date: '2026-01-01', source: 'https://x'}", "host"),
        ("{host: h, model: m, input: -1, output: 2, date: '2026-01-01', source: 'https://x'}", "input"),
        ("{host: h, model: m, input: 1, output: 2, date: soon, source: 'https://x'}", "date"),
    ],
)
def test_a_bad_row_of_a_registry_is_named_by_file_and_field(tmp_path: Path, row: str, says: str) -> None:
    (tmp_path / "prices.yaml").write_text(f"prices:\n  - {row}\n")
    with pytest.raises(ConfigError) as caught:
        prices_of((tmp_path,))
    assert says in str(caught.value)
    assert "prices.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[prices]\nmodel = 'x'", "[[prices]]"),
        ("[[prices]]\nmodel = 'x'\ninput = 1", "output"),
        ("[[prices]]\nmodel = 'x'\ninput = '1'\noutput = 2", "input"),
        ("[[prices]]\nmodel = '('\ninput = 1\noutput = 2", "pattern"),
        ("[[prices]]\nmodel = 'x'\ninput = nan\noutput = 2", "number 1"),
        ("[[prices]]\nmodel = 'x'\ninput = 1\noutput = 2\ncurrency = 'eur'", "currency"),
        ("[[prices]]\nmodel = 'x'\ninput = 1\noutput = 2\nprice = 2", "no field 'price'"),
        ("[[prices]]\nmodel = 'x'\ninput = 1\noutput = 2\nprovder = 'x'", "did you mean 'provider'?"),
        ("[[prices]]\nmodel = 'x'\ninput = 1\noutput = 2\ncached = 1.5", "cached: 1.5 is more than input, 1"),
    ],
)
def test_a_bad_price_of_the_users_own_is_named_by_file_and_field(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "suite.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        own_prices(tmp_path)
    assert says in str(caught.value)
    assert "suite.toml" in str(caught.value)
    assert "Value error" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("provider = 'opnai'\nmodel = 'm'", "its provider is 'opnai', the model's is 'openai'"),
        ("model = 'openai/m'", "its model is 'openai/m', the model's is 'm'"),
        ("model = 'm'\nhost = '127.0.0.1:80'", "its host is '127.0.0.1:80', the model's is '127.0.0.1'"),
        ("model = 'other'", "add a price to suite.toml"),
    ],
)
def test_a_row_that_nearly_fits_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite.toml").write_text(f"[[prices]]\ninput = 1\noutput = 2\n{row}\n")
    own: dict[str, Any] = {"provider": "openai", "name": "m", "url": "http://127.0.0.1:80/v1"}
    assert rates_of(own) is None
    assert says in price_wanted("openai/m", own)
    tier: dict[str, Any] = {**HOSTED, "options": {"extra_body": {"service_tier": "flex"}}}
    assert "not for service_tier: add a price" in price_wanted(f"openai/{HOSTED['name']}", tier)


def test_own_prices_are_those_of_the_nearest_settings(tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(
        "[[prices]]\nmodel = 'mine'\ninput = 0.5\noutput = 2\ndate = 2026-11-01\n"
    )
    (tmp_path / "below").mkdir()
    (own,) = own_prices(tmp_path / "below")
    assert str(own.date) == "2026-11-01"


def test_a_call_costs_its_fresh_its_cached_and_its_new_tokens() -> None:
    rates = TokenPrice(model="m", input=2, cached=0.5, output=8).rates
    usage = Usage(prompt=1000, completion=10, cached=400)
    assert rates.cost(usage) == 600 * 2_000_000 + 400 * 500_000 + 80_000_000


def test_replies_from_the_cache_cost_nothing_and_unknown_prices_are_named() -> None:
    def member(who: str, **identity: Any) -> RoleMember:
        return RoleMember(
            member=who,
            spec=f"x/{who}",
            stage="both",
            needs=[],
            capabilities=[],
            identity=identity,
            limits={},
            sampling={},
        )

    roles = {
        "candidate": [member("candidate", **HOSTED)],
        "judge": [member("judge", provider="openai", name="own", url="http://localhost/v1")],
        "user": [member("user", provider="vllm", name="Qwen/Qwen3-8B")],
    }
    calls = {
        "candidate": CallTotals(3, 1, 0, 3000, 300, 0, kept_prompt_tokens=1000, kept_completion_tokens=100),
        "judge": CallTotals(3, 0, 0, 10, 10, 0),
        "user": CallTotals(3, 0, 0, 10, 10, 0),
    }
    found = costs(roles, calls)
    assert found == {
        "candidate": Cost(0.00112, "", "2025-04-14"),
        "judge": Cost(None, "price unknown"),
        "user": Cost(0.0, local=True),
    }
    assert shown_costs(found) == "0.0011 usd (prices of 2025-04-14), judge: price unknown"
    assert shown_costs({"user": found["user"]}) == ""
    untold = costs(roles, {"candidate": CallTotals(3, 0, 0, 0, 0, 0)})
    assert untold["candidate"].usd is None


def test_what_calls_without_counts_may_have_cost_is_told() -> None:
    model = RoleMember(
        member="candidate", spec="x/y", stage="both", needs=[], capabilities=[], identity=HOSTED, limits={},
        sampling={},
    )  # fmt: skip
    calls = {"candidate": CallTotals(3, 0, 0, 1_000_000, 0, 0)}
    for counted, shown in ((calls, "0.40 usd (prices of 2025-04-14), up to 2.00 usd"), ({}, "0.00 usd")):
        found = costs({"candidate": [model]}, counted, {"candidate": Usage(0, 1_000_000)})
        assert shown_costs(found).startswith(shown)
        assert shown_costs(found).endswith("usd with calls that reported no tokens")
    assert "up to" not in shown_costs(costs({"candidate": [model]}, calls))


@pytest.mark.parametrize(
    ("usd", "shown"),
    [(0.0, "0.00 usd"), (12.345, "12.35 usd"), (0.0312, "0.03 usd"), (0.000312, "0.00031 usd")],
)
def test_small_amounts_keep_two_digits(usd: float, shown: str) -> None:
    assert shown_usd(usd) == shown
