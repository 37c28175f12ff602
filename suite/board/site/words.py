"""What the site says in words: what a board asks for, what a bundle cannot show, and how ranks are made."""

from collections.abc import Mapping

from markupsafe import Markup

from suite.chat import Json
from suite.board.define.board import Board, Item
from suite.board.rank.overall import NAMES, PROPERTIES
from suite.board.rank.ranking import Ranking
from suite.board.site.markup import name
from suite.report.numbers import number, percent, plain

CANNOT_SHOW = (
    (
        "Where the replies came from.",
        "Nobody but the submitter saw the model produce them. Replies that another model, a person or a "
        "system with tools wrote can be consistent in every way. A re-run can tell; entries that were re-run "
        "have trust L3 or more.",
    ),
    (
        "Selection.",
        "Of several honest runs the best may have been sent. The number of whole runs is declared, and "
        "the luck that the best of so many brings is shown beside it.",
    ),
    ("Training on the test.", "Exposure is declared by the submitter. “Unknown” is shown as unknown."),
    (
        "What an endpoint does inside.",
        "Hidden prompts, routing, or several attempts leave no trace in the records.",
    ),
    (
        "A forged judge.",
        "The judge's requests were rebuilt and its verdicts read again, but that it was this judge who "
        "replied is the submitter's word, unless it was asked again.",
    ),
    ("Hardware, time and price.", "They are declared, or computed from recorded tokens, and never ranked."),
)
SEEN = (
    "Every entry was verified: its samples are exactly the board's, its requests were rebuilt, every "
    "deterministic score and every aggregate was computed again, and the numbers here are those, not the "
    "submitter's."
)


def method_notes(board: Board, ranking: Ranking | None) -> list[str]:
    """How this board's intervals and ranks are made, in sentences."""
    level = percent(board.uncertainty.level)
    resamples = ranking.resamples if ranking is not None else board.uncertainty.resamples
    notes = [
        f"Rank intervals are tested over all pairs at once: with probability {level} all of them hold "
        "together. Entries whose intervals include 1 are statistically tied for first; order within a tie "
        "means nothing.",
        f"Entries are paired by sample: {resamples:,} bootstrap resamples of whole clusters, drawn once for "
        "all entries with a seed that the board's name and version fix. Equal values share a rank.",
    ]
    if len(board.tasks) > 1:
        notes.append(
            f"Overall: {NAMES[board.overall.method].lower()}, which {PROPERTIES[board.overall.method]}."
        )
        notes.append(
            "An entry that misses a task has no overall number."
            if board.overall.missing == "exclude"
            else "A missing task counts as the worst possible."
        )
    if board.uncertainty.epsilon:
        notes.append(
            f"Differences below {percent(board.uncertainty.epsilon)} of a task's scale count as ties."
        )
    if ranking is not None and ranking.note:
        notes.append(ranking.note + ".")
    if ranking is not None and ranking.leaders_differ:
        names = ", ".join(NAMES[one].lower() for one in ranking.leaders_differ)
        notes.append(f"Another leader by: {names}.")
    return notes


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


def _seat(spec: str, identity: Mapping[str, Json]) -> str:
    return f"{spec} ({_values(identity)})" if identity else spec


def _values(values: Mapping[str, Json]) -> str:
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
