"""The page on which people label samples: one offline file that tells neither model nor verdict.

It loads nothing and sends nothing: what somebody says stays in the browser until it is saved as a file.
"""

from collections.abc import Iterator
from importlib.resources import files

import msgspec
import numpy as np
from markupsafe import Markup

import suite
from suite.blocks import Plot, Text
from suite.comparisons.label_choice import LabelDraw, run_id
from suite.comparisons.label_files import LabelsFile, PeopleLabels
from suite.errors import ConfigError
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord
from suite.journal.run import Run
from suite.report.hostile_text import clean, shortened
from suite.report.html import policy
from suite.report.html_blocks import environment, resource
from suite.report.plugin_sections import own_views
from suite.report.rows import withheld
from suite.report.sample_choice import Picked
from suite.report.traces import answer, question
from suite.report.viewer.bodies import block_data
from suite.report.viewer.embedding import viewer_script, viewer_style
from suite.run.reopen import tasks_of
from suite.task import AnyTask, Output

_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def label_page(drawn: LabelDraw, asked: str = "") -> Iterator[str]:
    """The page in pieces. asked: the question, in place of the usual one.

    Raises ConfigError for pairs of a task that does not tell its answers, and to put twice what is no pair.
    """
    if drawn.wanted.twice and drawn.kind != "pair":
        raise ConfigError(f"{drawn.measure.name} is no verdict of pairs", fix="leave out --twice")
    own = files("suite.comparisons") / "static"
    style = resource("report.css") + viewer_style() + (own / "label.css").read_text("utf-8")
    script = viewer_script(("elements", "numbers", "blocks"), (own / "label.js").read_text("utf-8"))
    sizes = sorted(zip(np.bincount(drawn.strata).tolist(), drawn.drawn, strict=True))
    told = drawn.task.info.questions.get(drawn.measure.value, "")
    head = LabelsFile("suite-labels/1", drawn.page, drawn.wanted, [run_id(one) for one in drawn.runs], sizes)
    page = {
        "file": msgspec.to_builtins(head), "kind": drawn.kind, "limits": drawn.limits,
        "value": drawn.measure.name, "question": clean(asked or told), "items": list(_items(drawn)),
        "withheld": sorted({name for one in drawn.runs for name in withheld(one.run)}),
    }  # fmt: skip
    data = msgspec.json.encode(page).decode().translate(_ESCAPES)
    marks = {"policy": policy(style, script), "style": style, "script": script, "data": data}
    yield from environment().from_string((own / "label.html.j2").read_text("utf-8")).generate(
        title=f"Labels: {drawn.task.info.title}", version=suite.__version__, linked=None, base="",
        **{name: Markup(one) for name, one in marks.items()},
    )  # fmt: skip


def _items(drawn: LabelDraw) -> Iterator[dict[str, object]]:
    shown: dict[tuple[int, Key], tuple[object, tuple[str, ...]]] = {}
    for _, run, number in drawn.runs:
        mine = (drawn.units[one.unit] for one in drawn.items)
        outputs = [found for one in mine if one.run == number and (found := run.output(one.key)) is not None]
        views = own_views(run, [Picked(Key.of(one), one, None, "") for one in outputs])[0]
        tasks = tasks_of(run)
        for output in outputs:
            both = compared(run, tasks.get(output.cell), output) if drawn.kind == "pair" else ()
            asked = (Text(question(run, output), "Question"), Text(answer(run, output), "Answer"))
            own = [one for one in views.get(Key.of(output), ()) if not isinstance(one, Plot)]
            blocks = [one for one in own or asked if not (isinstance(one, Text) and one.text in both)]
            shown[number, Key.of(output)] = list(map(block_data, blocks)), tuple(map(shortened, both))
    for item in drawn.items:
        drawn_blocks, texts = shown[drawn.units[item.unit].run, drawn.units[item.unit].key]
        yield {"id": item.id, "blocks": drawn_blocks, "answers": texts[::-1] if item.swapped else texts}


def compared(run: Run, task: AnyTask | None, output: OutputRecord) -> tuple[str, str]:
    """Both answers of a pair, the first one first. Raises ConfigError where the task does not tell them."""
    whole = Output(run.text(output), output.output.data, output.output.finish)
    try:
        found = None if task is None else task.compared(whole)
    except Exception as error:  # third-party code
        raise ConfigError.of("label.answers", output=output, error=error, run=run) from error
    if found is None:
        what = "the pairs cannot be labelled: their task is not installed or does not tell the two answers"
        raise ConfigError(what, run.name, "give the task a method `compared`, or install its plugin")
    return found


def labelled_pairs(read: PeopleLabels) -> Iterator[str]:
    """Pairs with what people said of them, as `judge-audit/labels` takes them: JSON Lines.

    Raises ConfigError for labels of no pairs.
    """
    if read.drawn.kind != "pair":
        raise ConfigError(f"{read.drawn.measure.name} is no verdict of pairs", fix="suite judge correct RUN")
    tasks = [tasks_of(one.run) for one in read.drawn.runs]
    for unit, label in read.together().items():
        _, run, number = read.drawn.runs[(one := read.drawn.units[unit]).run]
        if (output := run.output(one.key)) is not None:
            first, second = compared(run, tasks[number].get(one.key.cell), output)
            human = "first" if label > 0.5 else "second" if label < 0.5 else "tie"
            row = {"id": "/".join(map(str, (number, *one.key))), "question": question(run, output),
                   "first": first, "second": second, "human": human, "cluster": one.cluster}  # fmt: skip
            yield msgspec.json.encode(row).decode() + "\n"
