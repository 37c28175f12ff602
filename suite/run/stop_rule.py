"""When a run may end before its plan: a rule looks after every finished group, in an order of its own.

What it finds follows from the plan and the journals alone, of all shards where there are some: neither from
who is fast nor from when it looks. Rules stand above: nothing here knows what they want.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from suite.journal.decisions import Decision
from suite.run.order import Group


class StopRule(Protocol):
    """Ends a run whose question is answered."""

    def ordered(self, groups: Iterable[Group]) -> Iterable[Group]:
        """The groups in the order of its looks."""

    def look(self, folders: Sequence[Path]) -> bool:
        """Read what is new in a run, or its shards; whether no more is needed. Raises RunError for damage."""

    def decision(self) -> Decision:
        """What it found so far."""
