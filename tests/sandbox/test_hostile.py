"""Every hostile program does no harm and is reported as what it is, for root and for an ordinary user."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hostile_programs import BRIEF, HOSTILE, SMALL

PROGRAMS = {one.name: one for one in HOSTILE}
SECRET = "a-secret-nobody-inside-may-see"


def test_there_are_at_least_forty() -> None:
    assert len(PROGRAMS) == len(HOSTILE) >= 40


@pytest.mark.parametrize("name", PROGRAMS)
def test_harmless(name: str, outcomes: dict[str, Any]) -> None:
    expected, found = PROGRAMS[name], outcomes[name]
    assert "HARM" not in found["out"], found
    assert SECRET not in found["out"] + found["err"]
    assert found["ended"] in expected.ended.split("|"), found
    assert found["out"].count("refused") >= expected.refusals, found
    if expected.refusals:
        assert found["code"] == 0, found  # it came to its end, so every attempt was made
    if expected.ended != "exited":
        assert found["ended"] in found["hits"]


def test_the_process_limit_holds(outcomes: dict[str, Any]) -> None:
    children = int(outcomes["fork bomb"]["err"].split()[0])
    assert children <= SMALL.processes


def test_output_is_cut_at_its_limit(outcomes: dict[str, Any]) -> None:
    assert outcomes["endless output"]["code"] is None
    assert set(outcomes["endless output"]["out"]) == {"x"}


def test_processor_time_is_summed_over_processes(outcomes: dict[str, Any]) -> None:
    """Each of the six uses half of what they may use together."""
    found = outcomes["many burn processor time"]
    assert found["ended"] == "cpu"
    assert found["cpu"] > BRIEF.cpu_s


def test_daemons_are_counted_and_killed(outcomes: dict[str, Any]) -> None:
    assert outcomes["a daemon"]["leftovers"] == 1


def test_death_by_signal_is_told(outcomes: dict[str, Any]) -> None:
    assert outcomes["a suicide"]["signal"] == 9
    assert outcomes["a suicide"]["code"] is None


def test_only_plain_small_files_come_back(outcomes: dict[str, Any]) -> None:
    assert outcomes["a link as output"]["files"] == {"good": 1}


def test_a_pickle_is_only_bytes(outcomes: dict[str, Any]) -> None:
    assert list(outcomes["a pickle bomb"]["files"]) == ["bomb"]


def test_the_environment_is_clean(outcomes: dict[str, Any]) -> None:
    assert "PATH" in outcomes["keys in the environment"]["out"]
    assert "OPENAI_API_KEY" not in outcomes["keys in the environment"]["out"]
