"""Who sat in the roles of a recorded run, presented as they were recorded, and answering nothing anew."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from suite.chat import Reply, Request
from suite.errors import CallFailed
from suite.models.base import Asking, Engine
from suite.models.options import LATER, recorded_capabilities
from suite.models.spec import SAMPLING, ModelSpec, parse_spec
from suite.roles import Role
from suite.run.cells import Cell
from suite.run.filling import Filled, Member, roles_of
from suite.run.plan import NOT_IDENTITY


class RecordedEngine(Engine):
    """A member as the manifest describes it. Whatever reaches it was not recorded."""

    def __init__(self, spec: ModelSpec, record: Mapping[str, Any]) -> None:
        super().__init__(spec)
        self._record = record

    def capabilities(self) -> frozenset[str]:
        """The recorded ones."""
        return recorded_capabilities(self._record.get("capabilities"))

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


def wrong_roles(
    cells: Sequence[Cell], run: Mapping[str, Any], scoring: Mapping[str, Any]
) -> Iterator[tuple[str, str, Any, Any]]:
    """(file and field, what, expected, found) of records that no run of these cells writes.

    The replay seats who is recorded, and rungs ask the records who that was: so each member must stand once
    under its own name, in its own stage, described alike wherever it is described.
    """
    wanted = roles_of(cells)
    seen: dict[str, Mapping[str, Any]] = {}
    manifests = (("manifest.json", run, "solve"), ("scoring/manifest.json", scoring, "score"))
    for file, manifest, stage in manifests:
        given = manifest.get("roles") or {}
        for name in sorted({*given, *wanted}):
            where, records = f"{file} roles.{name}", given.get(name, ())
            roles = wanted.get(name, ())
            stages = {role.stage for role in roles}
            its = stages.pop() if len(stages) == 1 else "both"
            if not roles or (its not in (stage, "both") and records):
                yield where, "nobody is asked in this role at this stage", "no member", len(records)
                continue
            if its in (stage, "both"):
                yield from _wrong_members(where, name, records, roles, its)
            for record in records:
                first = seen.setdefault(record["member"], record)
                for field in ("spec", "sampling", "needs", "identity"):
                    here, there = _lasting(first[field]), _lasting(record[field])
                    if here != there:
                        what = "a member is described in two ways"
                        yield f"{where}.{record['member']}.{field}", what, here, there


def _lasting(value: Any) -> Any:
    """An identity without what may change while a run goes on."""
    return {k: v for k, v in value.items() if k not in NOT_IDENTITY} if isinstance(value, Mapping) else value


def _wrong_members(
    where: str, name: str, records: Sequence[Mapping[str, Any]], roles: Sequence[Role], stage: str
) -> Iterator[tuple[str, str, Any, Any]]:
    if not records and not all(role.optional for role in roles):
        yield where, "nobody fills a role that the tasks need", "a member", "none"
    if len(records) > 1 and not all(role.many for role in roles):
        yield where, "a panel sits where one member is asked", 1, len(records)
    for number, record in enumerate(records, 1):
        place = f"{where}[{number - 1}]"
        member = name if number == 1 else f"{name}/{number}"
        if record["member"] != member:
            yield f"{place}.member", "a member has not the name of its seat", member, record["member"]
        if record["stage"] != stage:
            yield f"{place}.stage", "the tasks ask this role at another stage", stage, record["stage"]
        known = frozenset().union(*(one for role in roles for one in role.needs))
        needs = frozenset(record["needs"]) | (known & LATER)
        if not needs <= known or not all(any(one <= needs for one in role.needs) for role in roles):
            yield f"{place}.needs", "not what the tasks need of this role", sorted(known), sorted(needs)
        for key in sorted(set(record["sampling"]) - set(SAMPLING)):
            yield f"{place}.sampling", "an override that cannot be given", list(SAMPLING), key
