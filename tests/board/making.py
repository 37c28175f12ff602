"""Good runs and bundles for the tests, made by the suite's own runner, and ways to tamper with them."""

import asyncio
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import small_tasks
import zstandard
from sealing import seal

from suite.board.bundle import frames
from suite.board.bundle.bounds import SizeLimits
from suite.board.bundle.contents import open_bundle
from suite.board.bundle.rungs import Findings, RungFinding
from suite.board.pack import bundle_files
from suite.board.verify.verification import VerifiedBundle
from suite.chat import Message, Reply, Request, ToolCall, Usage
from suite.comparisons.runs import scored_runs

DECLARED: dict[str, Any] = {
    "board": None,
    "submission_type": "standard",
    "supersedes": None,
    "model": {
        "display_name": "Example 1",
        "organization": "Example",
        "identity": {"kind": "local", "name": "example"},
        "availability": "open_weights",
        "deployment": "self_deployed",
    },
    "submitter": {"name": "A. Tester", "relationship": "third_party"},
    "created": "2026-11-24T00:00:00Z",
    "suite_version": "0.1.0",
    "disclosure": {
        "contamination": {},
        "selection": {"complete_runs": 1, "rule": "only_run"},
        "changes": [],
        "references_access": "no",
    },
    "terms": {"traces_licence": "CC0-1.0"},
}
FLAGS = (
    *("--organization", "Example", "--submitter", "A. Tester", "--relationship", "third_party"),
    *("--selection-rule", "only_run", "--complete-runs", "1", "--references-access", "no"),
    *("--traces-licence", "CC0-1.0"),
)


def answer(request: Request, asking: Any) -> Reply:
    """A candidate: something different for each request."""
    return Reply(f"an answer to {request.messages[-1].content}", usage=Usage(8, 5), model="example")


def verdict(request: Request, asking: Any) -> Reply:
    """A judge."""
    return Reply("fair", usage=Usage(9, 1), model="judge")


class WithTools(small_tasks.Spell):
    """Requests with tools, tool calls and results; outputs with data."""

    async def solve(self, sample: Any, models: Any) -> Any:
        import suite

        tool = suite.Tool(
            "look", "Look it up.", {"type": "object", "properties": {"word": {"type": "string"}}}
        )
        call = ToolCall("look", json.dumps({"word": sample.payload.word}), "c1")
        history = [
            suite.user(f"Look up {sample.payload.word}."),
            Message("assistant", "", (call,)),
            Message("tool", "It is there.", (), "c1"),
            *(suite.user(f"Turn {n}") for n in range(40)),
        ]
        reply = await models.candidate.chat(history, tools=[tool], max_tokens=9)
        return suite.Output(reply.text + "!", {"deep": [{"n": [1.5, 2]}]})


def make_run(folder: Path, *, task: Any = small_tasks.Spell, judge: bool = True, **request: Any) -> Path:
    """A finished run: twelve samples, two cells, a judge."""
    models = {"candidate": "scripted/echo"} | ({"judge": "scripted/echo"} if judge else {})
    cells = small_tasks.cells(task, *request.pop("parameters", ({"turns": 0}, {"turns": 33})))
    plan = small_tasks.plan_of(models, cells, **request)
    small_tasks.scripted(answer, plan)
    small_tasks.scripted(verdict, plan, "judge")
    asyncio.run(small_tasks.run(plan, folder))
    return folder


def stage(folder: Path, *runs: Path) -> Path:
    """An unpacked bundle of these runs."""
    folder.mkdir()
    bundle_files.stage(scored_runs([str(run) for run in runs]), DECLARED, b"A *readme*.\n", folder)
    return folder


def look(path: Path, limits: SizeLimits | None = None) -> tuple[Any, list[RungFinding]]:
    """(the bundle or None, what was found); the run folders are gone."""
    findings = Findings()
    with open_bundle(path, findings, limits or SizeLimits()) as bundle:
        return bundle, list(findings)


def codes(path: Path, limits: SizeLimits | None = None) -> set[str]:
    """The codes of all errors and warnings."""
    return {one.code for one in look(path, limits)[1] if one.severity != "note"}


def journal(bundle: Path, name: str) -> Path:
    """The compressed journal of the only run of a bundle folder."""
    return next((bundle / "runs").iterdir()) / f"{name}.jsonl.zst"


def lines_of(path: Path) -> list[bytes]:
    """The lines of a compressed journal, without line breaks."""
    return zstandard.decompress(path.read_bytes()).split(b"\n")[:-1]


def write_lines(path: Path, lines: list[bytes]) -> None:
    """Write a compressed journal."""
    path.write_bytes(frames.compress(b"".join(line + b"\n" for line in lines)))


def as_values(verified: VerifiedBundle) -> Any:
    """What verification.json holds, parsed."""
    return msgspec.to_builtins(verified.document)


def with_crc(body: bytes) -> bytes:
    """A line from its JSON without checksum, with the right one."""
    body = body.removesuffix(b"}")
    return b'%b,"crc":"%08x"}' % (body, zlib.crc32(body))


def without_crc(line: bytes) -> bytes:
    """The JSON of a line without its checksum."""
    return line[: -len(b',"crc":"00000000"}')] + b"}"


def edit(bundle: Path, name: str, change: Callable[[dict[str, Any]], None], at: int = 0) -> None:
    """Change one record of a journal, give it a new checksum, and seal the bundle again."""
    path = journal(bundle, name)
    lines = lines_of(path)
    record = json.loads(without_crc(lines[at]))
    change(record)
    lines[at] = with_crc(msgspec.json.encode(record))
    write_lines(path, lines)
    seal(bundle)


def edit_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a document in place."""
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value))
