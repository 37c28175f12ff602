"""The exporters keep the contract: they load, and their options are flags of the command."""

import json

import pytest

import suite


def test_all_exporters_keep_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.run_command("plugin", "check", "suite-exports", "--json") == 0
    assert json.loads(capsys.readouterr().out)["exporters"] == {
        "eee": [],
        "eval-yaml": [],
        "hub": [],
        "lm-eval": [],
    }
