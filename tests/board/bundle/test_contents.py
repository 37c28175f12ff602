"""What a bundle says of itself: documents, files and their list (R1, R2)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sealing import seal

from suite.board.bundle.bounds import SizeLimits
from suite.board.bundle.contents import open_bundle
from suite.board.bundle.rungs import Findings
from suite.chat import canonical_json, sha256_hex
from suite.journal.run import Run
from tests.board.making import codes, edit_json, journal, lines_of, look, write_lines


def run_folder(bundle: Path) -> Path:
    return next((bundle / "runs").iterdir())


def test_run_folder_can_be_read_as_any_run(bundle: Path, good_run: Path) -> None:
    findings = Findings()
    with open_bundle(bundle, findings) as opened:
        assert opened is not None
        run = opened.runs[0]
        read, original = Run(run.folder, run.entry.scoring), Run(good_run)
        assert read.manifest == original.manifest
        assert list(read.outputs()) == list(original.outputs())
        assert list(read.scores()) == list(original.scores())
        assert read.results == original.results
        assert all(map(read.text, read.outputs()))
        folder = run.folder
    assert not folder.exists()
    assert [findings.rungs[name].status for name in ("R0", "R1", "R2")] == ["passed"] * 3


def test_id_is_the_hash_of_the_submission(bundle: Path) -> None:
    opened, _ = look(bundle)
    assert opened.id == sha256_hex((bundle / "submission.json").read_bytes())
    assert seal(bundle) == opened.id


# --- files and their list


def test_missing_file(bundle: Path) -> None:
    journal(bundle, "attempts").unlink()
    opened, findings = look(bundle)
    assert [one.code for one in findings] == ["R2.missing-file"]
    assert not opened.runs[0].sound


def test_missing_file_and_its_line(bundle: Path) -> None:
    journal(bundle, "attempts").unlink()
    seal(bundle)
    assert codes(bundle) == {"R1.file-missing"}
    assert look(bundle)[0] is None


def test_unlisted_file(bundle: Path) -> None:
    (bundle / "README.md").unlink()
    seal(bundle)
    (bundle / "README.md").write_text("x")
    assert codes(bundle) == {"R2.unlisted-file"}


def test_files_of_a_run_that_is_not_listed(bundle: Path) -> None:
    import shutil

    shutil.copytree(run_folder(bundle), bundle / "runs" / "another")
    seal(bundle)
    assert codes(bundle) == {"R1.no-such-run"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("bytes", 1, "R2.size-differs"),
        ("sha256", "0" * 64, "R2.bytes-differ"),
        ("content_bytes", 1, "R2.content-differs"),
        ("content_sha256", "0" * 64, "R2.content-differs"),
        ("records", 1, "R2.record-count"),
    ],
)
def test_listing_differs(field: str, value: Any, code: str, bundle: Path) -> None:
    def change(submission: dict[str, Any]) -> None:
        next(one for one in submission["files"] if one["path"].endswith("outputs.jsonl.zst"))[field] = value

    edit_json(bundle / "submission.json", change)
    assert codes(bundle) == {code}
    assert not look(bundle)[0].runs[0].sound


def test_document_is_listed_with_its_content(bundle: Path) -> None:
    def change(submission: dict[str, Any]) -> None:
        next(one for one in submission["files"] if one["path"].endswith("/manifest.json"))[
            "content_bytes"
        ] = 1

    edit_json(bundle / "submission.json", change)
    assert codes(bundle) == {"R2.content-differs"}


def test_file_cut_and_not_sealed(bundle: Path) -> None:
    path = journal(bundle, "scoring/scores")
    path.write_bytes(path.read_bytes()[:-20])
    assert "R2.size-differs" in codes(bundle)


# --- submission.json


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: dict[str, Any]) -> None:
        at: Any = found
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = value

    return change


SUBMISSIONS = {
    "format": put("format", value="suite-submission/2"),
    "unknown key": put("extra", value=1),
    "unknown key inside": put("model", "extra", value=1),
    "bidi name": put("model", "display_name", value="GPT\u202e4"),
    "line break": put("model", "display_name", value="a\nb"),
    "trailing line break": put("model", "display_name", value="a\n"),
    "empty name": put("submitter", "name", value=""),
    "long name": put("submitter", "name", value="x" * 201),
    "javascript": put("model", "url", value="javascript:alert(1)"),
    "http": put("model", "url", value="http://example.org"),
    "url with quote": put("model", "url", value='https://example.org/"onload="x'),
    "url with line break": put("model", "url", value="https://example.org\n"),
    "no parameters": put("model", "parameters_total", value=0),
    "parameters as text": put("model", "parameters_total", value="7B"),
    "revision": put("model", "identity", "revision", value="main"),
    "run id": put("runs", 0, "run_id", value="../x"),
    "version": put("runs", 0, "cells", 0, "version", value="1.0.0"),
    "path": put("files", 0, "path", value="../../etc/passwd"),
    "path of code": put("files", 0, "path", value="runs/a/plugin.py"),
    "path with line break": put("files", 0, "path", value="README.md\n"),
    "hash": put("files", 0, "sha256", value="0" * 63),
    "negative": put("files", 0, "bytes", value=-1),
    "no runs": put("runs", value=[]),
    "relationship": put("submitter", "relationship", value="friend"),
    "terms": put("terms", "traces_licence", value="mine"),
    "policy": put("runs", 0, "trace_policy", value="hashed_requests"),
    "date": put("created", value="yesterday"),
}


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_submission_of_another_shape(name: str, bundle: Path) -> None:
    edit_json(bundle / "submission.json", SUBMISSIONS[name])
    opened, findings = look(bundle)
    assert opened is None
    assert {one.code for one in findings} == {"R1.schema"}
    assert len(findings) >= 1
    assert all(len(one.found) <= 210 and "\u202e" not in one.found for one in findings)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (put("created", value="2026-13-45T00:00:00Z"), "R1.declared"),
        (put("model", "release_date", value="2026-02-30"), "R1.declared"),
        (lambda found: found["files"].append(found["files"][0]), "R1.listed-twice"),
        (lambda found: found["runs"].append(found["runs"][0]), "R1.run-twice"),
        (lambda found: found["files"][-1].pop("records"), "R1.schema"),
        (put("x", value={"note": "x" * 9000}), "R1.long-string"),
        (put("created", value="2999-01-01T00:00:00Z"), "R1.declared"),
        (put("created", value="2019-12-31T00:00:00Z"), "R1.declared"),
        (put("model", "release_date", value="2999-01-01"), "R1.declared"),
        (put("model", "display_name", value="Mo\u200bdel"), "R1.declared"),
        (put("model", "display_name", value="Mo\u00addel"), "R1.declared"),
        (put("model", "display_name", value="\u3164"), "R1.declared"),
        (put("submitter", "name", value="Some\u2060one"), "R1.declared"),
        (put("submitter", "contact", value="https://good.example@evil.example"), "R1.declared"),
        (put("model", "url", value="https://good.example@evil.example/"), "R1.declared"),
        (put("model", "url", value="https://ex\u0430mple.org/"), "R1.declared"),
        (put("model", "url", value="https://xn--exmple-4nf.org/"), "R1.declared"),
        (put("model", "url", value="https://127.0.0.1/"), "R1.declared"),
    ],
)
def test_what_a_schema_cannot_say(change: Any, code: str, bundle: Path) -> None:
    edit_json(bundle / "submission.json", change)
    assert codes(bundle) == {code}
    assert look(bundle)[0] is None


def test_one_of_several_runs_that_is_called_the_only_one_is_a_note(bundle: Path) -> None:
    edit_json(bundle / "submission.json", put("disclosure", "selection", "complete_runs", value=7))
    opened, findings = look(bundle)
    assert opened is not None
    assert [(one.code, one.severity, one.found) for one in findings] == [("R1.selection", "note", "7")]


def test_what_is_let_be(bundle: Path) -> None:
    """The one field for extensions, and text for people in any script."""
    edit_json(bundle / "submission.json", put("x", value={"lab": {"gpu": 1}}))
    edit_json(bundle / "submission.json", put("model", "display_name", value="Модель-7B <b>"))
    assert codes(bundle) == set()


@pytest.mark.parametrize("name", ["submission.json", "runs/manifest.json", "runs/scoring/results.json"])
@pytest.mark.parametrize(
    "edit", [lambda raw: raw.replace(b"{", b'{"format":"x",', 1), lambda raw: b"\xef\xbb\xbf" + raw]
)
def test_document_that_two_readers_see_differently(name: str, edit: Any, bundle: Path) -> None:
    path = bundle / name if name == "submission.json" else run_folder(bundle) / name.removeprefix("runs/")
    path.write_bytes(edit(path.read_bytes()))
    if name != "submission.json":
        seal(bundle)
    assert codes(bundle) == {"R1.not-strict-json"}


def test_documents_over_the_limits(bundle: Path) -> None:
    assert codes(bundle, SizeLimits(manifest=100)) == {"R0.too-big"}
    assert codes(bundle, SizeLimits(readme=3)) == {"R0.too-big"}
    (bundle / "README.md").write_bytes(b"caf\xe9")
    seal(bundle)
    assert codes(bundle) == {"R1.readme"}


# --- documents of a run, sealed again

DOCUMENTS = {
    "plan hash": ("manifest.json", put("plan_sha256", value="0" * 64), "R2.plan-hash"),
    "plan": ("manifest.json", put("plan", "seed", value=7), "R2.plan-hash"),
    "seed": ("manifest.json", put("seed", value=7), "R2.plan-differs"),
    "trials": ("manifest.json", put("trials", value=2), "R2.plan-differs"),
    "data": ("manifest.json", put("data", value={"x": {}}), "R2.plan-differs"),
    "candidate": (
        "manifest.json",
        put("roles", "candidate", 0, "spec", value="hub/other"),
        "R2.plan-differs",
    ),
    "prompts": ("manifest.json", put("cells", 0, "prompts_sha256", value="1" * 64), "R2.plan-differs"),
    "parameters": ("manifest.json", put("cells", 0, "parameters", "turns", value=5), "R2.cell-id"),
    "version": ("manifest.json", put("cells", 0, "version", value=2), "R2.cell-id"),
    "counts": ("manifest.json", put("counts", "samples", value={}), "R2.counts"),
    "scoring": ("scoring/manifest.json", put("scoring", value="00000000"), "R2.scoring-differs"),
    "judge": (
        "scoring/manifest.json",
        put("roles", "judge", 0, "identity", "name", value="lenient"),
        "R2.scoring-id",
    ),
    "judge prompt": (
        "scoring/manifest.json",
        put("cells", 0, "prompts_sha256", value="2" * 64),
        "R2.scoring-id",
    ),
    "level": ("scoring/manifest.json", put("level", value=0.5), "R2.results-differ"),
    "results of another run": ("scoring/results.json", put("run", value="x"), "R2.results-differ"),
    "results cells": ("scoring/results.json", put("cells", value=[]), "R2.results-differ"),
    "samples": ("scoring/results.json", put("cells", 0, "samples", value=1), "R2.results-differ"),
    "metric field": (
        "scoring/results.json",
        put("cells", 0, "metrics", 0, "stars", value=5),
        "R1.schema",
    ),
    "manifest field": ("manifest.json", put("host", value="x"), "R1.schema"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_that_disagree(name: str, bundle: Path) -> None:
    file, change, code = DOCUMENTS[name]
    edit_json(run_folder(bundle) / file, change)
    seal(bundle)
    assert code in codes(bundle)
    opened, _ = look(bundle)
    assert not opened.runs[0].sound


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("runs", 0, "plan_sha256"), "0" * 64),
        (("runs", 0, "cells", 0, "cell"), "0" * 12),
        (("runs", 0, "cells", 0, "task"), "words/other"),
        (("runs", 0, "cells", 0, "version"), 2),
        (("runs", 0, "cells", 0, "parameters"), {}),
        (("runs", 0, "cells", 0, "headline", "metric"), "better"),
    ],
)
def test_submission_that_disagrees_with_the_run(path: tuple[Any, ...], value: Any, bundle: Path) -> None:
    edit_json(bundle / "submission.json", put(*path, value=value))
    assert codes(bundle) == {"R2.entry-differs"}


def test_order_of_records_has_no_meaning(bundle: Path) -> None:
    for name in ("outputs", "calls", "blocks", "scoring/scores", "scoring/calls", "scoring/blocks"):
        path = journal(bundle, name)
        write_lines(path, lines_of(path)[::-1])
    seal(bundle)
    assert codes(bundle) == set()
    assert look(bundle)[0].runs[0].sound


def test_submission_may_be_written_in_any_notation(bundle: Path) -> None:
    """Its bytes are its identity; what it says is what counts."""
    before = look(bundle)[0].id
    value = json.loads((bundle / "submission.json").read_bytes())
    (bundle / "submission.json").write_text(json.dumps(value, indent=1))
    opened, findings = look(bundle)
    assert not findings
    assert opened.id != before
    (bundle / "submission.json").write_bytes(canonical_json(value) + b"\n")
    assert look(bundle)[0].id == before
