"""A comparison as typed blocks, and as the plain data of its JSON form. The drawing is `suite.report`'s."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from msgspec import to_builtins

from suite.blocks import Block, Dialogue, Facts, Line, Plot, Section, Shown, Table, Text, Turn
from suite.comparisons.comparison import Compared, ComparisonWanted, PairPart
from suite.comparisons.differences import MeasureRow, SliceDifference, SliceRow
from suite.journal.run import Run
from suite.report.numbers import plain
from suite.report.remarks import remarks
from suite.report.run_facts import fact_lines, run_facts
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.paired_difference import Comparison

FORMAT = "suite-compare/1"
MOST_SLICES = 60
MOST_COMPACT = 12
FEWEST_IN_SLICE = 5
MOST_SENTENCES = 4
NONE_SHOWN = "no difference shown"
EXPLORED = "p and intervals corrected by Benjamini-Hochberg"
CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg", "none": "no correction"}


def sections(found: Compared, *, compact: bool = False) -> list[Section]:
    """Everything in reading order: what is compared, verdicts, differences, slices, samples to read.

    compact: for terminals: fewer columns.
    """
    parts = [Section("Runs", tuple(_runs(found))), Section("Headline", tuple(_headline(found, compact)))]
    if more := [row for row in found.rows if not row.headline]:
        note = Text(f"Exploration: {EXPLORED} over these rows; no verdict is given.")
        parts.append(Section("Other metrics", (note, Table.of([_line(row, found, compact) for row in more]))))
    if found.slices:
        parts.append(Section("Where each side wins", tuple(_slices(found, compact))))
    parts += [
        Section(f"To read: {part.a} against {part.b}", tuple(_read(part)))
        for part in found.parts
        if part.disagreements
    ]
    return parts


def _runs(found: Compared) -> Iterator[Block]:
    """What was run: commands, what is the same, what differs side by side; then each run's caveats."""
    for label, run, _ in found.runs:
        told = " ".join(f"{name}: {text}" for name, text in fact_lines(run_facts(run)) if "command" in name)
        yield Text(f"{label if label == run.name else f'{label}, run {run.name}'}, {told}")
    ran = [_ran(one.run) for one in found.runs]
    names = list(dict.fromkeys(name for one in ran for name in one))
    differing = [name for name in names if len({one.get(name) for one in ran}) > 1]
    if same := {name: ran[0][name] for name in names if name not in differing}:
        yield Facts(same, title="The same in all runs")
    rows = [(name, *(one.get(name) for one in ran)) for name in differing]
    yield Table(("run", *(run.label for run in found.runs)), rows, title="What differs")
    for label, run, _ in found.runs:
        for number, one in enumerate(remarks(run)):
            yield Text(one.text, title="" if number else f"What to know of {label}")
    for part in found.parts:
        for weight, words in (("refuse", "NOT COMPARABLE, shown all the same."), ("warn", "Differs:")):
            if said := [one.sentence(part.a, part.b) for one in part.differences if one.weight == weight]:
                yield Text(f"{words} {'; '.join(said)}")


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
    for name in ("prompts", "seed", "trials", "limit", "level", "suite"):
        told[name] = plain(getattr(facts, name))
    return told


def _headline(found: Compared, compact: bool) -> Iterator[Block]:
    rows = [row for row in found.rows if row.headline]
    asked = found.wanted
    if not rows:
        yield Text("No headline is compared.")
        return
    said = rows
    if len(rows) > MOST_SENTENCES or (compact and len(rows) > 1):
        said = [row for row in rows if row.verdict != NONE_SHOWN]
        yield Text(f"{len(said)} of {len(rows)} comparisons show a difference.")
    for row in said:
        yield Text(sentence(row, found))
    yield Table.of([_line(row, found, compact) for row in rows])
    if not compact:
        yield _details(rows, found)
    yield Plot(
        [Line.of("A minus B", [row.found.comparison.difference for row in rows])],
        y="A minus B",
        kind="points",
        title=f"Differences with {_level(asked.level)} intervals, corrected",
        x_labels=[_name(row, found) for row in rows],
    )
    yield Text(
        f"p corrected by {CORRECTIONS[asked.correction]} over {found.family} headlines, "
        f"alpha {asked.alpha:g}; every interval is at the level that this leaves it. "
        f"{_apart(asked)}Smallest: the difference that so many samples find with power 0.8. No "
        "difference shown does not mean equal."
    )


def sentence(row: MeasureRow, found: Compared) -> str:
    """One row in words."""
    one = row.found.comparison
    d = one.difference
    about = f"{row.a} against {row.b}"
    if (name := _name(row, found)) != row.match.task and name != about:
        about += f", {name}" if about not in name else name.removeprefix(about)
    if d.value is None:
        return f"{about}: {row.measure.name} has no difference: {row.found.note or 'no common units'}"
    span = (
        f"{_level(d.level)} interval {_signed(d.low)} to {_signed(d.high)}"
        if d.low is not None
        else "no interval"
    )
    p = "" if row.corrected is None else f", p {_p(row.corrected)}"
    values = f"{row.measure.name} {_number(row.found.a)} against {_number(row.found.b)}"
    ended = row.verdict
    if row.equivalent is not None:
        shown = "equivalent" if row.equivalent else "not shown to be equivalent"
        ended += f"; {shown} within {found.wanted.margin:g}"
    smallest = one.smallest_difference
    finds = "" if smallest is None else f" So many samples find differences from {smallest:.3f}."
    return (
        f"{about}: {values}: difference {_signed(d.value)}, {span}{p} on {one.n_common:,} common units: "
        f"{ended}.{finds}"
    )


def _name(row: MeasureRow, found: Compared) -> str:
    """What tells this row from the others: the pair if there are several, the task, swept parameters."""
    tasks = {one.match.task for one in found.rows}
    cells = {(one.match.task, one.match.cell_a, one.match.cell_b) for one in found.rows}
    one_pair = len({(one.a, one.b) for one in found.rows}) == 1
    parts = [] if one_pair else [f"{row.a} against {row.b}"]
    if len(tasks) > 1:
        parts.append(row.match.task)
    if len(cells) > len(tasks) and (told := _told(row, found)):
        parts.append(told)
    return ", ".join(parts) or row.match.task


def _told(row: MeasureRow, found: Compared) -> str:
    """What tells this row's cell from the task's others; nothing that an earlier parameter determines."""
    others = [one.match.parameters for one in found.rows if one.match.task == row.match.task]
    columns = {name: [repr(one.get(name)) for one in others] for name in row.match.parameters}
    names: list[str] = []
    for name, values in columns.items():
        told = any(len({*zip(columns[kept], values, strict=True)}) == len({*columns[kept]}) for kept in names)
        if len(set(values)) > 1 and not told:
            names.append(name)
    return " ".join(f"{name}={row.match.parameters[name]}" for name in names)


def _line(row: MeasureRow, found: Compared, compact: bool) -> dict[str, Shown]:
    one, p = row.found, row.corrected
    name: dict[str, Shown] = {"comparison": _name(row, found)}
    verdict: dict[str, Shown] = {"verdict": row.verdict} if row.headline else {}
    values: tuple[Shown, Shown] = (_number(one.a), _number(one.b)) if compact else (one.a, one.b)
    numbers: dict[str, Shown] = {
        "metric": row.measure.name,
        **dict(zip("AB", values, strict=True)),
        **_difference(one.comparison.difference, compact),
        **({"p": "" if p is None else f"{p:.3f}"} if compact else {"p corrected": p}),
        "units": one.comparison.n_common,
    }
    return {**name, **numbers, **verdict} if compact else {**name, **verdict, **numbers}


def _difference(d: Estimate, compact: bool) -> dict[str, Shown]:
    if not compact:
        return {"A minus B": d.value, "low": d.low, "high": d.high}
    span = "" if d.low is None or d.high is None else f"[{d.low:+.3f}, {d.high:+.3f}]"
    return {"A minus B": f"{_signed(d.value)} {span}"}


def _details(rows: Sequence[MeasureRow], found: Compared) -> Table:
    lines: list[dict[str, Shown]] = []
    for row in rows:
        one = row.found.comparison
        wins, losses = _wins(row, one)
        lines.append(
            {
                "comparison": _name(row, found),
                "metric": row.measure.name,
                "method": one.difference.method,
                "test": one.p_method,
                "note": row.found.note,
                "p": one.p,
                "clusters": one.difference.clusters,
                "A wins": wins,
                "ties": one.ties,
                "B wins": losses,
                "correlation": one.correlation,
                "smallest": one.smallest_difference,
            }
        )
    return Table.of(lines, "How it was computed")


def _slices(found: Compared, compact: bool) -> Iterator[Block]:
    shown = [one for one in found.slices if one.found.difference.n >= FEWEST_IN_SLICE]
    left = len(found.slices) - len(shown)
    yield Text(
        f"Differences by tag, clearest first. Exploration: {EXPLORED} over all "
        f"{len(found.slices)} slices; {left} with fewer than {FEWEST_IN_SLICE} units are not shown."
    )
    most = MOST_COMPACT if compact else MOST_SLICES
    lines = [_slice(one, found, compact) for one in sorted(shown, key=_clearest)[:most]]
    if lines:
        yield Table.of(lines)
    if len(shown) > most:
        yield Text(f"{len(shown) - most} more slices are not shown.")
    for _, group in groupby(shown, lambda one: (id(one.row), one.found.tag)):
        if len(values := list(group)) > 1:
            yield _slice_plot(values, found)


def _clearest(one: SliceRow) -> tuple[float, float]:
    return (1.0 if one.corrected is None else one.corrected, -abs(one.found.difference.value or 0.0))


def _slice(one: SliceRow, found: Compared, compact: bool) -> dict[str, Shown]:
    d, p = one.found.difference, one.corrected
    wins, losses = _wins(one.row, one.found)
    return {
        "slice": f"{one.found.tag}={one.found.value}",
        "comparison": _name(one.row, found),
        **_difference(d, compact),
        "p corrected": f"{p:.3f}" if compact and p is not None else p,
        "units": d.n,
        "A wins": wins,
        "ties": one.found.ties,
        "B wins": losses,
    }


def _wins(row: MeasureRow, one: Comparison | SliceDifference) -> tuple[int, int]:
    """Of A and of B: a lower value can be the better one."""
    return (one.losses, one.wins) if row.measure.direction == "lower" else (one.wins, one.losses)


def _slice_plot(group: Sequence[SliceRow], found: Compared) -> Plot:
    row = group[0].row
    return Plot(
        [Line.of(f"{row.a} minus {row.b}", [one.found.difference for one in group])],
        y="A minus B",
        kind="bars",
        title=f"{_name(row, found)}: {row.measure.name} by {group[0].found.tag}",
        x_labels=[one.found.value for one in group],
    )


def _read(part: PairPart) -> Iterator[Block]:
    yield Text(
        "Samples with the largest differences, for either side. Chosen by their difference: "
        "they show where the models part, not how often."
    )
    for one in part.disagreements:
        turns = [Turn("user", one.question)] if one.question else []
        turns += [Turn(part.a, one.answer_a or "(nothing)"), Turn(part.b, one.answer_b or "(nothing)")]
        yield Dialogue(turns, title=f"{one.task} {one.sample}: {one.metric} {_signed(one.difference)}")


def _level(level: float) -> str:
    return f"{100 * level:.4g} %"


def _apart(asked: ComparisonWanted) -> str:
    """Words for intervals and tests that were asked for at different levels."""
    if abs(asked.alpha + asked.level - 1) < 1e-9:
        return ""
    return f"Verdicts go by alpha, intervals by the level {asked.level:g}: they may part. "


def _number(value: float | None, form: str = ".3f") -> str:
    return "none" if value is None else format(value, form)


def _signed(value: float | None) -> str:
    return _number(value, "+.3f")


def _p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


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
