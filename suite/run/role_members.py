"""Who fills which role: specs become engines, capabilities are held against what the cells need.

Nothing is started here: a model that cannot do what a task needs costs nothing. Two members with the same
provider, name and options share one engine.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from suite.errors import CapabilityError, ConfigError, unknown
from suite.journal.documents import RoleMember
from suite.models.engine import Engine, Provider, Say
from suite.models.options import LATER
from suite.models.reasoning import Tags, tags_of
from suite.models.settings import settled
from suite.models.spec import ModelSpec, parse_spec
from suite.plugins import Catalogue
from suite.roles import AskedIn, Role
from suite.run.cells import AnyTask, Cell
from suite.run.request import EvalRequest

DEFAULTS = {"embedder": "lexical/bm25"}


@dataclass(frozen=True)
class Member:
    """One model in a role. member: "judge", "judge/2". chosen: the capabilities it was taken for."""

    role: str
    member: str
    spec: ModelSpec
    engine: Engine
    stage: AskedIn
    chosen: frozenset[str]

    @property
    def tags(self) -> Tags | None:
        """How its reasoning is marked in its texts; None leaves them alone. Raises ConfigError."""
        return tags_of(self.spec.sampling.get("reasoning_tags", "auto"))

    def record(self) -> RoleMember:
        """What the manifest says of it; complete once the engine has started."""
        return RoleMember(
            member=self.member, spec=shown_spec(self.spec), stage=self.stage, needs=sorted(self.chosen),
            capabilities=sorted(self.engine.capabilities()), identity=dict(self.engine.identity()),
            limits=dict(self.engine.limits()), sampling=dict(self.spec.sampling),
            settings=settled(self.engine.settings(), thinking_of(self.spec)),
        )  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """All members, by role in the order given."""

    members: tuple[Member, ...] = ()
    roles: Mapping[str, Role] = field(default_factory=dict)

    def of(self, role: str) -> tuple[Member, ...]:
        return tuple(one for one in self.members if one.role == role)

    def at(self, *stages: str) -> tuple[Member, ...]:
        return tuple(one for one in self.members if one.stage in stages)

    def engines(self) -> list[Engine]:
        return list({id(one.engine): one.engine for one in self.members}.values())

    def record(self, *stages: str) -> dict[str, list[RoleMember]]:
        """Role -> what is recorded of its members, for members of these stages."""
        found: dict[str, list[RoleMember]] = {}
        for one in self.at(*stages):
            found.setdefault(one.role, []).append(one.record())
        return found


def thinking_of(spec: ModelSpec) -> str | int | None:
    """What a spec says of hidden reasoning."""
    thinking = spec.sampling.get("thinking")
    return thinking if isinstance(thinking, str | int) else None


def shown_spec(spec: ModelSpec) -> str:
    """The spec without a machine's paths: a local model is named by its last folder."""
    if spec.name.startswith(("/", "./", "../", "~")):
        base, question, query = spec.name.partition("?")
        return f"{spec.provider}/{base.rstrip('/').rpartition('/')[2]}{question}{query}"
    return spec.text


def roles_of(cells: Iterable[Cell]) -> dict[str, list[Role]]:
    """Role name -> what the cells need of it."""
    found: dict[str, list[Role]] = {}
    for cell in cells:
        for name, role in cell.task.roles().items():
            if role not in found.setdefault(name, []):
                found[name].append(role)
    return found


class PlannedEngines:
    """The engines of a plan, made once for each provider, name and options.

    check: each must find here what it needs, before it is asked anything.
    """

    def __init__(self, catalogue: Catalogue, check: bool = True) -> None:
        self._catalogue, self._check = catalogue, check
        self._made: dict[str, Engine] = {}

    def of(self, spec: ModelSpec) -> Engine:
        """The engine of a spec. Raises NotFound, ConfigError, EngineError."""
        key = spec.engine_key()
        if key not in self._made:
            provider: Provider = self._catalogue.load("provider", spec.provider)
            engine = provider.engine(spec)
            if self._check:
                engine.check()
            self._made[key] = engine
        return self._made[key]


def able(
    request: EvalRequest, engines: PlannedEngines, stages: Collection[str], say: Say
) -> Callable[[AnyTask], bool]:
    """Whether the models of a request can do what a task needs in these stages (() = all); says if not."""

    def fits(task: AnyTask) -> bool:
        for name, role in task.roles().items():
            if stages and role.stage not in stages:
                continue
            for n, text in enumerate(request.models.get(name, ()), 1):
                engine = engines.of(parse_spec(text, options_of(request, name, n)))
                if role.choose(engine.capabilities()) is None:
                    say(f"{task.info.name}: cells that {text} can answer stand in for those of the preset")
                    return False
        return True

    return fits


def fill(
    request: EvalRequest, cells: Sequence[Cell], engines: PlannedEngines, stages: Collection[str] = ()
) -> Filled:
    """Members of all roles that the cells need in these stages (() = all).

    Raises NotFound (provider, role, option), ConfigError (nobody fills a role, a panel where one sits),
    EngineError (not installed here), CapabilityError.
    """
    wanted = {
        name: roles
        for name, roles in roles_of(cells).items()
        if not stages or any(role.stage in stages for role in roles)
    }
    known = {name for cell in cells for name in cell.task.info.roles}
    for name in request.models:
        if name not in known:
            raise unknown("role", name, known, where=f"of {', '.join({c.plan.task: 0 for c in cells})}")
    for scope, _, _ in request.options:
        _check_scope(scope, known, request)
    members: list[Member] = []
    for name, roles in wanted.items():
        specs = list(request.models.get(name, ()))
        if not specs and name in DEFAULTS:
            specs = [DEFAULTS[name]]
        if not specs:
            if all(role.optional for role in roles):
                continue
            raise _unfilled(name, cells, request)
        if len(specs) > 1 and not all(role.many for role in roles):
            raise ConfigError(f"the role {name!r} takes one model, {len(specs)} were given")
        for number, text in enumerate(specs, 1):
            member = name if number == 1 else f"{name}/{number}"
            options = options_of(request, name, number)
            try:
                engine = engines.of(spec := parse_spec(text, options))
            except ConfigError as error:
                raise _of_role(error, name, text, request, dict(options)) from error
            members.append(_member(name, member, spec, roles, engine, cells))
    return Filled(tuple(members), {name: roles[0] for name, roles in wanted.items()})


def _of_role(
    error: ConfigError, role: str, text: str, request: EvalRequest, own: Mapping[str, str]
) -> ConfigError:
    """An error of a member's engine; of one that was left without the candidate's address, how to give it."""
    url = next((value for scope, key, value in request.options if (scope, key) == ("", "base_url")), "")
    if role == "candidate" or not url or "base_url" in own or parse_spec(text).provider != "openai":
        return error
    fix = f"-o base_url is the candidate's alone: add -o {role}.base_url={url} for the same endpoint"
    return ConfigError(f"{role} {text}: {error.what}", error.where, f"{fix}\n  {error.fix}")


def options_of(request: EvalRequest, role: str, number: int) -> list[tuple[str, str]]:
    """Engine options of a role's member (from 1): the role's, then those of `role/number`, which win."""
    scope = "" if role == "candidate" else role
    of_all = [(key, value) for name, key, value in request.options if name in {scope, role}]
    return of_all + [(key, value) for name, key, value in request.options if name == f"{role}/{number}"]


def _check_scope(scope: str, known: set[str], request: EvalRequest) -> None:
    """Raises NotFound for a role that no cell has, or a member that its role lacks."""
    role, slash, number = scope.partition("/")
    if scope and role not in known:
        raise unknown("role", role, known, where=f"-o {scope}.…")
    count = len(request.models.get(role, ()))
    members = {f"{role}/{n + 1}" for n in range(count)}
    if slash and scope not in members:
        raise unknown("member", scope, members, where=f"-o {scope}.…; {role} has {count}")


def flag_of(role: str, spec: str = "SPEC") -> tuple[str, str]:
    """The words of a command line that fill a role."""
    if role in ("candidate", "baseline", "judge", "user", "embedder"):
        return "--model" if role == "candidate" else f"--{role}", spec
    return "--role", f"{role}={spec}"


def _unfilled(role: str, cells: Sequence[Cell], request: EvalRequest) -> ConfigError:
    """Nobody fills a role: which tasks need it, what to add, and which tasks do without."""
    needing: dict[str, bool] = {}
    for cell in cells:
        needs = cell.task.roles().get(role)
        needed = needs is not None and not needs.optional
        needing[cell.plan.task] = needing.get(cell.plan.task, False) or needed
    flag = " ".join(flag_of(role))
    helps = [f"give {flag}, for example embedded/smollm2-135m, vllm/Qwen/Qwen3-8B or openai/gpt-x"]
    own = next((text for text in request.models.get("candidate", ()) if role != "candidate"), "")
    url = next((value for scope, key, value in request.options if (scope, key) == ("", "base_url")), "")
    if own and url:
        again = " ".join(flag_of(role, own))
        helps.append(f"to try it out, the candidate can sit there, too: {again} -o {role}.base_url={url}")
    if without := [task for task, needs in needing.items() if not needs]:
        helps.append(f"or run alone what needs no {role}: --task {' --task '.join(without)}")
    where = f"needed by {', '.join(task for task, needs in needing.items() if needs)}"
    return ConfigError(f"nobody fills the role {role!r}", where, "\n  ".join(helps))


def _what_helps(cells: Sequence[Cell], name: str, can: frozenset[str]) -> str:
    """What gets by without a capability: a switch of the task that can be off, a dialect, another model."""
    found: list[str] = []
    for task in (cell.task for cell in cells):
        needs = task.roles().get(name)
        if needs is None or needs.choose(can) is not None:
            continue
        fields = type(task.parameters).model_fields
        for switch, value in task.parameters.model_dump().items():
            other = False if value is True else fields[switch].get_default(call_default_factory=True)
            off = type(task)(task.parameters.model_copy(update={switch: other})).roles().get(name)
            if off is None or off.choose(can) is not None:
                found.append(f"-P {switch}={json.dumps(other) if not isinstance(other, str) else other}")
        if any(LATER & (one - can) for one in needs.needs):
            prefix = "" if name == "candidate" else f"{name}."
            found.append(f"-o {prefix}dialect=vllm for an endpoint of vLLM or SGLang")
    other = f"another model for {name}: docs/models.md tells what providers can do"
    return " or ".join(["take " + one for one in dict.fromkeys(found)] or [f"take {other}"])


def _member(
    role: str, member: str, spec: ModelSpec, roles: Sequence[Role], engine: Engine, cells: Sequence[Cell]
) -> Member:
    can = engine.capabilities()
    chosen: frozenset[str] = frozenset()
    for one in roles:
        choice = one.choose(can)
        if choice is None:
            lacking = dict.fromkeys(", ".join(sorted(needs - can)) for needs in one.needs)
            what = f"{spec.text} cannot be {role}: it has no {' and no '.join(lacking)}"
            told, fix = ", ".join(sorted(can)) or "nothing", _what_helps(cells, role, can)
            raise CapabilityError(what, f"it can: {told}", fix)
        chosen |= choice
    thinking = thinking_of(spec)
    if thinking is not None and (why := engine.thinks(thinking)):
        what = f"{spec.text} cannot be told thinking={thinking}"
        raise CapabilityError(what, why, "see thinking in docs/models.md")
    stages = {one.stage for one in roles}
    stage: AskedIn = stages.pop() if len(stages) == 1 else "both"
    made = Member(role, member, spec, engine, stage, chosen)
    _ = made.tags  # a bad value is an error of the plan
    return made
