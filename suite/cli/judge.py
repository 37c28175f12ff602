"""suite judge: how far a judge can be trusted, and numbers corrected for what it gets wrong."""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from suite.cli import flags, steps
from suite.cli.pages import Pages, page_flags, show, write

_LABELS = (
    "Pairs with human labels (JSONL: id, question, first, second, human), judged too. With RUN: what people "
    "saved on its labelling page."
)


@click.group("judge")
def judge() -> None:
    """Judges: audit one, have people label samples, correct its numbers by their labels."""


def _apart(places: Sequence[str], labels: Sequence[Path]) -> tuple[list[str], list[Path]]:
    """(runs, files of labels): of several files after --labels, all but the first stand among the runs."""
    more = [one for one in places if labels and Path(one).is_file()]
    return [one for one in places if one not in more], [*labels, *map(Path, more)]


@judge.command(cls=steps.RecordedCommand)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--judge", "model", required=True, metavar="SPEC", help="The judge: provider/name.")
@flags.many_flag("--labels", of="FILE", type=flags.FILE, text=_LABELS)
@flags.parameters_flag("A parameter, e.g. max_tokens=2000.", "NAME=VALUE")
@flags.many_flag("-o", "options", of="KEY=VALUE", text="An option of the judge's engine.")
@flags.limit_flag
@flags.seed_flag("Seed of the run.")
@flags.new_run_flags
@steps.run_flags
@click.pass_context
def audit(
    context: click.Context, /, runs: tuple[str, ...], model: str, labels: tuple[Path, ...], **given: object
) -> None:
    """Measure a judge's biases on built-in questions, and with labels its agreement with people."""
    from suite.run.plan import make_plan

    places, files = _apart(runs, labels)
    pairs = files[0] if files else None
    if places or len(files) > 1:
        from suite.comparisons.label_files import read_labels_files
        from suite.comparisons.label_page import labelled_pairs

        read = read_labels_files(places, files)
        write(pairs := files[0].with_suffix(".pairs.jsonl"), labelled_pairs(read))
    asked = msgspec.structs.replace(
        steps.read(given),
        tasks=("judge-audit/biases", *(("judge-audit/labels",) if pairs else ())),
        data=(f"labels={pairs}",) if pairs else (),
    )
    plan = make_plan(steps.requested(asked, {"candidate": [model]}), say=asked.shows, check=not asked.dry_run)
    if not steps.dry(plan, asked):
        context.exit(steps.carry_out(plan, asked))


@judge.command()
@click.argument("places", nargs=-1, required=True, metavar="RUN...")
@flags.count_flag("--n", "How many samples to label.", 2, default=60)
@click.option("--task", default="", metavar="NAME", help="The task, where a run has several with a judge.")
@click.option("--value", default="", metavar="NAME", help="The value to label (default: the headline).")
@click.option("--question", default="", metavar="TEXT", help="What people are asked, in place of the usual.")
@click.option("--twice", is_flag=True, help="Put each pair twice, in both orders.")
@flags.seed_flag("Seed of the choice and of the order.")
@click.option("--force", is_flag=True, help="Replace another page that stands there.")
@flags.output_flag("FILE", "The page.", required=False, default=Path("labels.html"), show_default=True)
def label(places: tuple[str, ...], question: str, output: Path, force: bool, **wanted: object) -> None:
    """Write a page on which people label samples of runs, blind to model and verdict; it works offline."""
    from suite.comparisons.label_choice import LabelsWanted, draw
    from suite.comparisons.label_page import label_page
    from suite.comparisons.runs import open_runs

    drawn = draw(open_runs(places), msgspec.convert(wanted, LabelsWanted))
    write(output, label_page(drawn, question), over=force)
    count = len({one.unit for one in drawn.items})
    click.echo(f"written: {output}, page {drawn.page}: {count} of {len(drawn.units):,} samples")
    click.echo(f"then: suite judge correct {' '.join(places)} --labels FILE...")


@judge.command()
@click.argument("places", nargs=-1, required=True, metavar="FILE|RUN...")
@flags.many_flag("--labels", type=flags.FILE, of="FILE", text="What people saved on the page.")
@steps.level_flag
@page_flags
def correct(places: tuple[str, ...], labels: tuple[Path, ...], level: float, pages: Pages) -> None:
    """Correct a judge's numbers by human labels of a random part of the samples."""
    from suite.comparisons.correction import as_data, correct_file, correct_runs, read_labels, sections
    from suite.comparisons.label_files import read_labels_files

    runs, files = _apart(places, labels)
    if files or not Path(runs[0]).is_file():
        found = correct_runs(read_labels_files(runs, files), level)
    else:
        found = correct_file(*read_labels(Path(runs[0])), level=level)
    names = [Path(one).name for one in runs]
    title = ", ".join(names if len(set(names)) == len(names) else runs)
    show(title, "Judge", lambda _: sections(found), lambda: as_data(found), pages)
