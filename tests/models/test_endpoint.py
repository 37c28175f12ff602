"""Whether a model at an address can be told from another, and what its server tells of it."""

from typing import Any

import pytest

from suite.models.endpoint import identified, told


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/v1", "https://localhost/v1", "https://127.1/v1", "https://0x7f000001/v1",
     "https://2130706433/v1", "https://[::1]:8000/v1", "https://[::ffff:127.0.0.1]/v1", "https://[fe80::1%25eth0]/v1",
     "https://10.1.2.3/v1", "https://192.168.1.4/v1", "https://172.17.0.2/v1", "https://169.254.1.1/v1",
     "https://100.64.0.7/v1", "https://8.8.8.8/v1", "https://vllm/v1", "https://gpu.local/v1", "https://gpu.local./v1",
     "https://host.docker.internal/v1", "https://llm.svc.cluster.local/v1", "https://box.ts.net/v1",
     "https://abc.trycloudflare.com/v1", "https://id-8000.proxy.runpod.net/v1", "https://127.0.0.1.nip.io/v1",
     "http://api.openai.com/v1", "https://GPU.LAN/v1"],
)  # fmt: skip
def test_a_server_that_may_hold_other_weights_tomorrow_is_not_identified(url: str) -> None:
    assert not identified(url)


def test_a_hosted_service_is_identified_by_its_looks_where_nothing_resolves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere(*_: object, **__: object) -> list[object]:
        raise OSError("no network")

    monkeypatch.setattr("socket.getaddrinfo", nowhere)
    assert identified("https://api.openai.com/v1")


def test_a_name_that_leads_to_a_private_address_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 0)), (2, 1, 6, "", ("10.0.0.4", 0))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    assert not identified("https://llm.company.com/v1")


NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("card", "facts"),
    [
        ({"id": "m", "root": "Qwen/Qwen3-8B", "owned_by": "us"}, {"root": "Qwen/Qwen3-8B", "owned_by": "us"}),
        ({"id": "m", "created": 1_600_000_000}, {"created": 1_600_000_000}),
        ({"id": "m", "created": NOW - 3}, {}),  # the time of the question
        ({"id": "m", "created": NOW - 90_000, "owned_by": "vllm"}, {"owned_by": "vllm"}),
        ({"id": "m", "root": "/models/a/final"}, {"root": "final #62db86e2"}),
        ({"id": "m", "created": float("inf"), "max_model_len": float("nan"), "root": None}, {}),
        ({"id": "m", "meta": {"n_params": 5, "size": 9, "x": [1]}}, {"meta": {"n_params": 5, "size": 9}}),
    ],
)  # fmt: skip
def test_what_is_told_is_what_stays_and_no_path(card: dict[str, Any], facts: dict[str, object]) -> None:
    assert told(card, now=NOW) == facts


def test_two_folders_of_one_name_are_told_apart() -> None:
    assert told({"root": "/runs/a/final"})["root"] != told({"root": "/runs/b/final"})["root"]
