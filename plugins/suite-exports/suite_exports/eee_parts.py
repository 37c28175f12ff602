"""Who was measured, who judged, on what data, as Every Eval Ever says it. Not here: numbers."""

import re
from collections.abc import Mapping

import suite
from suite_exports.eee_schema import Fields, fields

_OURS = ("vllm", "embedded", "transformers")  # engines that the suite itself runs, on weights
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_PART = r"[A-Za-z0-9_-](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?"  # of a path: no dot at either end
_MODEL_ID = re.compile(rf"{_PART}(?:/{_PART})+")


def candidate_of(run: suite.ExportedRun) -> suite.RoleMember:
    """The measured model's record. Raises ConfigError where there is none, or more than one."""
    members = run.roles.get("candidate", ())
    if len(members) != 1:
        raise suite.ConfigError(f"run {run.name} measures {len(members)} models; one file is about one model")
    return members[0]


def model_id(member: suite.RoleMember, given: str = "") -> str:
    """DEVELOPER/MODEL. Raises ConfigError where a name does not say the developer: it is not guessed."""
    name = given or str(member.identity.get("name") or member.spec.partition("/")[2])
    developer = name.partition("/")[0].lower()
    if not _MODEL_ID.fullmatch(name) or developer in ("unknown", "data"):
        raise suite.ConfigError(
            f"{name!r} does not say who made the model",
            where=member.spec,
            fix="give --model-id DEVELOPER/MODEL, as the Hub or the maker writes it",
        )
    return name


def model_info(
    member: suite.RoleMember, identity: str, deployment: str | None = None, availability: str = "unknown"
) -> Fields:
    """A model with its engine. deployment: None means self_deployed where the suite ran it, else unknown."""
    known = member.identity
    provider = str(known.get("provider") or member.spec.partition("/")[0])
    ran_here = provider in _OURS and not known.get("url")
    details = {
        "deployment_type": deployment or ("self_deployed" if ran_here else "unknown"),
        "model_availability": availability,
        "suite_spec": member.spec,
    }
    if revision := known.get("revision"):
        details["revision"] = str(revision)
    engine = known.get("engine")
    version = known.get("engine_version")
    return fields(
        name=identity.partition("/")[2] or identity,
        id=identity,
        developer=identity.partition("/")[0] if "/" in identity else None,
        inference_engine=fields(name=str(engine), version=str(version) if version else None)
        if engine
        else None,
        additional_details=details,
    )


def judges_of(run: suite.ExportedRun, task: suite.AnyTask | None, cell: suite.CellRecord) -> Fields | None:
    """The judges of a cell, with the templates of its task; None where the task asks no judge.

    Where the task is not installed, the run's judges are named without their templates.
    """
    members = run.roles.get("judge", ())
    if not members:
        return None
    if task is not None:
        try:
            role = task.roles().get("judge")
        except suite.SuiteError:
            role = None
        if role is None:
            return None
    return fields(
        judges=list(map(_judge, members)),
        input_prompt=_prompt(task, cell),
        additional_details={
            "prompts": cell.prompts,
            "prompts_sha256": cell.prompts_sha256,
            "scope": "the task asks these judges; a metric of it may rest on other values",
        },
    )


def _judge(member: suite.RoleMember) -> Fields:
    """A judge is named as far as it is known: its developer is not asked for."""
    name = str(member.identity.get("name") or member.spec.partition("/")[2] or "unknown")
    found = member.sampling.get("temperature")
    temperature = float(found) if isinstance(found, int | float) else None
    return fields(model_info=model_info(member, name), temperature=temperature)


def _prompt(task: suite.AnyTask | None, cell: suite.CellRecord) -> str:
    digest = cell.prompts_sha256
    if cell.prompts != "own":  # others' words: named, not copied
        return f"official prompts, fetched as the registry pins them; sha256 over all templates {digest}"
    if task is None or not task.prompts.names() or task.prompts.sha256() != digest:
        return f"not at hand; sha256 over all templates of the task {digest}"
    return "\n\n".join(f"[{name}]\n{getattr(task.prompts, name).text}" for name in task.prompts.names())


def licence_of(identity: Mapping[str, suite.Json]) -> str:
    """The name of a dataset's licence, "" where none is known."""
    licence = identity.get("licence")
    return str(licence.get("name") or "") if isinstance(licence, dict) else ""


def data_of(run: suite.ExportedRun, task: suite.AnyTask | None) -> Fields:
    """The first dataset that a task names (without the task: of the run); the others in the details."""
    known = run.manifest.data
    names = [name for name in (task.info.datasets if task else known) if name in known] or sorted(known)
    if not names:
        return fields(dataset_name="none", source_type="other", additional_details={})
    first = known[names[0]]
    wanted = ("source", "part", "revision", "sha256", "plan_sha256")
    details = {name: str(first[name]) for name in wanted if first.get(name)}
    if licence := licence_of(first):
        details["licence"] = licence
    if first.get("files") and "sha256" not in details:
        details["files_sha256"] = suite.plain(first["files"])
    for name in names[1:]:
        other = known[name]
        details[f"also_{name}"] = suite.plain(
            {key: other[key] for key in ("entry", "repo", "revision", "sha256") if other.get(key)}
        )
    title = str(first.get("entry") or first.get("run") or names[0])
    repo = str(first.get("repo") or "")
    if first.get("source") == "hub" and repo:
        return fields(dataset_name=title, source_type="hf_dataset", hf_repo=repo, additional_details=details)
    if first.get("source") == "git" and repo:
        url = _address(run, title) or repo
        details["repo"] = repo
        return fields(dataset_name=title, source_type="url", url=[url], additional_details=details)
    return fields(dataset_name=title, source_type="other", additional_details=details)


def _address(run: suite.ExportedRun, name: str) -> str:
    """Where a registry entry says that its source can be looked at, "" if the entry is not here."""
    found = run.dataset(name)
    return "" if found is None else found.homepage or str(getattr(found.source, "clone_url", ""))


def component(name: str) -> str:
    """A name as one folder of their layout: slashes become underscores."""
    return name.replace("/", "_").strip()


def collection_of(run: suite.ExportedRun, given: str) -> str:
    """The folder below data/: the family of the run's tasks, "suite" for several. Raises ConfigError."""
    families = {cell.task.partition("/")[0] for cell in run.manifest.cells}
    name = component(given or (families.pop() if len(families) == 1 else "suite"))
    if not name or _UNSAFE.search(name) or name.strip(".") != name or name.lower() == "data":
        raise suite.ConfigError(
            f"--collection {given!r} is no portable folder name", fix="letters, digits, . _ -"
        )
    return name
