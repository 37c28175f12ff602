"""What the site says about itself: what a bundle cannot show, and how ranks are made."""

from suite.board.definition import Board
from suite.board.overall import NAMES, PROPERTIES
from suite.board.ranking import Ranking
from suite.report.formatting import percent

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
    (
        "Training on the test.",
        "Exposure is declared by the submitter. “Unknown” is shown as unknown.",
    ),
    (
        "What an endpoint does inside.",
        "Hidden prompts, routing, or several attempts leave no trace in the records.",
    ),
    (
        "A forged judge.",
        "The judge's requests were rebuilt and its verdicts read again, but that it was this judge who "
        "replied is the submitter's word, unless it was asked again.",
    ),
    (
        "Hardware, time and price.",
        "They are declared, or computed from recorded tokens, and never ranked.",
    ),
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
