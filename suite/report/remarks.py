"""What a reader must know before believing a number: partial, pending, imported, toy models, deviations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from suite.report.findings import sentences
from suite.report.loading import LoadedRun
from suite.report.numbers import percent, plain

MOST_TAG_VALUES = 8


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence. `weight`: "warning" changes what the numbers mean, "note" is good to know."""

    weight: Literal["warning", "note"]
    text: str


def roles_of(run: LoadedRun) -> dict[str, list[Mapping[str, Any]]]:
    """Members by role, those of the scoring in place of the run's where both name a role."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for manifest in (run.manifest, run.scoring_manifest):
        for role, members in manifest.get("roles", {}).items():
            found[role] = list(members)
    return found


def role_lines(run: LoadedRun) -> list[tuple[str, str]]:
    """(member, model spec) of every member."""
    return [
        (str(one.get("member", role)), str(one.get("spec", "")))
        for role, members in roles_of(run).items()
        for one in members
    ]


def remarks(run: LoadedRun) -> list[Remark]:
    """All remarks on a run, warnings first."""
    told = [Remark("warning" if bad else "note", text) for text, bad in sentences(run.results)]
    otherwise = [Remark("note", f"{text}.") for text in _adapted(run)]
    found = [*_toys(run), *_state(run), *told, *otherwise, *_coverage(run), *_notes(run)]
    return sorted(found, key=lambda one: one.weight != "warning")


def _adapted(run: LoadedRun) -> list[str]:
    """What was asked otherwise than planned, since an endpoint refused a setting; each once."""
    attempts = (one for journal in run.journals() for one in journal.attempts)
    return list(dict.fromkeys(one.detail for one in attempts if one.event == "adapted"))


def _toys(run: LoadedRun) -> Iterator[Remark]:
    # an embedded embedder is as good as any; an embedded chat model only proves that everything works
    specs = dict.fromkeys(
        str(one.get("spec", ""))
        for role, members in roles_of(run).items()
        if role != "embedder"
        for one in members
    )
    for spec in specs:
        if spec.startswith("embedded/"):
            yield Remark(
                "warning", f"{spec} is a small model for trying things out: these scores mean nothing."
            )
        elif spec.startswith("scripted/"):
            yield Remark("warning", f"{spec} answers by script, not by a model: these scores mean nothing.")


def _state(run: LoadedRun) -> Iterator[Remark]:
    manifest, results = run.manifest, run.results
    if manifest.get("imported") or results.get("imported"):
        yield Remark(
            "warning", "Imported: the answers were made elsewhere and can't be checked against their calls."
        )
    if not run.scoring_id:
        yield Remark("warning", f"Not scored yet: suite score {run.name}")
    elif not results:
        yield Remark("warning", f"The scoring {run.scoring_id} has no results yet: {how_to_continue(run)}")
    elif pending := int(results.get("pending", 0)):
        yield Remark(
            "warning",
            f"{pending:,} {'sample has' if pending == 1 else 'samples have'} no result yet (not begun, or "
            f"a call got no reply) and {'is' if pending == 1 else 'are'} no part of the numbers. "
            f"To continue: {how_to_continue(run)}",
        )
    elif not results.get("complete", True):
        yield Remark("warning", f"This run is not complete. To continue: {how_to_continue(run)}")


def how_to_continue(run: LoadedRun) -> str:
    """What to do: a run's command line is not part of its records, so it can only be asked to be repeated."""
    if run.manifest.get("imported_from"):
        return "the imported files hold no result for them; import them again once they do"
    if run.manifest.get("imported"):
        return "add their texts to the file of answers, and give it to the same command with another --out"
    solved = all(
        int(cell.get("solved", 0)) >= int(cell.get("samples", 0)) for cell in run.results.get("cells", ())
    )
    if run.results and solved:
        return f"suite score {run.name}"
    return "repeat the command that began it (with --out FOLDER, if one was named)"


def _coverage(run: LoadedRun) -> Iterator[Remark]:
    coverage = run.results.get("coverage") or {}
    groups = coverage.get("groups") or run.manifest.get("counts", {})
    taken, every = groups.get("taken", groups.get("groups_taken")), groups.get("all", groups.get("groups"))
    if not taken or not every or taken >= every:
        return
    text = f"Partial: {taken:,} of {every:,} groups ({percent(taken / every)})"
    if run.manifest.get("limit"):
        text += f", chosen at random by --limit {run.manifest['limit']}"
    yield Remark("warning", text + ".")
    for tag, values in (coverage.get("tags") or {}).items():
        if len(values) < 2:
            continue
        shares = {
            str(value): (int(count.get("taken", 0)), int(count.get("all", 0)))
            for value, count in values.items()
        }
        missing = [value for value, (have, _) in shares.items() if not have]
        # the least covered first: that is what a reader must know
        ordered = sorted(shares.items(), key=lambda pair: pair[1][0] / max(pair[1][1], 1))
        shown = ", ".join(
            f"{plain(value)} {have:,}/{all_:,}" for value, (have, all_) in ordered[:MOST_TAG_VALUES]
        )
        more = f" and {len(shares) - MOST_TAG_VALUES} more" if len(shares) > MOST_TAG_VALUES else ""
        none = f"; {len(missing)} not covered at all" if missing else ""
        yield Remark("note", f"Covered by {plain(tag)}: {shown}{more}{none}.")


def _notes(run: LoadedRun) -> Iterator[Remark]:
    if run.manifest.get("mini"):
        yield Remark("warning", "Run on the bundled mini data: a demonstration, comparable with nothing.")
    if run.manifest.get("shard"):
        yield Remark("warning", f"One shard of a run: {plain(run.manifest['shard'])}.")
    for task, note in {cell["task"]: cell.get("note", "") for cell in run.manifest["cells"]}.items():
        if note:
            yield Remark("note", f"{task}: {note}")


def parameters_of(plan: Mapping[str, Any], scored: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a cell, those of the scoring in place of the run's."""
    at_score = scored.get("score_parameters", {})
    return {**plan["parameters"], **plan.get("score_parameters", {}), **at_score}


def deviations(plan: Mapping[str, Any], scored: Mapping[str, Any]) -> dict[str, str]:
    """What is shown with a cell's headline: protocol, prompts, and the facts its task told when opened."""
    found: dict[str, str] = {}
    if "protocol" in plan["parameters"]:
        found["protocol"] = plain(plan["parameters"]["protocol"])
    prompts = scored.get("prompts") or plan.get("prompts")
    if prompts:
        found["prompts"] = plain(prompts)
    for source in (plan, scored):
        for name, value in (source.get("facts") or {}).items():
            if plain(plan["parameters"].get(name)) != plain(value):  # else it only repeats a parameter
                found[str(name)] = plain(value)
    return found
