"""What a program finds around it, and how a run of it is told to the supervisor inside."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files as resources

from suite import Limits, Program

WORK = "/tmp/work"  # the scratch folder in which a program starts
SURROUNDINGS = tomllib.loads((resources("suite_sandbox") / "surroundings.toml").read_text("utf-8"))
ENVIRONMENT: Mapping[str, str] = {"HOME": WORK, **SURROUNDINGS["environment"]}


def job(program: Program, limits: Limits, *, address_mib: int | None) -> dict[str, object]:
    """The message to the supervisor inside: plain builtin values only (it knows no class of ours)."""
    files = {
        name: text.encode() if isinstance(text, str) else bytes(text) for name, text in program.files.items()
    }
    return {
        "argv": list(program.argv),
        "files": files,
        "stdin": program.stdin,
        "env": {**ENVIRONMENT, **program.env},
        "cwd": program.cwd,
        "outputs": list(program.outputs),
        **asdict(limits),
        "address_mib": address_mib,
    }
