"""How long an endpoint asks to wait, in all the notations that are about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.models.faults import retry_after

NOW = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "abc"}, None),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "4s"}, 4.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "99999999"}, 99999999.0),
        ({"retry-after": "Fri, 15 Jan 2027 08:02:00 GMT"}, 120.0),
        ({"retry-after": "Thu, 14 Jan 2027 08:02:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 15 Jan 99999 08:02:00 GMT"}, None),
        ({"retry-after": "abc", "x-ratelimit-reset": "12"}, 12.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"x-ratelimit-reset": "1800000030000"}, 30.0),
        ({"x-ratelimit-reset": "1800000030"}, 30.0),
        ({"ratelimit-reset": "12"}, 12.0),
        ({"anthropic-ratelimit-requests-reset": "2027-01-15T08:01:00Z"}, 60.0),
        (
            {
                "x-ratelimit-reset-requests": "6m0s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "9h",
                "x-ratelimit-remaining-tokens": "5",
            },
            360.0,
        ),
    ],
)
def test_a_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, lambda: NOW, limited=True) == seconds


def test_a_reset_counts_only_where_a_rate_is_used_up() -> None:
    assert retry_after({"x-ratelimit-reset": "12"}, lambda: NOW) is None


@given(st.text("0123456789.-+eE:, smhdnaifJGMT", max_size=20))
def test_any_text_is_a_wait_of_no_less_than_nothing_or_none(text: str) -> None:
    found = retry_after({"retry-after": text, "x-ratelimit-reset": text}, lambda: NOW, limited=True)
    assert found is None or 0.0 <= found < float("inf")
