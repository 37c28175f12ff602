"""A small task that a judge scores, its runs, and what people say on a labelling page of them."""

import json
from pathlib import Path
from typing import Any

import suite

HOSTILE = "</script><script>document.title='owned'</script><b>\x1b[2J\u202e"
TASK = r'''
import suite

class Judged(suite.Task):
    info = suite.TaskInfo(
        "judged", 1, "Answers that please", headline="kept", rows={"rows": "rows.jsonl"},
        roles={"candidate": suite.Role(), "judge": suite.Role(stage="score")},
    )
    metrics = (
        suite.Rate("kept", by="topic", average="macro"), suite.Mean("grade", range=(1.0, 5.0)),
        suite.WinRate("win"), suite.Mean("length"), suite.Custom("formula", len, needs=("grade",)),
    )

    def samples(self, data):
        for row in data.rows("rows", dict):
            yield suite.Sample(row["id"], row, cluster=row["cluster"], tags={"topic": row["topic"]})

    async def solve(self, sample, models):
        reply = await models.candidate.chat([suite.user(sample.payload["text"])])
        return reply.output({"other": "the other answer to " + sample.payload["text"]})

    async def score(self, sample, output, models):
        number = int(sample.id[1:])
        kept = suite.Unscored("no-verdict") if number % 11 == 10 else (number + len(output.text)) % 3 > 0
        return suite.Score({"kept": kept, "grade": 1 + number % 9 / 2, "win": number % 5 / 4, "length": 3})

    def compared(self, output):
        return output.text, output.data["other"]

    def show(self, sample, output, score):
        yield suite.Text(sample.payload["text"] + " \ud83d", "Question")
        yield suite.Text(output.text, "Answer")
        yield suite.Text(output.data["other"], "Answer")
        if score is not None:
            yield suite.Facts({"verdict": suite.shown(score.values["kept"])})
'''  # fmt: skip


def judged_run(folder: Path, answer: str = f"An answer {HOSTILE}", n: int = 60) -> Path:
    """A run of n samples, in pairs of one cluster."""
    file = folder / "task" / "judged.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(TASK, "utf-8")
    rows = [
        {"id": f"s{i}", "text": f"Question {i}", "cluster": f"c{i // 2}", "topic": "ab"[i % 3 > 0]}
        for i in range(n)
    ]
    (file.parent / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    name = f"run-{len(list(folder.glob('run-*')))}"
    model = f"scripted/constant?text={answer}"
    suite.evaluate(str(file), model=model, judge="scripted/constant", output=folder / name, cache=False)
    return folder / name


def said(page: str, person: str, label: Any = lambda number: "yes" if number % 2 else "no") -> dict[str, Any]:
    """A person's file. page: HTML. label: of a place on the page."""
    data = json.loads(page.partition('id="label-data">')[2].partition("</script>")[0])
    labels = [
        {"id": one["id"], "label": label(number), "seconds": 2.5} for number, one in enumerate(data["items"])
    ]
    return {**data["file"], "person": person, "labels": labels}
