"""`suite submit pack`: refuses with the whole list, scrubs, and makes the same bytes each time."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from suite.board import declared_fields, declaring, scrubbing
from suite.board.limits import Limits
from suite.board.pack import Wish, make
from suite.board.refusing import reasons
from suite.board.scrubbing import Machine
from suite.cli.main import cli
from suite.compare.loading import open_runs
from suite.errors import BundleError, ConfigError, SuiteError
from suite.journal.records import encode
from tests.board import making
from tests.board.making import FLAGS, codes, edit_json, look

TOKEN = "hf_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbC"  # no token of anybody


@pytest.fixture
def run(good_run: Path, tmp_path: Path) -> Path:
    """A run folder of your own to change."""
    return Path(shutil.copytree(good_run, tmp_path / "good-run"))


def pack(*arguments: Any) -> Any:
    return CliRunner().invoke(cli, ["submit", "pack", *map(str, arguments)], standalone_mode=False)


def refusal(*arguments: Any) -> str:
    done = pack(*arguments)
    assert isinstance(done.exception, SuiteError), done.output
    return str(done.exception)


def test_pack_an_archive(run: Path, tmp_path: Path) -> None:
    done = pack(run, *FLAGS, "-o", tmp_path / "x.suite.zip")
    assert done.exception is None
    opened, findings = look(tmp_path / "x.suite.zip")
    assert not findings
    assert f"bundle {opened.id}" in done.output
    assert f"next: suite submit verify {tmp_path / 'x.suite.zip'}" in done.output
    assert "2 cells of words/spell" in done.output
    submission = opened.submission
    assert submission["model"]["identity"]["name"] == "answer"
    assert submission["suite_version"]
    assert submission["board"] is None
    attempts = [json.loads(line) for line in (run / "attempts.jsonl").read_text().splitlines()]
    ended = declaring.ended(open_runs([str(run)]))
    assert submission["created"] == ended
    assert ended.endswith("Z") and len(attempts) >= 2
    for entry in submission["runs"]:
        results = json.loads(next((run / "scorings").glob("*/results.json")).read_text())
        for cell, shown in zip(results["cells"], entry["cells"], strict=True):
            headline = next(one for one in cell["metrics"] if one["headline"])
            assert shown["headline"]["value"] == headline["value"]
            assert shown["headline"]["n"] == headline["n"]


def test_same_runs_and_declarations_make_the_same_bytes(run: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert pack(run, *FLAGS, "-o", tmp_path / f"{name}.suite.zip").exception is None
    assert (tmp_path / "a.suite.zip").read_bytes() == (tmp_path / "b.suite.zip").read_bytes()
    moved = shutil.copytree(run, tmp_path / "elsewhere" / "good-run")
    pack(moved, *FLAGS, "-o", tmp_path / "c.suite.zip")
    assert (tmp_path / "a.suite.zip").read_bytes() == (tmp_path / "c.suite.zip").read_bytes()
    pack(run, *FLAGS, "--created", "2026-01-01T00:00:00Z", "-o", tmp_path / "d.suite.zip")
    assert look(tmp_path / "d.suite.zip")[0].id != look(tmp_path / "a.suite.zip")[0].id


def test_folder_and_archive_are_one_bundle(run: Path, tmp_path: Path) -> None:
    pack(run, *FLAGS, "-o", tmp_path / "a.suite.zip")
    done = pack(run, *FLAGS, "--folder", "-o", tmp_path / "folder")
    assert "wrote" in done.output
    assert look(tmp_path / "folder")[0].id == look(tmp_path / "a.suite.zip")[0].id
    assert "stands there already" in refusal(run, *FLAGS, "--folder", "-o", tmp_path / "folder")
    assert pack(run, *FLAGS, "--folder", "--force", "-o", tmp_path / "folder").exception is None
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("x")
    assert "is not replaced" in refusal(run, *FLAGS, "--folder", "--force", "-o", other)
    assert (other / "thesis.txt").exists()


def test_nothing_is_left_when_it_fails(run: Path, tmp_path: Path) -> None:
    journal = run / "outputs.jsonl"
    data = bytearray(journal.read_bytes())
    data[200] ^= 1
    journal.write_bytes(data)
    before = sorted(tmp_path.iterdir())
    text = refusal(run, *FLAGS, "-o", tmp_path / "x.suite.zip")
    assert "changed or damaged" in text
    assert "R2.line-checksum" in text or "R1" in text
    assert sorted(tmp_path.iterdir()) == before


def test_everything_missing_is_listed_at_once(run: Path, tmp_path: Path) -> None:
    edit_json(run / "manifest.json", lambda found: found.update(limit=3, imported=True, shard=[0, 2]))
    results = next((run / "scorings").glob("*/results.json"))
    edit_json(results, lambda found: found.update(pending=2, complete=False))
    text = refusal(run, "-o", tmp_path / "nowhere" / "x.suite.zip")
    for part in (
        "was imported",
        "took 3 groups only",
        "one shard",
        "2 samples are pending",
        "submitter.name is not declared",
        "model.organization is not declared",
        "terms.traces_licence is not declared",
        "there is no folder",
        "nothing was written",
    ):
        assert part in text


def test_run_that_is_not_scored(run: Path) -> None:
    next((run / "scorings").glob("*/results.json")).unlink()
    assert "is not finished" in refusal(run, *FLAGS)
    shutil.rmtree(run / "scorings")
    assert "has not been scored" in refusal(run, *FLAGS)


def other_revision(manifest: dict[str, Any]) -> None:
    manifest["roles"]["candidate"][0]["identity"]["revision"] = "x"


def test_runs_of_different_candidates_and_cells_twice(run: Path, tmp_path: Path) -> None:
    twin = Path(shutil.copytree(run, tmp_path / "twin"))
    edit_json(
        twin / "manifest.json", lambda found: found["roles"]["candidate"][0]["identity"].update(revision="x")
    )
    found = reasons(open_runs([str(run), str(twin)]), None)
    assert any("different candidates (one name, but another revision" in one for one in found)
    assert sum("choose one" in one for one in found) == 2
    assert "given twice" in refusal(run, run, *FLAGS)


def test_two_runs_in_one_bundle(run: Path, tmp_path: Path) -> None:
    other = making.make_run(tmp_path / "other", parameters=({"turns": 2},))
    done = pack(run, other, *FLAGS, "-o", tmp_path / "two.suite.zip")
    assert done.exception is None
    opened, findings = look(tmp_path / "two.suite.zip")
    assert not findings
    assert [one.sound for one in opened.runs] == [True, True]
    again = pack(other, run, *FLAGS, "-o", tmp_path / "again.suite.zip")
    assert again.exception is None
    assert (tmp_path / "two.suite.zip").read_bytes() == (tmp_path / "again.suite.zip").read_bytes()


def test_cells_missing_for_a_board(run: Path) -> None:
    text = refusal(run, *FLAGS, "--board", "mini")
    assert "board mini asks for prefeval/classification: cell" in text
    assert "is missing" in text
    assert "no board named 'minni'" in refusal(run, *FLAGS, "--board", "minni")


def test_bundle_too_big_for_its_board(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from suite.board import pack as packer

    monkeypatch.setattr(packer, "Limits", lambda: Limits(archive=5000))
    before = sorted(tmp_path.iterdir())
    assert "takes at most" in refusal(run, *FLAGS, "-o", tmp_path / "x.suite.zip")
    assert sorted(tmp_path.iterdir()) == before


# --- declarations


def test_declarations_from_a_file(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["submit", "declare", str(run)], standalone_mode=False)
    text = done.output
    for field, value in {
        "organization": "Example", "name": "A. Tester", "relationship": "third_party", "rule": "first",
        "complete_runs": "2", "references_access": "no", "traces_licence": "CC0-1.0", "licence": "Apache-2.0",
        "release_date": "2026-01-31", "parameters_total": "1000",
    }.items():  # fmt: skip
        text = text.replace(f"  {field}:  #", f"  {field}: {value}  #", 1)
    (tmp_path / "declare.yaml").write_text(text)
    done = pack(
        run,
        "--declare",
        tmp_path / "declare.yaml",
        "-o",
        tmp_path / "x.suite.zip",
        "--contact",
        "a@b.example",
    )
    assert done.exception is None, done.exception
    submission = look(tmp_path / "x.suite.zip")[0].submission
    assert submission["model"]["licence"] == "Apache-2.0"
    assert submission["model"]["release_date"] == "2026-01-31"
    assert submission["disclosure"]["selection"] == {"complete_runs": 2, "rule": "first"}
    assert submission["submitter"]["contact"] == "a@b.example"


def test_declarations_in_toml(run: Path, tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text(
        'submission_type = "custom"\n[model]\norganization = "E"\nrelease_date = 2026-01-31\n'
        '[submitter]\nname = "N"\nrelationship = "other"\n'
        '[disclosure]\nreferences_access = "no"\nselection = {rule = "best", complete_runs = 3}\n'
        'changes = [{what = "prompt", why = "ours is better"}]\n[terms]\ntraces_licence = "CC0-1.0"\n'
    )
    assert pack(run, "--declare", tmp_path / "d.toml", "-o", tmp_path / "x.suite.zip").exception is None
    assert look(tmp_path / "x.suite.zip")[0].submission["submission_type"] == "custom"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle: {}\n", "no declaration named 'modle'"),
        ("model: {colour: red}\n", "model: holds a field that the format does not have"),
        ("model: {licence: a, licence: b}\n", "cannot be read"),
        ("submission_type: custom\n", "declares its changes"),
        ("disclosure: {selection: {rule: luck}}\n", "disclosure.selection.rule: must have enum"),
        ("- a\n", "holds no declarations"),
        ("model: {url: 'javascript:alert(1)'}\n", "model.url"),
        ("model: {parameters_total: 0}\n", "model.parameters_total"),
    ],
)
def test_declarations_that_are_wrong(text: str, message: str, run: Path, tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(text)
    flags = [flag for flag in FLAGS if "rule" not in text or flag not in ("--selection-rule", "only_run")]
    assert message in refusal(run, *flags, "--declare", tmp_path / "d.yaml", "-o", tmp_path / "x.suite.zip")


def test_flags_are_fields_of_the_format() -> None:
    from suite.board.submission import schema_errors

    declared: dict[str, Any] = {}
    for field, _ in declared_fields.FLAGS.values():
        declared_fields.put(declared, field, None)
    wrong = [
        field for field, what, _ in schema_errors("submission.v1.json", declared) if "does not have" in what
    ]
    assert not wrong


def recorded(provider: str, name: str, **more: Any) -> dict[str, Any]:
    return {"spec": f"{provider}/{name}", "identity": {"provider": provider, "name": name, **more}}


def identity(kind: str, name: str, revision: Any = None, weights: Any = None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "revision": revision, "weights_sha256": weights}


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (recorded("vllm", "Org/Model-7B", revision="a" * 40), identity("hub", "Org/Model-7B", "a" * 40)),
        (recorded("vllm", "my-model", revision=None), identity("local", "my-model")),
        (recorded("embedded", "small", revision="b" * 64), identity("local", "small", None, "b" * 64)),
        (recorded("openai", "gpt-x", url="https://api.example"), identity("endpoint", "gpt-x")),
    ],
)
def test_identity_is_filled_in(member: dict[str, Any], expected: dict[str, Any]) -> None:
    assert declaring._identity(member) == expected


# --- secrets

NOBODY = Machine()
ME = Machine("/home/maria", "lab-node-17", (("MY_API_KEY", "correct-horse-battery"),))


def secrets_in(text: str, machine: Machine = NOBODY) -> list[str]:
    return [what for what, _ in scrubbing.in_bytes(json.dumps({"text": text}).encode(), machine)]


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
    from suite.chat import Reply
    from tests.servers import small_tasks

    plan = small_tasks.plan_of({"candidate": "scripted/echo"})
    small_tasks.scripted(
        lambda request, asking: Reply(f"use {TOKEN}" if "word7" in str(request) else "e"), plan
    )
    import asyncio

    asyncio.run(small_tasks.run(plan, tmp_path / "leaky"))
    text = refusal(tmp_path / "leaky", *FLAGS, "-o", tmp_path / "x.suite.zip")
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
    assert f"{what} stands in good-run/manifest.json" in refusal(run, *FLAGS, "-o", tmp_path / "x.suite.zip")


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
    found = list(scrubbing.in_journal(tmp_path / "x.jsonl", "x", NOBODY))
    assert [(one.line, one.record) for one in found] == [(1235, "sample s1234")]


def test_help_has_no_way_round() -> None:
    done = CliRunner().invoke(cli, ["submit", "pack", "--help"], standalone_mode=False)
    assert "--allow-secrets" not in done.output
    assert "suite submit pack runs/mine" in done.output


def test_bundle_error_names_the_place(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot write"):
        from suite.board import packing

        packing.write_archive(making.stage(tmp_path / "b", run), tmp_path / "no" / "x.zip")
    assert codes(tmp_path / "b") == set()
