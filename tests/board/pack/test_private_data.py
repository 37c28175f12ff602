"""Secrets, and what names this machine: found in all that would be packed, and refused."""

import json
from pathlib import Path

import pytest

from suite.board.pack import private_data
from suite.board.pack.private_data import Machine
from suite.board.pack.wish import Wish, make
from suite.errors import ConfigError
from suite.journal.records import encode
from tests.board.making import FLAGS, edit_json
from tests.board.submitting import refusal

TOKEN = "hf_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbC"  # no token of anybody


NOBODY = Machine()
ME = Machine("/home/maria", "lab-node-17", (("MY_API_KEY", "correct-horse-battery"),))


def secrets_in(text: str, machine: Machine = NOBODY) -> list[str]:
    return [what for what, _ in private_data.in_bytes(json.dumps({"text": text}).encode(), machine)]


@pytest.mark.parametrize(
    "token",
    [
        "sk-" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdE5fG7h",
        "sk-proj-" + "aB3dE5gH7jK9mN1pQ2rS_4tU6vW8xY0-zAbCdE5fG7h",
        TOKEN,
        "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdE",
        "github_pat_" + "aB3dE5gH7jK9mN1pQ2rS4t_" + "U6vW8xY0zAbCdEaB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdE",
        "AKIA" + "Z7QF3K2M9X4B6C8D",
        "AIza" + "SyD9fG7hJ2kL4mN6pQ8rS0tU1vW3xY5zA7b",
        "xoxb-" + "917463820155-820164739915-aB3dE5gH7jK9",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6" + ".eyJzdWIiOiI5MDM3MTUyOCJ9." + "dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1",
        "Authorization: Bearer " + "q8W2e7R4t1Y9u3I6o5P0a8S2",
        '"Authorization": "Bearer ' + 'q8W2e7R4t1Y9u3I6o5P0a8S2"',
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAq8W2e7R4t1Y9u3I6o5P0a8S2d4F6g8H0",
    ],
)
@pytest.mark.parametrize("around", ["{}", "see {} there", "line\n{}\nline", "key={}", "'{}'"])
def test_real_token_shapes_are_found(token: str, around: str) -> None:
    assert secrets_in(around.format(token))


@pytest.mark.parametrize(
    "text",
    [
        "put your key sk-... here",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-your-api-key-goes-in-this-place-please-now",
        "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "risk-management-of-the-ask-department-2024-and-after",
        "basic understanding of bearer bonds",
        "Authorization: Bearer <token>",
        "Authorization: Bearer YOUR_API_KEY_GOES_HERE",
        "open /home/user/file.txt or /root/.bashrc",
        "cd ~/projects",
        "C:\\Users\\me",
        "-----BEGIN PRIVATE KEY-----\n...",
        "sklearn.model_selection",
        "sha256:" + "a1" * 32,
        "mask-" + "abcdefghijklmnopqrstuvwxyz0123456789",
    ],
)
def test_what_models_may_well_write_is_let_be(text: str) -> None:
    assert secrets_in(text, ME) == []


def test_this_machine_is_found_anywhere() -> None:
    assert secrets_in("saved to /home/maria/x", ME) == ["this user's home folder"]
    assert secrets_in("ran on lab-node-17.", ME) == ["this machine's host name"]
    assert secrets_in("key correct-horse-battery!", ME) == [
        "the value of the environment variable MY_API_KEY"
    ]
    assert secrets_in("/home/mariana/x and lab-node-170", ME) == []


def test_common_homes_and_hosts_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for home, host, expected in (
        ("/root", "localhost", ("", "")),
        ("/home/ubuntu", "laptop", ("", "")),
        ("/home/maria", "lab-node-17", ("/home/maria", "lab-node-17")),
    ):
        monkeypatch.setenv("HOME", home)
        monkeypatch.setattr("socket.gethostname", lambda host=host: host)
        monkeypatch.setenv("EXAMPLE_API_KEY", "correct-horse-battery")
        machine = Machine.this()
        assert (machine.home, machine.host) == expected
        assert ("EXAMPLE_API_KEY", "correct-horse-battery") in machine.values


def test_token_in_a_reply_is_refused_naming_file_and_record(tmp_path: Path) -> None:
    import small_tasks

    from suite.chat import Reply

    plan = small_tasks.plan_of({"candidate": "scripted/echo"})
    small_tasks.scripted(
        lambda request, asking: Reply(f"use {TOKEN}" if "word7" in str(request) else "e"), plan
    )
    import asyncio

    asyncio.run(small_tasks.run(plan, tmp_path / "leaky"))
    text = refusal(tmp_path / "leaky", *FLAGS, "-O", tmp_path / "x.suite.zip")
    assert "a Hugging Face token stands in leaky/calls.jsonl line" in text
    assert " (group w7): revoke it" in text
    assert TOKEN not in text
    assert not (tmp_path / "x.suite.zip").exists()


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("note", "data in /home/someone/data", "a path of this machine"),
        ("note", "C:\\data\\x", "a path of this machine"),
        ("note", "/mnt/models/x", "a path of this machine"),
        ("note", "http://me:secret@host/v1", "a login in a URL"),
        ("note", f"token {TOKEN}", "a Hugging Face token"),
    ],
)
def test_documents_are_held_to_more(field: str, value: str, what: str, run: Path, tmp_path: Path) -> None:
    edit_json(run / "manifest.json", lambda found: found["cells"][0].update({field: value}))
    assert f"{what} stands in good-run/manifest.json" in refusal(run, *FLAGS, "-O", tmp_path / "x.suite.zip")


def test_readme_and_declarations_are_looked_through(run: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"# Hello\n\nlogged in with {TOKEN}\n")
    text = refusal(run, *FLAGS, "--readme", tmp_path / "README.md", "--contact", "/home/someone/mail")
    assert "a Hugging Face token stands in README.md line 3: take it out" in text
    assert "a path of this machine stands in the declarations (/home/someone/mail): take it out" in text
    (tmp_path / "README.md").write_bytes(b"x" * 70_000)
    with pytest.raises(ConfigError, match="over 65536 bytes"):
        make(Wish([str(run)], readme=tmp_path / "README.md"))


def test_scrubbing_long_journals(tmp_path: Path) -> None:
    """Over several pieces: the right line, whatever the length of lines."""
    from suite.journal.records import AttemptRecord

    lines = [encode(AttemptRecord(1.0, "x" * (n % 7000))) for n in range(1500)]
    lines[1234] = encode(AttemptRecord(1.0, TOKEN, sample="s1234"))
    (tmp_path / "x.jsonl").write_bytes(b"".join(lines))
    found = list(private_data.in_journal(tmp_path / "x.jsonl", "x", NOBODY))
    assert [(one.line, one.record) for one in found] == [(1235, "sample s1234")]
