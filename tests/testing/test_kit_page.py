"""docs/plugin-kit.md says what is so: every check, the contract's version, the message about another one."""

import re
from pathlib import Path

from suite.hookspecs import CONTRACT, Entry
from suite.plugins import Plugin, contract_note
from suite.testing.conformance import CHECKS

PAGE = (Path(__file__).resolve().parents[2] / "docs/plugin-kit.md").read_text("utf-8")


def test_every_check_is_listed() -> None:
    table = PAGE.partition("| check |")[2].partition("\n\n")[0]
    first = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert re.findall(r"`([a-z-]+)`", " ".join(first)) == list(CHECKS)


def test_the_message_about_another_contract_is_the_one_shown() -> None:
    entry = Entry("task", "quiet/room", "T", "quiet:Room", contract=2)
    assert f"error: {contract_note(entry, Plugin('quiet', 'quiet', '1.0'))}\n" in PAGE
    assert f"this suite speaks {CONTRACT}. What" in PAGE
