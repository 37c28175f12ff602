"""What people save on a labelling page: JSON, one file a person, held to the page as it is drawn again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Literal, NamedTuple

import msgspec

from suite.comparisons.label_choice import LabelDraw, LabelsWanted, draw, run_id
from suite.comparisons.runs import open_runs
from suite.data.text_files import Once, json_document
from suite.errors import DataError
from suite.journal.shapes import Count, matching, shaped
from suite.plugins import Catalogue
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
    """people: name -> unit -> value of the first answer, None where they cannot tell. comments: (person,
    sample, text). same, twice: of pairs put twice to a person, those judged alike, and all.
    """

    drawn: LabelDraw
    people: Mapping[str, Mapping[int, float | None]]
    comments: Sequence[tuple[str, str, str]]
    same: int
    twice: int
    seconds: Sequence[float]

    def together(self) -> dict[int, float]:
        """The median of what people said of each unit: of yes and no the majority, a half where split."""
        units = sorted({unit for one in self.people.values() for unit in one})
        said = {
            unit: [v for one in self.people.values() if (v := one.get(unit)) is not None] for unit in units
        }
        return {unit: median(values) for unit, values in said.items() if values}


def read_labels_files(
    places: Sequence[str], paths: Sequence[Path], plugins: Catalogue | None = None
) -> PeopleLabels:
    """The labels of several people of one page. Raises DataError for a file of another run, scoring or page,
    of a person who gave one already, or with a label of something else.
    """
    files = {path: _read(path) for path in paths}
    first = next(iter(files.values()))
    runs = {run_id(one)[0]: one for one in open_runs(places)}
    for path, one in files.items():
        if set(runs) != {name for name, _ in one.runs}:
            raise DataError(f"{path.name} labels samples of other runs", fix="name the runs of its page")
        for name, scoring in one.runs:
            if (run := runs[name].run).scoring != scoring:
                what = f"{path.name} labels scoring {scoring[:40]!r} of {run.name}, not {run.scoring!r}"
                raise DataError(what, fix=f"name that one: {run.folder}@{scoring[:40]}")
    ordered = [runs[name]._replace(number=place) for place, (name, _) in enumerate(first.runs)]
    drawn = draw(ordered, first.asked, plugins)
    found = PeopleLabels(drawn, {}, [], 0, 0, [])
    persons = Once("a labels file of", "give one file of each person, the newest")
    for path, one in files.items():
        if one.page != drawn.page:
            why = "it has another seed, the scoring has changed since, or the file was edited"
            raise DataError(f"{path.name} is of another page, {one.page[:16]}, than {drawn.page}", fix=why)
        persons.add(one_line(one.person).casefold(), path.name)
        found = _with(found, one_line(one.person), one, path.name)
    return found


def _with(found: PeopleLabels, person: str, file: LabelsFile, name: str) -> PeopleLabels:
    """With the labels of one more person."""
    items = {one.id: one for one in found.drawn.items}
    once, given = Once("sample", "keep one of its labels"), dict[int, float | None]()
    same, twice, comments = found.same, found.twice, list(found.comments)
    for label in file.labels:
        once.add(label.id, name)
        if (item := items.get(label.id)) is None:
            raise DataError(f"{name} labels {label.id[:40]!r}, which is no sample of its page")
        if label.comment:
            comments.append((person, found.drawn.units[item.unit].key.sample, label.comment))
        if label.label is None:
            continue
        value, before = _value(label.label, item.swapped, found.drawn, name), given.get(item.unit)
        if value is not None and before is not None:
            same, twice, value = same + (value == before), twice + 1, (value + before) / 2
        given[item.unit] = before if value is None else value
    seconds = [*found.seconds, *(one.seconds for one in file.labels if one.label is not None)]
    return PeopleLabels(found.drawn, {**found.people, person: given}, comments, same, twice, seconds)


def _read(path: Path) -> LabelsFile:
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path.name} has more than 50 MB: no page writes such a file", str(path))
    try:
        found = msgspec.convert(json_document(path), LabelsFile)
    except msgspec.ValidationError as error:
        raise DataError(f"{path.name} is no file of a labelling page: {error}", str(path)) from error
    if not one_line(found.person):
        raise DataError(f"{path.name} does not say who labelled", str(path), 'fill in "person"')
    return found


def _value(said: float | str, swapped: bool, drawn: LabelDraw, name: str) -> float | None:
    """Of the first answer; None for who cannot tell."""
    words, (low, high) = WORDS[drawn.kind], drawn.limits
    if said == "unsure":
        return None
    if isinstance(said, str) and said in words:
        return 1 - words[said] if swapped else words[said]
    if drawn.kind == "grade" and not isinstance(said, str) and low <= said <= high:
        return float(said)
    raise DataError(f"{name}: {said!r} is no label of {drawn.measure.name}")
