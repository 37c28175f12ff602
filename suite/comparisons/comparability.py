"""Whether two runs measure the same thing: every difference is named, and is refused or warned of.

Refused unless asked otherwise: another data revision, task version, prompt, at-score parameter, judge or
simulated user; a number made so would not be about the models. Warned of: what only changes its precision.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from suite.chat import Json, canonical_json
from suite.comparisons.runs import LabelledRun
from suite.data.view import entry_told
from suite.errors import ConfigError
from suite.journal.documents import RoleMember
from suite.journal.run import Run
from suite.journal.shapes import Values
from suite.run.findings import answered

Weight = Literal["refuse", "warn"]
# what differs, in words -> as manifests call it
SETTINGS = {"seed": "seed", "trials": "trials", "limit of groups": "limit"}
SETTINGS |= {"imported from elsewhere": "imported", "version of the suite": "suite"}
ANYWAY = "run or score one of them again, or say --anyway to see the numbers with this warning"
MEASURING = ("judge", "user", "baseline", "reference")  # roles whose change changes what is measured


@dataclass(frozen=True, slots=True)
class Difference:
    """what: differs, in words. first, second: the two values. weight: "refuse" or "warn"."""

    what: str
    first: str
    second: str
    weight: Weight

    def sentence(self, a: str, b: str) -> str:
        return f"{self.what}: {a} has {self.first}, {b} has {self.second}"


@dataclass(frozen=True)
class Match:
    """Two cells of one task that are compared. parameters: what both share; differing: what they do not."""

    task: str
    cell_a: str
    cell_b: str
    parameters: Values
    differing: Mapping[str, tuple[Json, Json]]


def match_cells(a: Run, b: Run) -> tuple[list[Match], list[Difference]]:
    """Cells with the same task and parameters; and, if one is left over on both sides of a task, these two.

    Raises ConfigError where nothing matches.
    """
    found: list[Match] = []
    notes: list[Difference] = []
    for task in dict.fromkeys(cell.task for cell in a.manifest.cells):
        left, right = (
            {canonical_json(cell.parameters): cell for cell in run.manifest.cells if cell.task == task}
            for run in (a, b)
        )
        for key in [key for key in left if key in right]:
            one, two = left.pop(key), right.pop(key)
            found.append(Match(task, one.cell, two.cell, one.parameters, {}))
        if len(left) == 1 and len(right) == 1:
            one, two = *left.values(), *right.values()
            names = dict.fromkeys([*one.parameters, *two.parameters])
            values = {name: (one.parameters.get(name), two.parameters.get(name)) for name in names}
            differing = {name: pair for name, pair in values.items() if not _same(*pair)}
            shared = {name: pair[0] for name, pair in values.items() if name not in differing}
            found.append(Match(task, one.cell, two.cell, shared, differing))
            for name, pair in differing.items():
                notes += _warned(f"parameter {name} of {task}", *pair)
        elif left or right:
            alone = f"cells of {task} without a partner"
            notes.append(Difference(alone, str(len(left)), str(len(right)), "warn"))
    if not found:
        tasks_a, tasks_b = (sorted({cell.task for cell in run.manifest.cells}) for run in (a, b))
        shared_tasks = set(tasks_a) & set(tasks_b)
        why = "no cell has the same parameters" if shared_tasks else "they have no task in common"
        what, where = f"{a.name} and {b.name} cannot be compared: {why}", map(", ".join, (tasks_a, tasks_b))
        fix = "run the same task with the same parameters for both models"
        raise ConfigError(what, " against ".join(where), fix)
    return found, notes


def differences(a: Run, b: Run, matches: Sequence[Match]) -> list[Difference]:
    """Everything that differs between two runs, beside the candidates."""
    told = [*_cells(a, b, matches), *_data(a, b), *_roles(a, b)]
    for what, name in SETTINGS.items():
        told += _warned(what, getattr(a.manifest, name), getattr(b.manifest, name))
    ends: list[Json] = [run.stopped.when if run.stopped else None for run in (a, b)]
    return [*told, *_warned("early stop (intervals of a fixed size promise too much)", *ends)]


PROMPTS, WORDING = "whose prompts", "wording of the prompts"
REFUSED = ("task version", PROMPTS, WORDING, "at-score parameters")


def _cells(a: Run, b: Run, matches: Sequence[Match]) -> Iterator[Difference]:
    seen: set[tuple[str, str]] = set()
    for match in matches:
        one, two = _of_cell(a, match.cell_a), _of_cell(b, match.cell_b)
        for words in one:
            pair = one[words], two[words]
            unknown_code = words == "code" and None in pair  # told where both runs know theirs
            if (words, match.task) not in seen and not unknown_code and not _same(*pair):
                seen.add((words, match.task))
                if words != WORDING or (PROMPTS, match.task) not in seen:
                    weight: Weight = "refuse" if words in REFUSED else "warn"
                    yield Difference(f"{words} ({match.task})", *_apart(*pair), weight)


def _of_cell(run: Run, cell: str) -> dict[str, Json]:
    """What must be the same of two cells, in words; of the scoring where it has its own."""
    planned = next(one for one in run.manifest.cells if one.cell == cell)
    scored = next((one for one in run.scoring_manifest.cells if one.cell == cell), planned)
    codes = (one.code.get(planned.task) for one in (run.manifest, run.scoring_manifest))
    return {
        "task version": planned.version,
        PROMPTS: scored.prompts,
        WORDING: scored.prompts_sha256,
        "at-score parameters": scored.score_parameters,
        "version of the plugin": planned.plugin,
        "code": ", scored by ".join(dict.fromkeys(one.sha256[:8] for one in codes if one)) or None,
        "facts of the task": scored.facts,
    }


def _data(a: Run, b: Run) -> Iterator[Difference]:
    mine, theirs = a.manifest.data, b.manifest.data
    for name in sorted(set(mine) & set(theirs)):
        one, two = mine[name], theirs[name]
        if _same(one, two):
            continue
        shown = _shown_data(one), _shown_data(two)
        if not (one.get("entry") and two.get("entry")):
            # a run or a file: what another model made may be the very thing compared
            yield Difference(f"data {name}", *shown, "warn")
        elif any(not _same(one.get(key), two.get(key)) for key in ("entry", "part", "files")):
            yield Difference(f"data {name}", *shown, "refuse")


def _roles(a: Run, b: Run) -> Iterator[Difference]:
    for role in sorted((set(a.roles) | set(b.roles)) - {"candidate"}):
        one, two = a.roles.get(role, ()), b.roles.get(role, ())
        if not _same([_who(member) for member in one], [_who(member) for member in two]):
            weight: Weight = "refuse" if role in MEASURING else "warn"
            yield Difference(role, *_apart_models(one, two), weight)
    yield from _answered(a, b)
    sampling: list[Json] = [run.candidate.sampling if run.candidate else None for run in (a, b)]
    yield from _warned("sampling of the candidate", *sampling)


def _who(member: RoleMember) -> Json:
    """A member without its capabilities and the limits of the machine."""
    return [member.spec, member.identity, member.sampling]


def _answered(a: Run, b: Run) -> Iterator[Difference]:
    """Members of one spec as whom other models answered, or who tell other facts of themselves."""
    first, second = (answered(*run.journals()) for run in (a, b))
    for role in sorted(set(a.roles) & set(b.roles)):
        for one, two in zip(a.roles[role], b.roles[role], strict=False):
            same = one.spec == two.spec
            told = one.identity.get("told"), two.identity.get("told")
            if role == "candidate" and same and not _same(*told):
                yield Difference(f"what the endpoint of the {one.member} tells", *_apart(*told), "warn")
            left, right = first.get(one.member), second.get(one.member)
            if not left or not right or set(left) == set(right):
                continue
            if same or len(left) > 1 or len(right) > 1:
                other = left.most_common(1)[0][0] != right.most_common(1)[0][0]
                weight: Weight = "refuse" if role in MEASURING and same and other else "warn"
                yield Difference(f"who answered as the {one.member}", _shares(left), _shares(right), weight)


def _shares(counts: Counter[str]) -> str:
    total = counts.total()
    return ", ".join(f"{name[:80]} {n / total:.0%}" for name, n in counts.most_common(4))


def _warned(what: str, mine: Json, theirs: Json) -> Iterator[Difference]:
    if not _same(mine, theirs):
        yield Difference(what, _shown(mine), _shown(theirs), "warn")


def refuse(a: LabelledRun, b: LabelledRun, found: Sequence[Difference], fix: str = ANYWAY) -> None:
    """Raises ConfigError that names every difference that makes a comparison meaningless."""
    if refused := [one.sentence(a.label, b.label) for one in found if one.weight == "refuse"]:
        raise ConfigError(f"{a.label} and {b.label} are not comparable", "; ".join(refused), fix)


def _same(one: Json, two: Json) -> bool:
    return canonical_json(one) == canonical_json(two)


def _shown(value: Json, most: int = 80) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else canonical_json(value).decode()
    return text if len(text) <= most else text[: most - 1] + "…"


def _apart(one: Json, two: Json) -> tuple[str, str]:
    """Two values, of mappings only what differs."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        names = [name for name in {**one, **two} if not _same(one.get(name), two.get(name))]
        one, two = ({name: each.get(name) for name in names} for each in (one, two))
    if isinstance(one, str) and isinstance(two, str) and len(one) == len(two) == 64:
        return one[:12], two[:12]
    return _shown(one), _shown(two)


def _apart_models(one: Sequence[RoleMember], two: Sequence[RoleMember]) -> tuple[str, str]:
    first, second = (", ".join(member.spec for member in each) or "none" for each in (one, two))
    if first != second:
        return first, second
    parts = [_apart(one[0].identity, two[0].identity), _apart(one[0].sampling, two[0].sampling)]
    shown = next((pair for pair in parts if pair[0] != pair[1]), ("another one", "another one"))
    return f"{first} {shown[0]}", f"{second} {shown[1]}"


def _shown_data(identity: Values) -> str:
    given = next((identity[key] for key in ("run", "file", "name") if identity.get(key)), "")
    name = entry_told(identity) or given
    mark = identity.get("revision") or identity.get("sha256") or ""
    return " ".join(filter(None, (str(name), str(mark)[:12]))) or _shown(identity)
