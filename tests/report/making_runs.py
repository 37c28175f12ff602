"""A run folder as the runner would leave it: two tasks, a sweep, judged parts, unscored and pending work."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from suite.chat import (
    Json,
    Message,
    Options,
    Reply,
    Request,
    Usage,
    canonical_json,
    request_sha256,
    sha256_hex,
)
from suite.journal.document_files import write_json
from suite.journal.journal_file import Blocks, JournalFile
from suite.journal.records import AttemptRecord, CallRecord, CellPlan, OutputRecord, Record, ScoreRecord
from suite.scoring.computation import compute
from suite.scoring.metrics import Mean, Rate
from suite.scoring.table import TableBuilder
from suite.task import Output, Part, Unscored

TOPICS = ("travel", "pets", "music")
GENERATION, UNITS = "prefs/generation", "units/stated"
METRICS: Mapping[str, list[Any]] = {
    GENERATION: [
        Rate("kept", by="topic", average="macro"),
        Rate("unhelpful", direction="lower"),
        Mean("length", unit="words"),
    ],
    UNITS: [Rate("metric_kept")],
}


@dataclass
class Build:
    """What kind of run to build. text: the candidate's answer to (cell number, sample number)."""

    candidate: str = "vllm/Example/Model-8B"
    samples: int = 12
    turns: tuple[int, ...] = (0, 3, 40)
    methods: tuple[str, ...] = ("plain", "remind")
    pending: int = 2
    scored: bool = True
    limit: int | None = None
    text: Callable[[int, int], str] = lambda cell, sample: f"answer {sample} of cell {cell}"
    tag: Callable[[int], str] = lambda sample: TOPICS[sample % 3]
    name: str = "run-1"
    note: str = "Prompts are our own wording."
    manifest: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Journal files by name."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.files: dict[str, JournalFile] = {}
        self.blocks = Blocks(self.file("blocks"))

    def file(self, name: str) -> JournalFile:
        if name not in self.files:
            self.files[name] = JournalFile(self.folder / f"{name}.jsonl")
        return self.files[name]

    def put(self, name: str, record: Record) -> None:
        self.file(name).append(record)

    def call(self, role: str, group: str, messages: list[Message], reply: Reply) -> str:
        request = Request("chat", tuple(messages), options=Options(temperature=0.0, max_tokens=300))
        digest = request_sha256(request)
        identity = sha256_hex(f"{role}{group}{digest}".encode())
        self.put(
            "calls",
            CallRecord(
                id=identity,
                role=role,
                group=group,
                trial=0,
                kind="chat",
                request_sha256=digest,
                request=self.blocks.fold([self.blocks.message(one) for one in messages]),
                options=request.options,
                reply=reply,
                times=(1_790_000_000.0, 1_790_000_001.5),
                cached=len(messages) == 1,
            ),
        )
        return identity

    def close(self) -> None:
        for file in self.files.values():
            file.close()


def plans(build: Build) -> list[CellPlan]:
    found = []
    for method, turns in itertools.product(build.methods, build.turns):
        values: dict[str, Json] = {
            "method": method,
            "inter_turns": turns,
            "paper_turns": turns + 2,
            "protocol": "paper",
        }
        found.append((GENERATION, values))
    found.append((UNITS, {"system": "metric"}))
    return [
        CellPlan(
            cell=sha256_hex(canonical_json({"task": task, "version": 1, "parameters": values}))[:12],
            task=task,
            version=1,
            parameters=values,
            score_parameters={"strictness": 2} if task == GENERATION else {},
            prompts="own",
            prompts_sha256="0" * 64,
            plugin="suite-prefs 0.1.0",
        )
        for task, values in found
    ]


def build_run(folder: Path, build: Build) -> Path:
    """Write the run folder."""
    run, scoring = Writer(folder), Writer(folder / "scorings" / "abc12345") if build.scored else None
    cells = plans(build)
    table, finishes, missing = TableBuilder(), Counter[tuple[str, str]](), Counter[str]()
    unscored = Counter[tuple[str, str, str]]()
    run.put("attempts", AttemptRecord(1.0, "start"))
    for number, cell in enumerate(cells):
        chance = random.Random(number)
        for index in range(build.samples):
            name = f"{build.tag(index)}/{index}"
            if number == 0 and index < build.pending:
                missing[cell.cell] += 1
                run.put(
                    "attempts",
                    AttemptRecord(2.0, "pending", "timeout", cell.cell, name, 0, "solve", "", "candidate"),
                )
                continue
            output, calls = solve(run, build, number, index, cell, name, chance)
            finishes[cell.cell, output.output.finish] += 1
            run.put("outputs", output)
            if scoring is None:
                continue
            score = judge(scoring, output, calls, cell, name, chance, build.text(number, index))
            scoring.put("scores", score)
            table.add(output, score)
            lost = [(n, v.reason) for n, v in score.values.items() if isinstance(v, Unscored)]
            unscored.update((cell.cell, *one) for one in lost)
    run.put("attempts", AttemptRecord(3.0, "retry", "status-429", role="candidate"))
    run.close()
    manifest = manifest_of(build, cells)
    write_json(folder / "manifest.json", manifest)
    if scoring is not None:
        scoring.close()
        finish(folder, build, cells, table, finishes, missing, unscored)
    return folder


def solve(
    run: Writer, build: Build, number: int, index: int, cell: CellPlan, name: str, chance: random.Random
) -> tuple[OutputRecord, list[str]]:
    text = build.text(number, index)
    turns = int(str(cell.parameters.get("inter_turns", 1)))
    messages = [Message("user", f"I like trains, not planes. ({index})")]
    messages += [
        Message(role, f"unrelated {role} message {turn}")
        for turn in range(turns)
        for role in ("assistant", "user")
    ]
    cut_off = chance.random() < 0.1
    reply = Reply(text, "length" if cut_off else "stop", Usage(20 + turns, 9))
    calls = [
        run.call("candidate", name, messages, reply),
        run.call("candidate", name, [*messages, Message("assistant", text), Message("user", "Sure?")], reply),
    ]
    record = OutputRecord(
        cell=cell.cell,
        sample=name,
        trial=0,
        group=name,
        cluster=name,
        tags={"topic": build.tag(index)},
        payload_sha256="1" * 64,
        output=Output(finish="length" if cut_off else "stop"),
        calls=calls,
        text_from=calls[-1],
    )
    return record, calls


def judge(
    scoring: Writer,
    output: OutputRecord,
    calls: list[str],
    cell: CellPlan,
    name: str,
    chance: random.Random,
    text: str,
) -> ScoreRecord:
    kept: Any = chance.random() < 0.6
    if chance.random() < 0.08:
        kept = Unscored("judge-unparsed", text[:200])
    asked = scoring.call("judge", name, [Message("user", f"Does this fit? {text[:500]}")], Reply("Yes"))
    if cell.task == UNITS:
        values: dict[str, Any] = {"metric_kept": kept}
        parts: list[Part] = []
    else:
        values = {
            "kept": kept,
            "unhelpful": chance.random() < 0.2,
            "length": chance.randint(3, 90),
            "label": text,
        }
        parts = [
            Part("helpful", {"yes": chance.random() < 0.8}, {"check": "helpful"}),
            Part("violates", {"yes": None}, {"check": "violates"}),
        ]
    return ScoreRecord(
        cell=cell.cell, sample=name, output_sha256="2" * 64, values=values, parts=parts, calls=[asked]
    )


# fmt: off
def manifest_of(build: Build, cells: list[CellPlan]) -> dict[str, Any]:
    taken = build.limit or build.samples
    heads = {GENERATION: "kept", UNITS: "metric_kept"}
    return {
        "format": "suite-run/1", "name": build.name, "suite": "0.1.0",
        "created": "2026-11-24T17:00:00Z", "plan_sha256": "a" * 64, "seed": 7, "trials": 1,
        "mini": False, "limit": build.limit, "shard": None, "imported": False, "prompts": "own",
        "cells": [
            {
                **msgspec.to_builtins(cell),
                "title": "Keeps to preferences" if cell.task == GENERATION else "Keeps to units",
                "paper": "arXiv 0000.00000", "headline": heads[cell.task],
                "note": build.note if cell.task == GENERATION else "",
                "swept": ["method", "inter_turns", "paper_turns"] if cell.task == GENERATION else [],
                "facts": {"inter_turns": str(cell.parameters.get("inter_turns", "")), "index": "bm25 0.3"},
                "replay": "exact", "metrics_sha256": "b" * 64,
            }
            for cell in cells
        ],
        "skipped": [{"task": GENERATION, "parameters": {"method": "rag"}, "reason": "too few messages"}],
        "roles": {
            "candidate": [
                {
                    "member": "candidate", "spec": build.candidate, "stage": "solve", "needs": ["chat"],
                    "capabilities": ["chat"], "sampling": {"temperature": 0.0},
                    "limits": {"window": 8192},
                    "identity": {"model": build.candidate, "revision": "f" * 40},
                }
            ]
        },
        "data": {"prefs": {"revision": "c" * 40, "licence": {"name": "MIT"}}},
        "counts": {
            "groups": build.samples if not build.limit else 4 * build.limit, "groups_taken": taken,
            "samples": {cell.cell: build.samples for cell in cells}, "tags": {},
        },
        "versions": {"suite-prefs": "0.1.0"},
        "hardware": {"cpus": 2, "memory_gib": 8.0, "system": "Linux", "python": "3.11.7", "gpus": []},
        **build.manifest,
    }


def finish(
    folder: Path,
    build: Build,
    cells: list[CellPlan],
    builder: TableBuilder,
    finishes: Counter[tuple[str, str]],
    missing: Counter[str],
    unscored: Counter[tuple[str, str, str]],
) -> None:
    scoring = folder / "scorings" / "abc12345"
    table = builder.build()
    write_json(
        scoring / "manifest.json",
        {
            "format": "suite-scoring/1", "scoring": "abc12345", "started": "2026-11-24T17:01:00Z",
            "run": build.name, "plan_sha256": "a" * 64, "level": 0.95,
            "roles": {
                "judge": [
                    {
                        "member": "judge", "spec": "openai/judge-1", "stage": "score", "needs": ["chat"],
                        "capabilities": ["chat"], "identity": {}, "limits": {}, "sampling": {},
                    }
                ]
            },
            "cells": [
                {
                    "cell": cell.cell, "score_parameters": cell.score_parameters, "prompts": "own",
                    "prompts_sha256": "0" * 64, "facts": {},
                }
                for cell in cells
            ],
        },
    )
    rows = []
    for cell in cells:
        headline = "kept" if cell.task == GENERATION else "metric_kept"
        metrics = compute(METRICS[cell.task], headline, table, cell=cell.cell)
        done = build.samples - missing[cell.cell]
        reasons = {
            name: {why: n for (one, of, why), n in unscored.most_common() if (one, of) == (cell.cell, name)}
            for name in ("kept", "metric_kept")
        }
        rows.append(
            {
                "cell": cell.cell, "task": cell.task, "version": 1, "parameters": cell.parameters,
                "score_parameters": cell.score_parameters, "headline": headline, "prompts": "own",
                "samples": build.samples, "solved": done, "scored": done, "pending": missing[cell.cell],
                "finishes": {name: n for (one, name), n in finishes.items() if one == cell.cell},
                "unscored": {name: found for name, found in reasons.items() if found},
                "metrics": msgspec.to_builtins(metrics),
            }
        )
    pending = sum(missing.values())
    groups = {"taken": build.limit, "all": 4 * build.limit} if build.limit else {}
    write_json(
        scoring / "results.json",
        {
            "format": "suite-results/1", "run": build.name, "scoring": "abc12345", "level": 0.95,
            "complete": not pending, "pending": pending, "imported": False, "cells": rows, "across": [],
            "coverage": {
                "groups": groups or {"taken": build.samples, "all": build.samples},
                "tags": {"topic": {name: {"taken": 4, "all": 20 + i} for i, name in enumerate(TOPICS)}},
            },
            "calls": {
                "candidate": {
                    "calls": 144, "cached": 6, "retries": 1, "prompt_tokens": 4000,
                    "completion_tokens": 1300, "cached_tokens": 900,
                }
            },
            "seconds": 62.5,
        },
    )
# fmt: on
