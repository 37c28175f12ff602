"""Ruff as a function from source to findings: one source by standard input, or many files in one call.

Both ways give the same outcome for the same source and arguments. That rests on what is fixed here:
no configuration file is read (`--isolated`), the working folder is empty (a module beside the code
would count as first party), files sit in another folder under names that no rule looks at and are
named one by one (so nothing is excluded), and no RUFF_* variable gets through.
A source that makes ruff crash is found by halving its batch, so it costs its neighbours nothing.
"""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

import suite
from suite_vibechecker.vericode.verdicts import Finding

RUFF_VERSION = "0.11.13"
CHUNK = 4000  # files in one call: keeps the JSON of one call near 20 MB
SINGLE_TIMEOUT_S = 60.0
BATCH_TIMEOUT_S = 300.0

Failure = Literal["", "tool", "crash", "time"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ruff said of one source. failure: "" (it did its work), tool (bad arguments, exit code 2),
    crash (killed by a signal: the same source does it again) or time (it did not end)."""

    findings: tuple[Finding, ...] = ()
    failure: Failure = ""
    detail: str = ""


class _Place(msgspec.Struct):
    row: int
    column: int


class _Row(msgspec.Struct):
    code: str | None
    message: str
    location: _Place
    filename: str


_decoder = msgspec.json.Decoder(list[_Row])


@dataclass(frozen=True)
class Linter:
    """The pinned ruff. Make one by `open_linter`."""

    binary: str
    environment: dict[str, str] = field(repr=False)

    def one(self, source: bytes, arguments: Sequence[str], folder: Path | None = None) -> Outcome:
        """Check one source by standard input.

        folder: working folder whose ruff configuration applies; None: an empty one, no configuration.
        """
        isolated = ("--isolated",) if folder is None else ()
        command = (self.binary, "check", "-", *arguments, *FIXED, *isolated, "--force-exclude")
        with tempfile.TemporaryDirectory(prefix="vericode-") as empty:
            try:
                done = subprocess.run(
                    command,
                    input=source,
                    capture_output=True,
                    cwd=folder or empty,
                    env=self.environment,
                    timeout=SINGLE_TIMEOUT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Outcome(failure="time", detail=f"ruff did not end within {SINGLE_TIMEOUT_S:g} s")
        if done.returncode < 0:
            return Outcome(
                failure="crash", detail=f"ruff was ended by signal {-done.returncode} on this code"
            )
        if done.returncode not in (0, 1):
            return Outcome(failure="tool", detail=_last_line(done.stderr))
        return Outcome(_sorted(_decoder.decode(done.stdout)))

    def many(
        self, sources: Sequence[bytes], wanted: Sequence[tuple[tuple[str, ...], Sequence[int]]]
    ) -> list[list[Outcome]]:
        """Check many sources under several sets of arguments, each source written once.

        wanted: (arguments, indexes into `sources`); the answer has the same shape.
        """
        with tempfile.TemporaryDirectory(prefix="vericode-") as root:
            batch = _Batch(self, Path(root), sources)
            return [
                [
                    outcome
                    for start in range(0, len(indexes), CHUNK)
                    for outcome in batch.check(indexes[start : start + CHUNK], arguments)
                ]
                for arguments, indexes in wanted
            ]


FIXED = ("--no-fix", "--no-cache", "--output-format", "json")
HARMLESS = tuple(f"warning: {start}" for start in ("Invalid", "`", "Missing or joined rule code"))


class _Batch:
    """Sources as files of one folder, checked beside an empty working folder."""

    def __init__(self, linter: Linter, root: Path, sources: Sequence[bytes]) -> None:
        self._linter = linter
        self._sources = sources
        self._empty = root / "empty"
        self._files = root / "files"
        self._list = root / "list.txt"
        self._empty.mkdir()
        self._files.mkdir()
        for index, source in enumerate(sources):
            (self._files / f"m{index}.py").write_bytes(source)

    def check(self, indexes: Sequence[int], arguments: tuple[str, ...]) -> list[Outcome]:
        """One ruff call for all; after a failure, halves; at last one call a source."""
        if not indexes:
            return []
        rows = self._call(indexes, arguments)
        if rows is not None:
            found: dict[int, list[_Row]] = {index: [] for index in indexes}
            for row in rows:
                found[int(Path(row.filename).stem[1:])].append(row)
            return [Outcome(_sorted(found[index])) for index in indexes]
        if len(indexes) <= 4:
            with ThreadPoolExecutor(2) as pool:
                return list(pool.map(lambda i: self._linter.one(self._sources[i], arguments), indexes))
        middle = len(indexes) // 2
        return self.check(indexes[:middle], arguments) + self.check(indexes[middle:], arguments)

    def _call(self, indexes: Sequence[int], arguments: tuple[str, ...]) -> list[_Row] | None:
        self._list.write_text("".join(f"{self._files}/m{index}.py\n" for index in dict.fromkeys(indexes)))
        command = (self._linter.binary, "check", f"@{self._list}", *arguments, *FIXED, "--isolated")
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                cwd=self._empty,
                env=self._linter.environment,
                timeout=BATCH_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        # A file that ruff gave up on is told on stderr only, where doubtful `noqa` comments are told too.
        told = done.stderr.decode("utf-8", "replace").splitlines()
        if done.returncode not in (0, 1) or any(not line.startswith(HARMLESS) for line in told if line):
            return None
        return _decoder.decode(done.stdout)


def open_linter(binary: str | None = None) -> Linter:
    """The ruff of this environment, if it is the pinned version.

    Raises ConfigError for another version: rules come and go (PD901 left in 0.13), and any failure of
    the tool would count against the code.
    """
    path = binary or _find()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
    said = subprocess.run((path, "--version"), capture_output=True, text=True, env=environment, check=False)
    version = said.stdout.strip().removeprefix("ruff ")
    if version != RUFF_VERSION:
        raise suite.ConfigError(
            f"VeriCode instructions are rules of ruff {RUFF_VERSION}, this is {version or 'no ruff'}",
            where=path,
            fix=f"pip install ruff=={RUFF_VERSION}",
        )
    return Linter(path, environment)


def _find() -> str:
    from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]

    try:
        return str(find_ruff_bin())
    except FileNotFoundError as error:
        raise suite.ConfigError(
            "ruff is not installed", where=str(error), fix=f"pip install ruff=={RUFF_VERSION}"
        ) from error


def _sorted(rows: Sequence[_Row]) -> tuple[Finding, ...]:
    return tuple(
        sorted(
            Finding(row.location.row, row.location.column, row.code or "syntax", row.message) for row in rows
        )
    )


def _last_line(stderr: bytes) -> str:
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[0][:300] if lines else "ruff failed without a message"
