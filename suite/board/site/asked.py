"""What a board asks for, in words: of an item, of the candidate, of who is ranked."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from suite.board.definition import Board, Item
from suite.board.site.markup import name
from suite.report.formatting import number, percent, plain


def item_facts(board: Board, item: Item) -> list[tuple[str, str]]:
    """Facts of a column."""
    data = "mini data (a demonstration: compare with nothing)" if item.data == "mini" else "full"
    facts = [
        ("Task", f"{item.task}, version {item.version}"),
        ("Weight", percent(board.weights[item.name])),
        ("Scale", f"{number(item.normalise.low)} to {number(item.normalise.high)}"),
        ("Data", data if item.limit is None else f"{data}, limit {item.limit:,}"),
        ("Trials, seed", f"{item.trials}, {'any' if item.seed is None else item.seed}"),
        ("Prompts", item.prompts),
    ]
    if item.parameters or item.score_parameters:
        facts.append(("Parameters", _values({**item.parameters, **item.score_parameters})))
    facts += [(f"Each of {key}", plain(list(values))) for key, values in item.sweep.items()]
    for role, seats in item.roles.items():
        facts.append((role.capitalize(), "; ".join(_seat(one.spec, one.identity) for one in seats)))
    caps = [f"{what} at most {percent(cap)}" for what, cap in item.caps if cap is not None]
    if caps:
        facts.append(("Caps", ", ".join(caps)))
    if item.data_published:
        facts.append(("Data published", item.data_published.isoformat()))
    return facts


def _seat(spec: str, identity: Mapping[str, Any]) -> str:
    return f"{spec} ({_values(identity)})" if identity else spec


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {plain(value)}" for key, value in values.items())


def board_facts(board: Board) -> Markup:
    """What holds for every entry."""
    sampling = board.candidate.sampling
    rules = board.eligibility
    facts = [
        ("Every task of", ", ".join(name(item.shown) for item in board.tasks)),
        (
            "Candidate",
            f"{' or '.join(board.candidate.allow)}; one model and one set of options over all tasks",
        ),
        ("Sampling", sampling if isinstance(sampling, str) else _values(sampling) or "as the tasks ask"),
        ("Ranked from", f"trust {rules.min_trust}; {' and '.join(rules.types)} entries, ranked apart"),
        ("Contamination", "marked" if rules.contamination == "mark" else "excluded from ranks"),
        ("Bundle", f"at most {board.limits.bundle_mib:,} MiB"),
    ]
    rows = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(term, text) for term, text in facts)
    return Markup('<dl class="facts">{}</dl>').format(rows)
