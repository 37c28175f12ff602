"""From the dataset's parts to items and samples: lazy, aligned by (topic, index), in one order for all cells.

The multiple-choice files carry preference and question; the dialogue of an implicit form comes from that
form's file at the same place. Data that is out of step is refused, never joined.
"""

import difflib
import hashlib
from collections.abc import Iterable, Iterator

import suite
from suite_prefeval import letters
from suite_prefeval.parameters import Form, Shared
from suite_prefeval.rows import ChoiceRow, Item, OptionsRow, PersonaRow, Row, Unrelated

FORM_ROWS: dict[str, type[Row]] = {
    "explicit": Row,
    "implicit-choice": ChoiceRow,
    "implicit-persona": PersonaRow,
}


def unrelated(data: suite.Data, dataset: str) -> Iterator[Unrelated]:
    """The unrelated conversations in file order."""
    return data.rows(dataset, Unrelated, part="inter-turns")


def generation_items(data: suite.Data, dataset: str, parameters: Shared) -> Iterator[Item]:
    """Every pair of the wanted form and topics. Raises NotFound for a topic the data lacks."""
    items = (_item(row, row) for row in data.rows(dataset, FORM_ROWS[parameters.form], part=parameters.form))
    return _wanted(items, parameters.topics)


def classification_items(data: suite.Data, dataset: str, parameters: Shared) -> Iterator[Item]:
    """Every pair with its options in shown order.

    Raises NotFound for a topic the data lacks, DataError where two parts are out of step.
    """
    return _wanted(_with_options(data, dataset, parameters.form), parameters.topics)


def sample(item: Item, form: Form) -> suite.Sample[Item]:
    """The sample of an item."""
    tags = {"topic": item.topic, "form": form}
    if item.gold:
        tags["gold"] = item.gold
    return suite.Sample(
        id=f"{item.topic}/{item.index}", payload=item, cluster=cluster_of(item.question), tags=tags
    )


def cluster_of(question: str) -> str:
    """The cluster is the question: three pairs stand in two topics each, and the preference is worded
    differently from form to form in 30 of them.
    """
    return f"question-{hashlib.sha256(question.encode()).hexdigest()[:12]}"


def _item(row: Row, told: Row, order: tuple[int, ...] = ()) -> Item:
    options = row.classification_task_options if isinstance(row, OptionsRow) else ()
    return Item(
        topic=row.topic,
        index=row.index,
        preference=row.preference,
        question=row.question,
        dialogue=told.dialogue(),
        options=tuple(options[source] for source in order),
        gold=letters.gold_letter(order) if order else "",
    )


def _with_options(data: suite.Data, dataset: str, form: Form) -> Iterator[Item]:
    topic, orders = "", letters.Orders()
    row_type = FORM_ROWS[form]
    dialogues = None if row_type is Row else data.rows(dataset, row_type, part=form)
    for row in data.rows(dataset, OptionsRow, part="mcq"):
        if row.topic != topic:
            topic, orders = row.topic, letters.Orders()
        told = row if dialogues is None else next(dialogues, None)
        if told is None or (told.topic, told.index, told.question) != (row.topic, row.index, row.question):
            found = f"{told.topic}/{told.index}" if told else "nothing"
            raise suite.DataError(
                f"the parts mcq and {form} of {dataset!r} are out of step",
                where=f"{row.topic}/{row.index} against {found}",
                fix="all parts must hold the same questions in the same order",
            )
        yield _item(row, told, orders[row.index])


def _wanted(items: Iterable[Item], topics: tuple[str, ...]) -> Iterator[Item]:
    seen: dict[str, None] = {}
    for item in items:
        seen[item.topic] = None
        if not topics or item.topic in topics:
            yield item
    for topic in topics:
        if topic not in seen:
            near = difflib.get_close_matches(topic, seen, n=3)
            raise suite.NotFound(
                f"no topic named {topic!r} in the data",
                fix=f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(seen)}",
            )
