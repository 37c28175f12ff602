"""Whether two runs measure the same thing: every difference is named, and is refused or warned of.

Refused unless asked otherwise: another data revision, task version, prompt, at-score parameter, judge or
simulated user; a number made so would not be about the models. Warned of: what only changes its precision.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from suite.chat import canonical_json
from suite.compare.loading import ComparedRun
from suite.errors import ConfigError
from suite.run.findings import answered

Weight = Literal["refuse", "warn"]
MEASURING = ("judge", "user", "baseline", "reference")  # roles whose change changes what is measured


@dataclass(frozen=True, slots=True)
class Difference:
    """what: differs, in words. first, second: the two values. weight: "refuse" or "warn"."""

    what: str
    first: str
    second: str
    weight: Weight

    def sentence(self, a: str, b: str) -> str:
        """One line."""
        return f"{self.what}: {a} has {self.first}, {b} has {self.second}"


@dataclass(frozen=True)
class Match:
    """Two cells of one task that are compared. parameters: what both share; differing: what they do not."""

    task: str
    cell_a: str
    cell_b: str
    parameters: Mapping[str, Any]
    differing: Mapping[str, tuple[Any, Any]]


def match_cells(a: ComparedRun, b: ComparedRun) -> tuple[list[Match], list[Difference]]:
    """Cells with the same task and parameters; and, if one is left over on both sides of a task, these two.

    Raises ConfigError where nothing matches.
    """
    found: list[Match] = []
    notes: list[Difference] = []
    for task in dict.fromkeys(cell["task"] for cell in a.cells):
        left = [cell for cell in a.cells if cell["task"] == task]
        right = [cell for cell in b.cells if cell["task"] == task]
        for one in list(left):
            same = next((two for two in right if _same(one["parameters"], two["parameters"])), None)
            if same is not None:
                found.append(Match(task, one["cell"], same["cell"], one["parameters"], {}))
                left.remove(one)
                right.remove(same)
        if len(left) == 1 and len(right) == 1:
            one, two = left[0], right[0]
            names = dict.fromkeys([*one["parameters"], *two["parameters"]])
            values = {name: (one["parameters"].get(name), two["parameters"].get(name)) for name in names}
            differing = {name: pair for name, pair in values.items() if not _same(*pair)}
            shared = {name: pair[0] for name, pair in values.items() if name not in differing}
            found.append(Match(task, one["cell"], two["cell"], shared, differing))
            for name, (mine, theirs) in differing.items():
                notes.append(Difference(f"parameter {name} of {task}", _shown(mine), _shown(theirs), "warn"))
        elif left or right:
            notes.append(
                Difference(f"cells of {task} without a partner", str(len(left)), str(len(right)), "warn")
            )
    if not found:
        tasks_a, tasks_b = (sorted({cell["task"] for cell in run.cells}) for run in (a, b))
        shared_tasks = set(tasks_a) & set(tasks_b)
        why = "no cell has the same parameters" if shared_tasks else "they have no task in common"
        raise ConfigError(
            f"{a.name} and {b.name} cannot be compared: {why}",
            f"{', '.join(tasks_a)} against {', '.join(tasks_b)}",
            "run the same task with the same parameters for both models",
        )
    return found, notes


def differences(a: ComparedRun, b: ComparedRun, matches: Sequence[Match]) -> list[Difference]:
    """Everything that differs between two runs, beside the candidates."""
    return [*_cells(a, b, matches), *_data(a, b), *_roles(a, b), *_settings(a, b)]


def _cells(a: ComparedRun, b: ComparedRun, matches: Sequence[Match]) -> Iterator[Difference]:
    cells_a, cells_b = ({cell["cell"]: cell for cell in run.cells} for run in (a, b))
    scored_a, scored_b = (
        {cell["cell"]: cell for cell in run.scoring_manifest.get("cells", ())} for run in (a, b)
    )
    seen: set[tuple[str, str]] = set()
    for match in matches:
        one = {**cells_a[match.cell_a], **scored_a.get(match.cell_a, {})}
        two = {**cells_b[match.cell_b], **scored_b.get(match.cell_b, {})}
        one["code"], two["code"] = _code(a, b, match.task)
        for name, words, weight in (
            ("version", "task version", "refuse"),
            ("prompts", "whose prompts", "refuse"),
            ("prompts_sha256", "wording of the prompts", "refuse"),
            ("score_parameters", "at-score parameters", "refuse"),
            ("plugin", "version of the plugin", "warn"),
            ("code", "code", "warn"),
            ("facts", "facts of the task", "warn"),
        ):
            key = (name, match.task)
            if key not in seen and not _same(one.get(name), two.get(name)):
                seen.add(key)
                if name == "prompts_sha256" and ("prompts", match.task) in seen:
                    continue
                shown = _apart(one.get(name), two.get(name))
                yield Difference(f"{words} ({match.task})", *shown, weight)  # type: ignore[arg-type]


def _code(a: ComparedRun, b: ComparedRun, task: str) -> tuple[str | None, str | None]:
    """Hashes of the source that solved a task, where both runs know theirs."""
    one, two = ((run.manifest.get("code") or {}).get(task, {}).get("sha256", "")[:8] for run in (a, b))
    return (one, two) if one and two else (None, None)


def _data(a: ComparedRun, b: ComparedRun) -> Iterator[Difference]:
    mine, theirs = a.manifest.get("data", {}), b.manifest.get("data", {})
    for name in sorted(set(mine) & set(theirs)):
        one, two = mine[name], theirs[name]
        if _same(one, two):
            continue
        entry = (
            isinstance(one, Mapping) and isinstance(two, Mapping) and one.get("entry") and two.get("entry")
        )
        if not entry:  # a run or a file: what another model made may be the very thing compared
            yield Difference(f"data {name}", _shown_data(one), _shown_data(two), "warn")
        elif one.get("entry") != two.get("entry") or not _same(one.get("files"), two.get("files")):
            yield Difference(f"data {name}", _shown_data(one), _shown_data(two), "refuse")


def _roles(a: ComparedRun, b: ComparedRun) -> Iterator[Difference]:
    mine, theirs = (_members(run) for run in (a, b))
    for role in sorted((set(mine) | set(theirs)) - {"candidate"}):
        if not _same(mine.get(role), theirs.get(role)):
            weight: Weight = "refuse" if role in MEASURING else "warn"
            yield Difference(role, *_apart_models(mine.get(role), theirs.get(role)), weight)
    one, two = (mine.get("candidate") or [{}]), (theirs.get("candidate") or [{}])
    yield from _answered(a, b, mine, theirs)
    if not _same(one[0].get("sampling"), two[0].get("sampling")):
        shown = (_shown(one[0].get("sampling")), _shown(two[0].get("sampling")))
        yield Difference("sampling of the candidate", *shown, "warn")


def _answered(
    a: ComparedRun, b: ComparedRun, mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> Iterator[Difference]:
    """Members of one spec as whom other models answered, or who tell other facts of themselves."""
    first, second = (answered(run.reader, run.journal) for run in (a, b))
    for role in sorted(set(mine) & set(theirs)):
        for number, (one, two) in enumerate(zip(mine[role], theirs[role], strict=False), 1):
            member = role if number == 1 else f"{role}/{number}"
            same = one["spec"] == two["spec"]
            told = [(each.get("identity") or {}).get("told") for each in (one, two)]
            if role == "candidate" and same and not _same(*told):
                yield Difference(f"what the endpoint of the {member} tells", *_apart(*told), "warn")
            left, right = first.get(member), second.get(member)
            if not left or not right or set(left) == set(right):
                continue
            if same or len(left) > 1 or len(right) > 1:
                other = left.most_common(1)[0][0] != right.most_common(1)[0][0]
                weight: Weight = "refuse" if role in MEASURING and same and other else "warn"
                yield Difference(f"who answered as the {member}", _shares(left), _shares(right), weight)


def _shares(counts: Counter[str]) -> str:
    total = counts.total()
    return ", ".join(f"{name[:80]} {n / total:.0%}" for name, n in counts.most_common(4))


def _members(run: ComparedRun) -> dict[str, list[dict[str, Any]]]:
    """Role -> its members, without capabilities and limits of the machine."""
    roles = {**run.manifest.get("roles", {}), **run.scoring_manifest.get("roles", {})}
    return {
        role: [{name: one.get(name) for name in ("spec", "identity", "sampling")} for one in members]
        for role, members in roles.items()
    }


def _settings(a: ComparedRun, b: ComparedRun) -> Iterator[Difference]:
    for name, words in (
        ("seed", "seed"),
        ("trials", "trials"),
        ("limit", "limit of groups"),
        ("imported", "imported from elsewhere"),
        ("suite", "version of the suite"),
    ):
        one, two = a.manifest.get(name), b.manifest.get(name)
        if one != two:
            yield Difference(words, _shown(one), _shown(two), "warn")


def refuse(a: ComparedRun, b: ComparedRun, found: Sequence[Difference]) -> None:
    """Raises ConfigError that names every difference that makes a comparison meaningless."""
    refused = [one for one in found if one.weight == "refuse"]
    if refused:
        raise ConfigError(
            f"{a.label} and {b.label} are not comparable",
            "; ".join(one.sentence(a.label, b.label) for one in refused),
            "run or score one of them again, or say --anyway to see the numbers with this warning",
        )


def _same(one: Any, two: Any) -> bool:
    return bool(canonical_json(one) == canonical_json(two))


def _shown(value: Any, most: int = 80) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else canonical_json(value).decode()
    return text if len(text) <= most else text[: most - 1] + "…"


def _apart(one: Any, two: Any) -> tuple[str, str]:
    """Two values, of mappings only what differs."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        names = [name for name in {**one, **two} if not _same(one.get(name), two.get(name))]
        one, two = ({name: each.get(name) for name in names} for each in (one, two))
    if isinstance(one, str) and isinstance(two, str) and len(one) == len(two) == 64:
        return one[:12], two[:12]
    return _shown(one), _shown(two)


def _apart_models(one: Any, two: Any) -> tuple[str, str]:
    specs = [", ".join(str(member["spec"]) for member in each or ()) or "none" for each in (one, two)]
    if specs[0] != specs[1]:
        return specs[0], specs[1]
    first, second = ((each or [{}])[0] for each in (one, two))
    parts = [_apart(first.get(name), second.get(name)) for name in ("identity", "sampling")]
    shown = next((pair for pair in parts if pair[0] != pair[1]), ("another one", "another one"))
    return f"{specs[0]} {shown[0]}", f"{specs[1]} {shown[1]}"


def _shown_data(identity: Any) -> str:
    if not isinstance(identity, Mapping):
        return _shown(identity)
    name = identity.get("entry") or identity.get("run") or identity.get("file") or identity.get("name") or ""
    mark = identity.get("revision") or identity.get("sha256") or ""
    return " ".join(filter(None, (str(name), str(mark)[:12]))) or _shown(identity)
