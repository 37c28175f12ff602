"""Findings of results.json in words, with the option that helps. Their data: `suite/run/findings.py`."""

from collections.abc import Iterator, Mapping, Sequence

from suite.errors import listed
from suite.journal.documents import ResultFinding, Results

HELP = {
    "overflow": "a model with a larger window, or a larger window of the server (max_model_len, num_ctx)",
    "refused": "the replies' `details` hold the filter's words",
    "empty": "{o}max_tokens=N, if hidden reasoning uses them up",
    "length": "{o}max_tokens=N",
    "invalid": "the replies' `details` hold the reason",
}
ENDS = {
    "overflow": "because the prompt is longer than the window",
    "refused": "by a refusal or a content filter",
    "empty": "without any text",
    "length": "cut off at the limit of new tokens",
    "invalid": "as invalid",
}


def _shares(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    return listed([f"{name[:80]} {n:,} ({n / total:.0%})" for name, n in ordered], 6)


def _option(member: str) -> str:
    return "-o " if member == "candidate" else f"-o {member}."


NOTES = ("cached", "wording", "room")  # the other kinds are warnings
PLAIN = {
    "models": "Several models answered as the {who}: {shares}.",
    "fingerprints": "The {who}'s system_fingerprint changed within the run: {shares}.",
    "settled": "{n:,} failed calls of the {who} were settled on purpose by --settle: {shares}.",
    "wording": "{n:,} refusals of the {who} were read by a pattern of the user's: {shares}.",
    "room": "{n:,} requests to the {who} asked for fewer new tokens than set, the rest of the window.",
    "counts": "The endpoint of the {who} reports token counts that cannot be ({n:,} in {of:,} replies), such "
    "as {first}: hold its bill against the cost shown here.",
    "tags": "No sample of {who} has the tag {names}, by which its metrics are sliced.",
}


def sentence(one: ResultFinding, cells: Mapping[str, str]) -> str:
    """The finding in words. cells: id -> what a cell is called."""
    kind, who, counts, of = one.kind, one.who, one.counts, one.of
    first = next(iter(counts), "")
    n = sum(counts.values())
    if kind in PLAIN:
        names = " or ".join(counts)
        return PLAIN[kind].format(who=who, n=n, of=of, shares=_shares(counts), names=names, first=first)
    match kind:
        case "identity":
            changes = "; ".join(counts)
            return f"The {who} was not who it was when the run began, as it went on: {changes}."
        case "code":
            return (
                f"The code of {who} is not what the outputs were made with: {'; '.join(counts)}. "
                "`suite eval … --new` makes new ones."
            )
        case "cached":
            return f"{n:,} of {of:,} replies of the {who} came from the cache of {', '.join(counts)}."
        case "cut":
            return (
                f"The endpoint of the {who} read fewer tokens than were sent in {counts['cut']:,} of {of:,} "
                f"calls: at most {counts['read']:,} of at least {counts['sent']:,}. It cut prompts without "
                "a word: raise its window (num_ctx in Ollama, -c in llama.cpp, context length in LM Studio)."
            )
        case "short":
            limits = " or ".join(sorted(counts, key=lambda one: int(one or 0)))
            at = f"at {limits} tokens" if all(counts) else "short"
            option = f"{_option(who)}max_tokens=…"
            return f"{n:,} of {of:,} {who} replies were cut {at}, and none of them was read: {option}"
        case "alike":
            helps = HELP.get(first, "").format(o="-o ")
            return f"All {of:,} outputs of {cells.get(who, who)} ended {ENDS.get(first, first)}: {helps}."
        case "judged":
            helps = HELP.get(first, "").format(o=_option(who))
            return f"{n:,} of {of:,} replies of the {who} ended {ENDS.get(first, first)}: {helps}."
    fix = "look at the judge's replies, then `suite score` with another judge or -o judge.max_tokens=N"
    if first.endswith(": not-finite"):
        fix = "the task's own arithmetic gives NaN or infinity: correct its score"
    return (
        f"{n:,} of {of:,} scores of {cells.get(who, who)} have no value, all for one reason ({first}): {fix}."
    )


def sentences(
    results: Results, findings: Sequence[ResultFinding] | None = None
) -> Iterator[tuple[str, bool]]:
    """The findings of a scoring, or these of them, in words, each with whether it is a warning."""
    cells = {cell.cell: f"{cell.task} (cell {cell.cell})" for cell in results.cells}
    found = results.findings if findings is None else findings
    short = {one.who for one in found if one.kind == "short"}
    for one in found:
        if one.kind != "judged" or one.who not in short or "length" not in one.counts:
            yield sentence(one, cells), one.kind not in NOTES
