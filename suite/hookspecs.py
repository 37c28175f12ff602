"""The one hook a plugin implements, and the record that announces what it brings.

Light on purpose: listing, help and completion read entries only, never a target.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import pluggy

CONTRACT = 1  # the version of the contract that this suite speaks
FILE_MODULE = "suite_file_"  # how the module of a task in a file is called, its hash behind it

Kind = Literal[
    "task", "provider", "analysis", "importer", "exporter", "sandbox", "executor", "command", "user",
    "registry",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)

hookspec = pluggy.HookspecMarker("suite")
hookimpl = pluggy.HookimplMarker("suite")
"""Marks a plugin's `suite_register`: put `@suite.hookimpl` above the function that returns its entries."""

_SLUG = r"[a-z0-9][a-z0-9-]*"
_NAME = re.compile(rf"{_SLUG}(/{_SLUG})?")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a plugin brings.

    kind: what it is. name: `family/variant` for tasks, a slug for the rest. title: one line.
    target: "module:object", imported on first use. For kind "registry" the object is a folder name
    inside the package: "suite_units:registry".
    contract: the contract version it was built for; an entry that states none was built for the first, and
    does not turn into one of a later version by being installed beside a later suite.
    aliases: other names it answers to.
    stage: of a task that is a step of a pipeline and no benchmark: `--task FAMILY` leaves it out, and
    `suite tasks list` folds it.
    """

    kind: Kind
    name: str
    title: str
    target: str
    contract: int = 1
    aliases: tuple[str, ...] = ()
    stage: bool = False

    def problem(self) -> str:
        """What is wrong with this entry, or ""."""
        if self.kind not in KINDS:
            return f"unknown kind {self.kind!r}; known: {', '.join(KINDS)}"
        for name in (self.name, *self.aliases):
            if not _NAME.fullmatch(name):
                return f"bad name {name!r}: lower-case letters, digits and hyphens, with at most one slash"
        if not self.title.strip() or "\n" in self.title:
            return f"{self.name!r} needs a title of one line"
        if not _TARGET.fullmatch(self.target):
            return f"bad target {self.target!r} of {self.name!r}: write 'module:object'"
        if type(self.contract) is not int or self.contract < 0:
            return f"bad contract {self.contract!r} of {self.name!r}: write a whole number, now {CONTRACT}"
        if self.stage and self.kind != "task":
            return f"{self.kind} {self.name!r} cannot be a stage: only tasks can"
        return ""

    @property
    def family(self) -> str:
        """The part of its name before the slash."""
        return self.name.partition("/")[0]


class Hooks:
    """The hook specification."""

    @hookspec
    def suite_register(self) -> Iterable[Entry]:
        """Announce what this plugin brings. Must import nothing heavy."""
        return ()
