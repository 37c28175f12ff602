"""What people save on a labelling page: JSON, one file a person, held to the page as it is drawn again."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Literal, NamedTuple

import msgspec

from suite.comparisons.label_choice import LabelDraw, LabelsWanted, draw, run_id
from suite.comparisons.runs import open_runs
from suite.data.text_files import Once, json_document
from suite.errors import ConfigError, DataError
from suite.journal.shapes import Count, matching, shaped
from suite.report.hostile_text import one_line

MOST_BYTES = 50_000_000
WORDS = {"flag": {"yes": 1.0, "no": 0.0}, "pair": {"first": 1.0, "second": 0.0, "tie": 0.5}, "grade": {}}


class SampleLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """id: of the place on the page. label: null of a comment alone. seconds: for how long it was in sight."""

    id: Annotated[str, matching("[0-9a-f]{12}")]
    label: float | Literal["yes", "no", "first", "second", "tie", "unsure"] | None = None
    comment: Annotated[str, shaped(maxLength=10_000)] = ""
    seconds: Annotated[float, shaped(minimum=0)] = 0.0
    at: str = ""


class LabelsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Labels of one person. asked: what the page was drawn by. runs: a hash that does not tell the model, and
    the scoring, of each. strata: samples in each, and how many of them are on the page.
    """

    format: Literal["suite-labels/1"]
    page: Annotated[str, matching("[0-9a-f]{16}")]
    asked: LabelsWanted
    runs: Annotated[Sequence[tuple[str, str]], shaped(minItems=1)]
    strata: Sequence[tuple[Count, Count]]
    person: Annotated[str, shaped(minLength=1, maxLength=200)] = ""
    labels: Sequence[SampleLabel] = ()


class PeopleLabels(NamedTuple):
    """people: name -> unit -> values of the first answer, two of a pair put twice, none of who cannot tell.
    comments: (person, sample, text). seconds: of each label.
    """

    drawn: LabelDraw
    people: dict[str, dict[int, list[float]]]
    comments: list[tuple[str, str, str]]
    seconds: list[float]

    def together(self) -> dict[int, float]:
        """The median of what people said of each unit: of yes and no the majority, a half where split."""
        said: dict[int, list[float]] = {}
        for unit, values in (pair for one in self.people.values() for pair in one.items() if pair[1]):
            said.setdefault(unit, []).append(sum(values) / len(values))
        return {unit: median(values) for unit, values in said.items()}


def read_labels_files(places: Sequence[str], paths: Sequence[Path]) -> PeopleLabels:
    """The labels of several people of one page. Raises ConfigError without a file, DataError for one of
    another run, scoring or page, of a person who gave one already, or with a label of something else.
    """
    if not paths:
        what = "a run is corrected by what people say of it"
        raise ConfigError(what, fix="name their files: --labels FILE...")
    files = [(path.name, _read(path)) for path in paths]
    runs = {run_id(one)[0]: one for one in open_runs(places)}
    for name, one in files:
        if set(runs) != {source for source, _ in one.runs}:
            raise DataError(f"{name} labels samples of other runs", fix="name the runs of its page")
        for run, scoring in ((runs[source].run, scoring) for source, scoring in one.runs):
            if run.scoring != scoring:
                what = f"{name} labels scoring {scoring[:40]!r} of {run.name}, not {run.scoring!r}"
                raise DataError(what, fix=f"name that one: {run.folder}@{scoring[:40]}")
    first = files[0][1]
    ordered = [runs[source]._replace(number=place) for place, (source, _) in enumerate(first.runs)]
    drawn = draw(ordered, first.asked)
    items, persons = {one.id: one for one in drawn.items}, Once("a labels file of", "give one of each person")
    found = PeopleLabels(drawn, {}, [], [])
    for name, one in files:
        if one.page != drawn.page:
            why = "it has another seed, the scoring has changed since, or the file was edited"
            raise DataError(f"{name} is of another page, {one.page[:16]}, than {drawn.page}", fix=why)
        person, once = one_line(one.person), Once("sample", "keep one of its labels")
        persons.add(person.casefold(), name)
        given = found.people.setdefault(person, {})
        for label in one.labels:
            once.add(label.id, name)
            if (item := items.get(label.id)) is None:
                raise DataError(f"{name} labels {label.id[:40]!r}, which is no sample of its page")
            if label.comment:
                found.comments.append((person, drawn.units[item.unit].key.sample, label.comment))
            if label.label is not None:
                given.setdefault(item.unit, []).extend(_values(label.label, item.swapped, drawn, name))
                found.seconds.append(label.seconds)
    return found


def _read(path: Path) -> LabelsFile:
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path.name} has more than 50 MB: no page writes such a file", str(path))
    try:
        found = msgspec.convert(json_document(path, halves=True), LabelsFile)
    except msgspec.ValidationError as error:
        raise DataError(f"{path.name} is no file of a labelling page: {error}", str(path)) from error
    if not one_line(found.person):
        raise DataError(f"{path.name} does not say who labelled", str(path), 'fill in "person"')
    return found


def _values(said: float | str, swapped: bool, drawn: LabelDraw, name: str) -> list[float]:
    """Of the first answer; none of who cannot tell."""
    words, (low, high) = WORDS[drawn.kind], drawn.limits
    if said == "unsure":
        return []
    if isinstance(said, str) and said in words:
        return [1 - words[said] if swapped else words[said]]
    if drawn.kind == "grade" and not isinstance(said, str) and low <= said <= high:
        return [float(said)]
    raise DataError(f"{name}: {said!r} is no label of {drawn.measure.name}")
