"""Who sat in the roles of a recorded run, presented as they were recorded, and answering nothing anew."""

from collections.abc import Mapping, Sequence
from typing import Any

from suite.chat import Reply, Request
from suite.errors import CallFailed
from suite.models.base import Asking, Engine
from suite.models.spec import ModelSpec, parse_spec
from suite.run.cells import Cell
from suite.run.filling import Filled, Member, roles_of


class RecordedEngine(Engine):
    """A member as the manifest describes it. Whatever reaches it was not recorded."""

    def __init__(self, spec: ModelSpec, record: Mapping[str, Any]) -> None:
        super().__init__(spec)
        self._record = record

    def capabilities(self) -> frozenset[str]:
        """The recorded ones."""
        return frozenset(self._record.get("capabilities") or ())

    def identity(self) -> Mapping[str, Any]:
        """The recorded one."""
        return dict(self._record.get("identity") or {})

    def limits(self) -> Mapping[str, int]:
        """The recorded window; nothing is sent, so no cap on requests."""
        limits = self._record.get("limits") or {}
        return {"window": limits["window"]} if "window" in limits else {}

    async def call(self, request: Request, asking: Asking) -> Reply:
        """Raises CallFailed("not-recorded")."""
        raise CallFailed(
            "not-recorded",
            f"{asking.member} is asked what no recorded call answers ({request.kind}, key {asking.key!r})",
            retryable=False,
        )


def recorded_members(cells: Sequence[Cell], run: Mapping[str, Any], scoring: Mapping[str, Any]) -> Filled:
    """The members of both stages, from the manifests of a run and of its scoring.

    Raises ConfigError for a spec that is none.
    """
    members: dict[str, Member] = {}
    for manifest in (run, scoring):
        for role, records in (manifest.get("roles") or {}).items():
            for record in records:
                base = parse_spec(record["spec"])
                spec = ModelSpec(base.provider, base.name, {}, dict(record.get("sampling") or {}))
                members.setdefault(
                    record["member"],
                    Member(
                        role,
                        record["member"],
                        spec,
                        RecordedEngine(spec, record),
                        record["stage"],
                        frozenset(record.get("needs") or ()),
                    ),
                )
    order = {name: place for place, name in enumerate(roles_of(cells))}
    ordered = sorted(members.values(), key=lambda one: order.get(one.role, len(order)))
    return Filled(tuple(ordered), {name: roles[0] for name, roles in roles_of(cells).items()})
