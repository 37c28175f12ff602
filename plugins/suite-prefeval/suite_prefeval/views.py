"""How a sample is shown in a report: preference, question, answer and what was found, as typed blocks."""

from collections.abc import Iterator

import suite
from suite_prefeval.rows import Item


def cell(value: object) -> suite.Shown:
    """A score value as a cell: an unscored one says so."""
    if isinstance(value, suite.Unscored):
        return f"unscored ({value.reason})"
    return value if isinstance(value, str | float | int | bool) else None


def _told(item: Item) -> list[suite.Turn]:
    if not item.dialogue:
        return [suite.Turn("user", item.preference, notes=("preference",))]
    return [suite.Turn(speaker, text) for speaker, text in item.dialogue]


def _conversation(item: Item, output: suite.Output) -> suite.Dialogue:
    answer = output.text if output.text.strip() else f"(no answer: {output.finish})"
    return suite.Dialogue(
        turns=[
            *_told(item),
            suite.Turn("user", item.question, notes=("question, after the unrelated turns",)),
            suite.Turn("assistant", answer, notes=() if output.finish == "stop" else (output.finish,)),
        ],
        title="Preference, question, answer",
    )


def generation(item: Item, output: suite.Output, score: suite.Score | None) -> Iterator[suite.Block]:
    """The dialogue, the preference where it was only implied, and the judge's checks."""
    yield _conversation(item, output)
    if item.dialogue:
        yield suite.Text(item.preference, title="Preference (never shown to the candidate)")
    if score is None:
        return
    if score.parts:
        yield suite.Table(
            columns=("check", "answer", "unreadable", "asked again"),
            rows=[
                (
                    part.id,
                    cell(part.values.get("yes")),
                    cell(part.values.get("judge_unparsed")),
                    cell(part.values.get("judge_retried")),
                )
                for part in score.parts
            ],
            title="The judge's checks",
        )
    yield suite.Facts({name: cell(value) for name, value in score.values.items()}, title="Values")


def classification(item: Item, output: suite.Output, score: suite.Score | None) -> Iterator[suite.Block]:
    """The dialogue, the options as shown, and the values."""
    yield _conversation(item, output)
    picked = score.values.get("letter") if score else None
    columns = ["letter", "option", "respects the preference", "picked"]
    rows: list[tuple[suite.Shown, ...]] = [
        (letter, option, letter == item.gold, letter == picked)
        for letter, option in zip("ABCD", item.options, strict=False)
    ]
    if isinstance(output.data, dict):  # by likelihood
        columns.append("log-probability, nats")
        rows = [(*row, nats) for row, nats in zip(rows, output.data["logprobs"], strict=True)]
    yield suite.Table(columns=columns, rows=rows, title="Options")
    if score:
        yield suite.Facts({name: cell(value) for name, value in score.values.items()}, title="Values")
