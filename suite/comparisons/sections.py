"""A comparison as typed blocks, and as the plain data of its JSON form. The drawing is `suite.report`'s."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain, groupby

from msgspec import to_builtins

from suite.blocks import Block, Dialogue, Facts, Line, Section, Shown, Table, Turn
from suite.comparisons.comparison import Compared, PairPart
from suite.comparisons.differences import MeasureRow, SliceDifference, SliceRow
from suite.comparisons.disagreements import keys_of, telling
from suite.journal.run import Run
from suite.report.compare_page import SamplePairs
from suite.report.dot_plots import DotPlot
from suite.report.hostile_text import one_line
from suite.report.numbers import counted, number, plain, signed
from suite.report.remarks import remarks
from suite.report.run_facts import fact_lines, run_facts
from suite.report.text_templates import Macros
from suite.report.viewer.embedding import inline
from suite.report.viewer.source import ViewSource
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.paired_difference import Comparison

FORMAT = "suite-compare/1"
MOST_SLICES = 60
MOST_COMPACT = 12
FEWEST_IN_SLICE = 5
LABEL = 120  # characters of a run's label in a title
MOST_PAIRS = 2_000  # of samples in a page


def sections(found: Compared, *, compact: bool = False, read: bool = True) -> list[Section]:
    """Everything in reading order: what is compared, verdicts, differences, slices, samples to read.

    compact: for terminals: less of each. read: with a few samples as text.
    """
    rows = {lead: [row for row in found.rows if row.headline == lead] for lead in (True, False)}
    tables = {
        lead: [(Table.of([_line(row, found, pair=not a) for row in some], a), a, some) for a, some in pairs]
        for lead, pairs in ((lead, _by_pair(each)) for lead, each in rows.items())
    }
    heads = [
        (table, [*_plots(some, found, title)], _details(some, found, pair=not title))
        for table, title, some in tables[True]
    ]
    shown = [one for one in found.slices if one.found.difference.n >= FEWEST_IN_SLICE]
    clearest = sorted(shown, key=lambda one: -abs(one.found.difference.value or 0.0))
    clearest.sort(key=lambda one: 1.0 if one.corrected is None else one.corrected)
    lines = [_slice(one, found) for one in clearest[: MOST_COMPACT if compact else MOST_SLICES]]
    groups = [list(group) for _, group in groupby(shown, lambda one: id(one.row))]
    plots = [_slice_plot(some, found) for some in groups]
    sliced = (shown, Table.of(lines) if lines else None, plots)
    dialogues = [(part, [*_read(part)]) for part in found.parts if read and part.disagreements]
    others = [table for table, *_ in tables[False]]
    return _TEXTS.sections("sections", found, compact, *_runs(found), heads, others, *sliced, dialogues)


def sample_pairs(found: Compared, most: int = MOST_PAIRS) -> Iterator[SamplePairs]:
    """For each pair of runs the samples on which they differ, to click through; at most `most` in all."""
    runs = {one.label: one.run for one in found.runs}
    for place, part in enumerate(found.parts, 1):
        rows = [row for row in found.rows if (row.a, row.b) == (part.a, part.b)]
        if not (told := telling(rows)):
            continue
        shown = told[: most // len(found.parts)]
        labels, names = (part.a, part.b), (f"pair-{place}-a", f"pair-{place}-b")
        both = [runs[label] for label in labels]
        places = [{cell.cell: at for at, cell in enumerate(run.manifest.cells)} for run in both]
        matches = {f"{places[0][row.match.cell_a]}:{places[1][row.match.cell_b]}": 0 for row in rows}
        sides = zip(names, both, keys_of(shown), labels, strict=True)
        sources = (inline(name, ViewSource(run, keys=keys, label=label)) for name, run, keys, label in sides)
        yield SamplePairs(
            f"Samples of {one_line(part.a, LABEL)} against {one_line(part.b, LABEL)}",
            f"{len(shown):,} of {counted(len(told), 'sample')} that differ or lack a score on one side, "
            "counted in each cell, the most telling first: they show where the two part, not how often.",
            " ".join(names),
            " ".join(matches),
            chain.from_iterable(sources),
        )


def _runs(found: Compared) -> tuple[list[str], list[Block], list[tuple[str, list[str]]]]:
    """Commands; what is the same and what differs, side by side; each run's caveats."""
    facts = [fact_lines(run_facts(one.run)) for one in found.runs]
    commands = [" ".join(f"{name}: {text}" for name, text in each if "command" in name) for each in facts]
    ran = [_ran(one.run) for one in found.runs]
    names = list(dict.fromkeys(name for one in ran for name in one))
    differing = [name for name in names if len({one.get(name) for one in ran}) > 1]
    same = {name: ran[0][name] for name in names if name not in differing}
    rows = [(name, *(one.get(name) for one in ran)) for name in differing]
    differs = Table(("run", *(run.label for run in found.runs)), rows, title="What differs")
    known = {run.label: [one.text for one in remarks(run.run)] for run in found.runs}
    first, *others = known.values()
    shared = [text for text in first if all(text in each for each in others)]
    own = [(label, [text for text in texts if text not in shared]) for label, texts in known.items()]
    told = [Facts(same, title="The same in all runs")] if same else []
    return commands, [*told, differs], [("all runs", shared), *own]


def _ran(run: Run) -> dict[str, str]:
    """Label -> what was run, but for commands."""
    heads = [(cell.headline, one) for cell in run.results.cells if (one := cell.headline_row)]
    unscored = {name: sum(one.unscored for of, one in heads if of == name) for name, _ in heads}
    told = {"scoring": run.scoring, "pending": f"{run.results.pending:,}"}
    told["unscored"] = ", ".join(f"{name} {count:,}" for name, count in unscored.items()) or "none"
    facts = run_facts(run)
    for name, text in fact_lines(facts):
        if name != "settings" and "command" not in name:
            told[name] = f"{told[name]}; {text}" if name in told else text
    told |= {f"{one.member} at": plain(url) for one in facts.models if (url := one.identity.get("url"))}
    for name in ("prompts", "seed", "trials", "limit", "level", "suite"):
        told[name] = plain(getattr(facts, name))
    return told


def _by_pair(rows: Sequence[MeasureRow]) -> list[tuple[str, list[MeasureRow]]]:
    """Title -> rows of one pair of runs; all under no title where there are as many pairs as rows."""
    pairs: dict[tuple[str, str], list[MeasureRow]] = {}
    for row in rows:
        pairs.setdefault((row.a, row.b), []).append(row)
    if 1 < len(pairs) == len(rows):
        return [("", list(rows))]
    return [(f"A: {one_line(a, LABEL)}, B: {one_line(b, LABEL)}", some) for (a, b), some in pairs.items()]


def _plots(rows: Sequence[MeasureRow], found: Compared, pair: str = "") -> Iterator[DotPlot]:
    """A plot a metric, since others have another unit: differences, and of several rows the values, too."""
    for name in dict.fromkeys(row.measure.name for row in rows):
        some = [row for row in rows if row.measure.name == name]
        some = [row for row in some if row.found.comparison.difference.value is not None]
        labels = [_name(row, found, pair=not pair) for row in some]
        if not some:
            continue
        each, sides = [row.found.comparison.difference for row in some], _sides(some[0], named=bool(pair))
        yield _minus(each, f"{name}: difference", labels, sides)
        if len(some) > 1:
            values = {"A": [row.found.a for row in some], "B": [row.found.b for row in some]}
            lines = [Line(side, [*enumerate(one or 0.0 for one in each)]) for side, each in values.items()]
            yield DotPlot(lines, y=name, title=f"{name}: both values", x_labels=labels)


def _sides(row: MeasureRow, *, named: bool) -> tuple[str, str]:
    """What it means for A minus B to be below and above zero. named: by the runs."""
    a, b = (one_line(row.a, LABEL), one_line(row.b, LABEL)) if named else ("A", "B")
    better = "higher" if row.measure.direction == "neither" else "better"
    ends = f"{b} {better}", f"{a} {better}"
    return ends[::-1] if row.measure.direction == "lower" else ends


def _name(row: MeasureRow, found: Compared, *, pair: bool = True) -> str:
    """What tells this row from the others: the pair if there are several, the task, swept parameters."""
    task, own = row.match.task, row.match.parameters
    parts = [f"{row.a} against {row.b}"] if pair and len(found.parts) > 1 else []
    parts += [task] if len(found.telling) > 1 else []
    told = [f"{name}={plain(own[name])}" for name in found.telling[task] if name in own]
    told += [f"{name}={plain(a)} against {plain(b)}" for name, (a, b) in row.match.differing.items()]
    return ", ".join([*parts, " ".join(told)] if told else parts) or task


def _line(row: MeasureRow, found: Compared, *, pair: bool = True) -> dict[str, Shown]:
    one = row.found
    told: dict[str, Shown] = {
        "comparison": _name(row, found, pair=pair),
        **({"verdict": verdict_of(row)} if row.headline else {}),
        "metric": row.measure.name,
        "A": one.a,
        "B": one.b,
        "A minus B": _difference(one.comparison.difference),
        "p": _p(row.corrected),
        "units": one.comparison.n_common,
    }
    if row.headline and (margin := found.wanted.margin) is not None:
        told[f"equivalent within {margin:g}"] = "yes" if row.equivalent else "not shown"
    return told


def verdict_of(row: MeasureRow) -> str:
    """The verdict in words, or why there is none."""
    none = row.found.comparison.difference.value is None
    return f"no difference: {row.found.note or 'no common units'}" if none else row.verdict


def _difference(d: Estimate) -> str:
    span = "" if d.low is None or d.high is None else f" [{signed(d.low)}, {signed(d.high)}]"
    return f"{signed(d.value)}{span}"


def _details(rows: Sequence[MeasureRow], found: Compared, *, pair: bool) -> Table:
    lines: list[dict[str, Shown]] = [
        {
            "comparison": _name(row, found, pair=pair),
            "metric": row.measure.name,
            "method": one.difference.method,
            "test": one.p_method,
            "note": row.found.note,
            "p, uncorrected": _p(one.p),
            "clusters": one.difference.clusters,
            "A / same / B wins": _wins(row, one),
            "correlation": one.correlation,
            "smallest difference found": one.smallest_difference,
        }
        for row in rows
        for one in [row.found.comparison]
    ]
    return Table.of(lines, "How it was computed")


def _slice_plot(some: Sequence[SliceRow], found: Compared) -> DotPlot:
    row, each = some[0].row, [one.found.difference for one in some]
    title = f"{_name(row, found)}: {row.measure.name} by tag"
    labels = [f"{one.found.tag}={one.found.value}" for one in some]
    return _minus(each, title, labels, _sides(row, named=True), folded=True)


def _minus(
    each: Sequence[Estimate], title: str, labels: Sequence[str], sides: tuple[str, str], folded: bool = False
) -> DotPlot:
    what = "A minus B"
    return DotPlot([Line.of(what, each)], y=what, title=title, x_labels=labels, sides=sides, folded=folded)


def _slice(one: SliceRow, found: Compared) -> dict[str, Shown]:
    return {
        "slice": f"{one.found.tag}={one.found.value}",
        **({"comparison": _name(one.row, found)} if len(found.rows) > 1 else {}),
        "A minus B": _difference(one.found.difference),
        "p": _p(one.corrected),
        "units": one.found.difference.n,
        "A / same / B wins": _wins(one.row, one.found),
    }


def _wins(row: MeasureRow, one: Comparison | SliceDifference) -> str:
    """Of A, ties, of B: a lower value can be the better one."""
    ends = (one.losses, one.wins) if row.measure.direction == "lower" else (one.wins, one.losses)
    return f"{ends[0]} / {one.ties} / {ends[1]}"


def _read(part: PairPart) -> Iterator[Dialogue]:
    for one in part.disagreements:
        turns = [Turn("user", one.question)] if one.question else []
        turns += [Turn(part.a, one.answer_a or "(nothing)"), Turn(part.b, one.answer_b or "(nothing)")]
        yield Dialogue(turns, title=f"{one.task} {one.sample}: {one.metric} {signed(one.difference)}")


_TEXTS = Macros("comparisons/templates/compare.j2", counted, number, verdict_of, FEWEST=FEWEST_IN_SLICE)


def _p(p: float | None) -> str:
    return number(None) if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def as_data(found: Compared) -> dict[str, object]:
    """As plain data."""
    return {
        "format": FORMAT,
        "level": found.wanted.level,
        "alpha": found.wanted.alpha,
        "correction": found.wanted.correction,
        "family": found.family,
        "margin": found.wanted.margin,
        "runs": [
            {
                "label": label,
                "run": run.name,
                "scoring": run.scoring,
                "candidate": run.candidate.spec if run.candidate else "",
                "plan_sha256": run.manifest.plan_sha256,
                "what_was_run": to_builtins(run_facts(run)),
                "remarks": [asdict(one) for one in remarks(run)],
            }
            for label, run, _ in found.runs
        ],
        "differences": [
            {"a": part.a, "b": part.b, **asdict(one)} for part in found.parts for one in part.differences
        ],
        "comparisons": [row_data(row) for row in found.rows],
        "slices": [
            {
                **_which(one.row),
                **{name: value for name, value in asdict(one.found).items() if name != "interval"},
                "p_corrected": one.corrected,
            }
            for one in found.slices
        ],
        "disagreements": [
            {"a": part.a, "b": part.b, **asdict(one)} for part in found.parts for one in part.disagreements
        ],
    }


def _which(row: MeasureRow) -> dict[str, object]:
    return {
        "a": row.a,
        "b": row.b,
        "task": row.match.task,
        "cell_a": row.match.cell_a,
        "cell_b": row.match.cell_b,
        "metric": row.measure.name,
    }


def row_data(row: MeasureRow) -> dict[str, object]:
    """One row as plain data."""
    return {
        **_which(row),
        "parameters": dict(row.match.parameters),
        "differing": {name: list(pair) for name, pair in row.match.differing.items()},
        "headline": row.headline,
        "direction": row.measure.direction,
        "value_a": row.found.a,
        "value_b": row.found.b,
        **asdict(row.found.comparison),
        "p_corrected": row.corrected,
        "verdict": row.verdict,
        "equivalent": row.equivalent,
        "only_a": row.found.only_a,
        "only_b": row.found.only_b,
        "note": row.found.note,
    }
