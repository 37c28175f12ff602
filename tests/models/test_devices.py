"""Which GPUs are in sight, and how they are shared out among servers."""

from pathlib import Path

import pytest

from suite.errors import ConfigError, EngineError
from suite.models.devices import hidden, of_server, shares, visible

WHOLE = "GPU 0: NVIDIA H200 (UUID: GPU-aaaa-1)\nGPU 1: NVIDIA H200 (UUID: GPU-bbbb-2)\n"
CUT = (
    "GPU 0: NVIDIA H200 (UUID: GPU-aaaa-1)\n"
    "  MIG 3g.71gb     Device  0: (UUID: MIG-0001)\n"
    "  MIG 3g.71gb     Device  1: (UUID: MIG-0002)\n"
    "GPU 1: NVIDIA H200 (UUID: GPU-bbbb-2)\n"
)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("0,1", ("0", "1")),
        (" 3 , GPU-aaaa-1,MIG-0001", ("3", "GPU-aaaa-1", "MIG-0001")),
        ("", ()),
        ("-1", ()),
        ("2,-1,3", ("2",)),
        ("0,1,,3", ("0", "1")),
    ],
)
def test_the_environment_names_devices_as_cuda_reads_it(given: str, found: tuple[str, ...]) -> None:
    assert visible({"CUDA_VISIBLE_DEVICES": given}) == found


@pytest.mark.parametrize("given", ["0,0", "1, 0,01", "GPU-aaaa-1,GPU-aaaa-1", "GPU-aaaa-1,GPU-AAAA"])
def test_a_device_that_stands_twice_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="stands twice") as found:
        visible({"CUDA_VISIBLE_DEVICES": given})
    assert found.value.where == f"CUDA_VISIBLE_DEVICES={given}"


@pytest.mark.parametrize(
    ("lists", "found"),
    [(WHOLE, ("0", "1")), (CUT, ("MIG-0001", "MIG-0002", "GPU-bbbb-2")), ("No devices were found", None)],
)
def test_else_nvidia_smi_lists_them(
    lists: str, found: tuple[str, ...] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{lists}\nEND\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert visible({}) == found


def test_a_server_takes_the_product_of_its_parallel_sizes() -> None:
    assert of_server({}) == 1
    assert of_server({"tensor_parallel_size": 2, "pipeline_parallel_size": 3, "data_parallel_size": 2}) == 12
    assert of_server({"tensor_parallel_size": 8, "distributed_executor_backend": "ray"}) is None
    with pytest.raises(ConfigError, match="tensor_parallel_size=0"):
        of_server({"tensor_parallel_size": 0})


def test_shares_are_disjoint_and_neighbours_stay_together() -> None:
    assert shares(("0", "1", "2", "3", "4"), 2, 2, "vllm/x") == [("0", "1"), ("2", "3")]
    assert shares((), 3, 0, "vllm/x") == [(), (), ()]


def test_too_few_devices_are_an_error_with_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6")
    with pytest.raises(EngineError, match=r"vllm/x needs 2 × 2 = 4 GPUs, and 3 can be used here") as found:
        shares(visible() or (), 2, 2, "vllm/x")
    assert found.value.where == "CUDA_VISIBLE_DEVICES=4,5,6"


@pytest.mark.parametrize(
    ("given", "said"),
    [("0,1,,3", "up to entry 3, which is empty or negative: 2 devices"), ("0,1,", ""), ("-1", "")],
)
def test_devices_behind_an_entry_that_ends_the_list_are_said_to_be_hidden(
    given: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert hidden({"CUDA_VISIBLE_DEVICES": given}).endswith(said)
    assert bool(hidden({"CUDA_VISIBLE_DEVICES": given})) == bool(said)
    with pytest.raises(EngineError) as found:
        shares(visible(), 4, 1, "vllm/x")
    assert str(found.value.where).endswith(said or f"CUDA_VISIBLE_DEVICES={given}")
