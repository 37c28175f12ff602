"""What every kind of sandbox is: something that runs untrusted programs and says how they ended."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from suite.sandbox.program import Limits, Program, SandboxResult

DEFAULT = Limits()


class Sandbox(ABC):
    """Runs programs, several at once if asked to. Get one by `suite.open_sandbox`.

    A plugin brings another kind with an Entry of kind "sandbox": its target is an async function without
    arguments that returns an opened Sandbox, or raises SandboxUnavailable.
    """

    name: str

    @abstractmethod
    async def run(self, program: Program, limits: Limits = DEFAULT) -> SandboxResult:
        """Run one program to its end or to a limit; nothing of it is alive afterwards.

        Raises SandboxUnavailable if the sandbox itself fails (never for what a program does).
        """

    @abstractmethod
    async def close(self) -> None:
        """End everything; running programs come back as "killed"."""

    def facts(self) -> Mapping[str, str]:
        """What contains the programs, for the records: kind, versions, mechanisms. No machine paths."""
        return {"sandbox": self.name}


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a probe found. ok: untrusted code can be contained here.

    name: the kind that works. facts: how it contains. problems: kind -> why it does not work.
    """

    ok: bool
    name: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    fix: str = ""
