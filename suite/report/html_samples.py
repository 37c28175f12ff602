"""One browsable sample as HTML: answer, scores, parts, the task's own view and the calls behind it."""

from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup

from suite.blocks import Block
from suite.journal.run import Run
from suite.report.hostile_text import clean, cut, one_line
from suite.report.html_blocks import EMPTY, Drawer, body, definitions, grid_table, left_out, message
from suite.report.matrix import Grid
from suite.report.numbers import plain
from suite.report.sample_choice import Picked
from suite.report.traces import Said, Trace, traces
from suite.task import Part, Unscored, Value

MOST_PARTS = 60


def value_text(value: Value) -> str:
    """A score's value: a number, a label, a reason."""
    if isinstance(value, Unscored):
        return f"unscored: {value.reason}" + (f" ({value.detail})" if value.detail else "")
    if value is None:
        return "not applicable"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def draw_sample(
    run: Run, picked: Picked, label: str, own: Sequence[Block], drawer: Drawer, traced: bool = True
) -> Markup:
    """The sample, folded. label: of its cell. traced: with its calls."""
    output, score = picked.output, picked.score
    recorded = [_answer(run, picked)]
    if score is not None:
        values = definitions((name, value_text(value)) for name, value in score.values.items())
        recorded.append(Markup("<h4>Scores</h4>{}").format(values))
        recorded.append(_parts(score.parts))
    plainly = Markup("").join(recorded)
    if own:  # the task's own view says it better
        plainly = Markup(
            '<details class="recorded"><summary>Answer and scores as recorded</summary>{}</details>'
        ).format(plainly)
    inside = [_own(own, drawer), plainly]
    if traced:
        calls = [*output.calls, *(score.calls if score else ())]
        inside += [_trace(one) for one in traces(run, calls)]
    facts = [("cell", output.cell), ("group", output.group), ("cluster", output.cluster)]
    facts += sorted(output.tags.items())
    inside.append(Markup('<div class="aside">{}</div>').format(definitions(facts)))
    finish = output.output.finish
    chips = Markup("").join(
        Markup('<span class="chip {}">{}</span>').format(kind, one_line(text, 60))
        for kind, text in _chips(picked.outcome, finish)
    )
    name = picked.key.sample + (f" (trial {picked.key.trial})" if picked.key.trial else "")
    return Markup(
        '<details class="sample" data-id="{}" data-outcome="{}" data-cell="{}" data-finish="{}">'
        '<summary><span class="id">{}</span><span class="cell">{}</span>{}</summary>'
        '<div class="inside">{}</div></details>'
    ).format(
        one_line(name),
        one_line(picked.outcome, 60),
        output.cell,
        one_line(finish, 60),
        one_line(name),
        one_line(label),
        chips,
        Markup("").join(inside),
    )


def _chips(outcome: str, finish: str) -> Iterable[tuple[str, str]]:
    kind = "warn" if outcome in ("unscored", "not scored yet") else "plain"
    yield kind, outcome
    if finish not in ("stop", outcome):
        yield "warn", finish


def _own(own: Sequence[Block], drawer: Drawer) -> Markup:
    return Markup("").join(_safe_block(one, drawer) for one in own)


def _safe_block(block: Block, drawer: Drawer) -> Markup:
    try:
        return drawer.block(block)
    except Exception as error:  # a block with cells of another type, say
        return Markup('<p class="failed">A block cannot be drawn: {}</p>').format(
            one_line(f"{type(error).__name__}: {error}")
        )


def _answer(run: Run, picked: Picked) -> Markup:
    text = run.text(picked.output)
    kept = picked.output.output
    ended = "" if kept.finish == "stop" else f" (ended: {kept.finish})"
    shown = body(text) if text else Markup('<p class="cut">No text.</p>')
    data = EMPTY
    if kept.data is not None:
        data = Markup('<details><summary>Data</summary><pre dir="auto">{}</pre></details>').format(
            pretty(kept.data)
        )
    return Markup("<h4>Answer{}</h4>{}{}").format(ended, shown, data)


def pretty(value: object, most: int = 20_000) -> str:
    """JSON to read, cut if it is long."""
    shown, left = cut(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), most)
    return clean(shown) + (f"\n… {left:,} characters more" if left else "")


def _parts(parts: Sequence[Part]) -> Markup:
    if not parts:
        return EMPTY
    values = list(dict.fromkeys(name for part in parts for name in part.values))
    tags = list(dict.fromkeys(name for part in parts for name in part.tags))
    rows = [
        [
            part.id,
            *(part.tags.get(name, "") for name in tags),
            *(value_text(part.values[name]) if name in part.values else "" for name in values),
        ]
        for part in parts[:MOST_PARTS]
    ]
    grid = Grid("", ["part", *tags, *values], rows, left=1 + len(tags) + len(values))
    rest = left_out(len(parts) - MOST_PARTS, "more parts are not shown.")
    return Markup("<h4>Parts</h4>{}{}").format(grid_table(grid), rest)


def _trace(found: Trace | str) -> Markup:
    if isinstance(found, str):
        return Markup('<p class="failed">{}</p>').format(one_line(found, 500))
    usage = found.reply.usage
    facts = [found.kind, f"{found.seconds:.2f} s" if found.seconds else ""]
    if usage.prompt or usage.completion:
        cached = f", {usage.cached:,} cached" if usage.cached else ""
        facts.append(f"{usage.prompt:,} prompt tokens{cached}, {usage.completion:,} new")
    facts += [
        found.reply.finish if found.reply.finish != "stop" else "",
        "from the cache" if found.cached else "",
    ]
    facts.append(f"attempt {found.attempt}" if found.attempt > 1 else "")
    summary = " · ".join(filter(None, facts))
    return Markup(
        '<details class="call"><summary><span class="who">{} · {}. {}</span>'
        '<span class="dim">{}</span></summary>{}{}{}</details>'
    ).format(
        found.stage,
        found.number,
        one_line(found.member, 60),
        summary,
        _request(found),
        _reply(found),
        _small(found),
    )


def _request(found: Trace) -> Markup:
    parts: list[Markup] = []
    if found.shared:
        parts.append(
            Markup('<p class="cut">The first {:,} messages are those of call {}.</p>').format(
                found.shared, found.continues
            )
        )
    parts += map(_said, found.head)
    parts.append(left_out(found.hidden, "messages between are not shown here."))
    if found.between:
        inner = Markup("").join(map(_said, found.between))
        parts.append(
            Markup('<details class="between"><summary>{:,} messages between</summary>{}</details>').format(
                len(found.between), inner
            )
        )
    parts += map(_said, found.tail)
    if found.prompt is not None:
        parts.append(_said(found.prompt))
    parts += map(_said, found.texts)
    parts.append(left_out(found.more_texts, "more texts are not shown here."))
    return Markup('<div class="dialogue">{}</div>').format(Markup("").join(parts))


def _said(said: Said) -> Markup:
    notes = (f"{said.left:,} characters more are not shown",) if said.left else ()
    return message(said.role, said.text, notes)


def _reply(found: Trace) -> Markup:
    reply = found.reply
    text = reply.text + "".join(f"\n[calls {one.name}({one.arguments})]" for one in reply.tool_calls)
    parts = []
    if reply.reasoning:
        parts.append(message("reasoning", reply.reasoning))
    if text or found.kind in ("chat", "complete"):
        parts.append(message("assistant", text or "(empty)", ("reply",)))
    listed: list[tuple[str, str]] = []
    if reply.scores:
        listed.append(
            ("scores", ", ".join("none" if one is None else f"{one:.5g}" for one in reply.scores[:50]))
        )
    if reply.ranking:
        listed.append(("ranking", ", ".join(f"{index} ({score:.4g})" for index, score in reply.ranking[:50])))
    if reply.details is not None:
        listed.append(("details", plain(reply.details)))
    return Markup('<div class="dialogue reply">{}</div>{}').format(
        Markup("").join(parts), definitions(listed) if listed else EMPTY
    )


def _small(found: Trace) -> Markup:
    facts = [("options", found.options), ("tools", ", ".join(found.tools)), ("model", found.reply.model)]
    facts.append(("call", found.id[:16]))
    return Markup('<div class="aside">{}</div>').format(
        definitions((name, value) for name, value in facts if value)
    )
