"""`suite submit pack`: refuses with the whole list, and makes the same bytes each time."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from suite.board.bundle.bounds import SizeLimits
from suite.board.bundle.submission import Selection
from suite.board.pack import declarations
from suite.board.pack.wish import reasons
from suite.cli.main import cli
from suite.errors import BundleError
from suite.journal.documents import RoleMember
from suite.journal.run import open_run
from tests.board import making
from tests.board.making import FLAGS, codes, edit_json, look
from tests.board.submitting import pack, refusal


def test_pack_an_archive(run: Path, tmp_path: Path) -> None:
    done = pack(run, *FLAGS, "-O", tmp_path / "x.suite.zip")
    assert done.exception is None
    opened, findings = look(tmp_path / "x.suite.zip")
    assert not findings
    assert f"bundle {opened.id}" in done.output
    assert f"next: suite submit verify {tmp_path / 'x.suite.zip'}" in done.output
    assert "2 cells of words/spell" in done.output
    submission = opened.submission
    assert submission.model.identity.name == "answer"
    assert submission.suite_version
    assert submission.board is None
    attempts = [json.loads(line) for line in (run / "attempts.jsonl").read_text().splitlines()]
    ended = declarations.ended([open_run(run)])
    assert submission.created == ended
    assert ended.endswith("Z") and len(attempts) >= 2
    for entry in submission.runs:
        results = json.loads(next((run / "scorings").glob("*/results.json")).read_text())
        for cell, shown in zip(results["cells"], entry.cells, strict=True):
            headline = next(one for one in cell["metrics"] if one["headline"])
            assert shown.headline.value == headline["value"]
            assert shown.headline.n == headline["n"]


def test_same_runs_and_declarations_make_the_same_bytes(run: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert pack(run, *FLAGS, "-O", tmp_path / f"{name}.suite.zip").exception is None
    assert (tmp_path / "a.suite.zip").read_bytes() == (tmp_path / "b.suite.zip").read_bytes()
    moved = shutil.copytree(run, tmp_path / "elsewhere" / "good-run")
    pack(moved, *FLAGS, "-O", tmp_path / "c.suite.zip")
    assert (tmp_path / "a.suite.zip").read_bytes() == (tmp_path / "c.suite.zip").read_bytes()
    pack(run, *FLAGS, "--created", "2026-01-01T00:00:00Z", "-O", tmp_path / "d.suite.zip")
    assert look(tmp_path / "d.suite.zip")[0].id != look(tmp_path / "a.suite.zip")[0].id


def test_folder_and_archive_are_one_bundle(run: Path, tmp_path: Path) -> None:
    pack(run, *FLAGS, "-O", tmp_path / "a.suite.zip")
    done = pack(run, *FLAGS, "--folder", "-O", tmp_path / "folder")
    assert "wrote" in done.output
    assert look(tmp_path / "folder")[0].id == look(tmp_path / "a.suite.zip")[0].id
    assert "stands there already" in refusal(run, *FLAGS, "--folder", "-O", tmp_path / "folder")
    assert pack(run, *FLAGS, "--folder", "--force", "-O", tmp_path / "folder").exception is None
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("x")
    assert "is not replaced" in refusal(run, *FLAGS, "--folder", "--force", "-O", other)
    assert (other / "thesis.txt").exists()


def test_nothing_is_left_when_it_fails(run: Path, tmp_path: Path) -> None:
    journal = run / "outputs.jsonl"
    data = bytearray(journal.read_bytes())
    data[200] ^= 1
    journal.write_bytes(data)
    before = sorted(tmp_path.iterdir())
    text = refusal(run, *FLAGS, "-O", tmp_path / "x.suite.zip")
    assert "changed or damaged" in text
    assert "R2.line-checksum" in text or "R1" in text
    assert sorted(tmp_path.iterdir()) == before


def test_everything_missing_is_listed_at_once(run: Path, tmp_path: Path) -> None:
    edit_json(run / "manifest.json", lambda found: found.update(limit=3, imported=True, shard=[0, 2]))
    results = next((run / "scorings").glob("*/results.json"))
    edit_json(results, lambda found: found.update(pending=2, complete=False))
    text = refusal(run, "-O", tmp_path / "nowhere" / "x.suite.zip")
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
    found = reasons([open_run(run), open_run(twin)], None)
    assert any("different candidates (one name, but another revision" in one for one in found)
    assert sum("choose one" in one for one in found) == 2
    assert "given twice" in refusal(run, run, *FLAGS)


def test_two_runs_in_one_bundle(run: Path, tmp_path: Path) -> None:
    other = making.make_run(tmp_path / "other", parameters=({"turns": 2},))
    done = pack(run, other, *FLAGS, "-O", tmp_path / "two.suite.zip")
    assert done.exception is None
    opened, findings = look(tmp_path / "two.suite.zip")
    assert not findings
    assert [one.sound for one in opened.runs] == [True, True]
    again = pack(other, run, *FLAGS, "-O", tmp_path / "again.suite.zip")
    assert again.exception is None
    assert (tmp_path / "two.suite.zip").read_bytes() == (tmp_path / "again.suite.zip").read_bytes()


def test_cells_missing_for_a_board(run: Path) -> None:
    text = refusal(run, *FLAGS, "--board", "mini")
    assert "board mini asks for prefeval/classification: cell" in text
    assert "is missing" in text
    assert "no board named 'minni'" in refusal(run, *FLAGS, "--board", "minni")


def test_bundle_too_big_for_its_board(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from suite.board.pack import wish as packer

    monkeypatch.setattr(packer, "SizeLimits", lambda: SizeLimits(archive=5000))
    before = sorted(tmp_path.iterdir())
    assert "takes at most" in refusal(run, *FLAGS, "-O", tmp_path / "x.suite.zip")
    assert sorted(tmp_path.iterdir()) == before


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
        "-O",
        tmp_path / "x.suite.zip",
        "--contact",
        "a@b.example",
    )
    assert done.exception is None, done.exception
    submission = look(tmp_path / "x.suite.zip")[0].submission
    assert submission.model.licence == "Apache-2.0"
    assert submission.model.release_date == "2026-01-31"
    assert submission.disclosure.selection == Selection(complete_runs=2, rule="first")
    assert submission.submitter.contact == "a@b.example"


def test_declarations_in_toml(run: Path, tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text(
        'submission_type = "custom"\n[model]\norganization = "E"\nrelease_date = 2026-01-31\n'
        '[submitter]\nname = "N"\nrelationship = "other"\n'
        '[disclosure]\nreferences_access = "no"\nselection = {rule = "best", complete_runs = 3}\n'
        'changes = [{what = "prompt", why = "ours is better"}]\n[terms]\ntraces_licence = "CC0-1.0"\n'
    )
    assert pack(run, "--declare", tmp_path / "d.toml", "-O", tmp_path / "x.suite.zip").exception is None
    assert look(tmp_path / "x.suite.zip")[0].submission.submission_type == "custom"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle: {}\n", "no declaration named 'modle'"),
        ("model: {colour: red}\n", "the format does not have; it has: display_name, organization"),
        ("model: {colour: red}\n", "(found 'colour')"),
        ("model: {licence: a, licence: b}\n", "cannot be read"),
        ("submission_type: custom\n", "declares its changes"),
        (
            "disclosure: {selection: {rule: only_run, complete_runs: 7}}\n",
            "7 complete runs, so this is not the only",
        ),
        ("disclosure: {selection: {rule: luck}}\n", "selection.rule: must be one of only_run, first"),
        ("- a\n", "holds no declarations"),
        ("model: words\n", "declaration 'model' must hold fields"),
        ("model: {url: 'javascript:alert(1)'}\n", "model.url"),
        ("model: {parameters_total: 0}\n", "model.parameters_total"),
    ],
)
def test_declarations_that_are_wrong(text: str, message: str, run: Path, tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(text)
    taken = ("--selection-rule", "only_run", "--complete-runs", "1") if "rule" in text else ()
    flags = [flag for flag in FLAGS if flag not in taken]
    assert message in refusal(run, *flags, "--declare", tmp_path / "d.yaml", "-O", tmp_path / "x.suite.zip")


def test_flags_are_fields_of_the_format() -> None:
    from suite.board.bundle.schemas import schema_errors

    declared: dict[str, Any] = {}
    for field, _ in declarations.FLAGS.values():
        declarations.put(declared, field, None)
    wrong = [
        field for field, what, _ in schema_errors("submission.v1.json", declared) if "does not have" in what
    ]
    assert not wrong


def recorded(provider: str, name: str, **more: Any) -> RoleMember:
    return RoleMember(
        member="candidate",
        spec=f"{provider}/{name}",
        stage="solve",
        needs=[],
        capabilities=[],
        identity={"provider": provider, "name": name, **more},
        limits={},
        sampling={},
    )


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
def test_identity_is_filled_in(member: RoleMember, expected: dict[str, Any]) -> None:
    assert declarations._identity(member) == expected


def test_help_has_no_way_round() -> None:
    done = CliRunner().invoke(cli, ["submit", "pack", "--help"], standalone_mode=False)
    assert "--allow-secrets" not in done.output
    assert "suite submit pack runs/mine" in done.output


def test_bundle_error_names_the_place(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot write"):
        from suite.board.pack import bundle_files

        bundle_files.write_archive(making.stage(tmp_path / "b", run), tmp_path / "no" / "x.zip")
    assert codes(tmp_path / "b") == set()
