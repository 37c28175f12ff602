"""A task in a file, as text, and what tests do with it."""

import json
from pathlib import Path

WHOLE = """
import suite

class {name}(suite.Task):
    info = suite.TaskInfo("{task}", 1, "A title", headline="right", rows={{"rows": "rows.jsonl"}})
    metrics = (suite.Rate("right"),)

    def samples(self, data):
        return (suite.Sample(row["id"], row) for row in data.rows("rows", dict))

    async def solve(self, sample, models):
        return (await models.candidate.chat([suite.user(sample.payload["text"])])).output()

    async def score(self, sample, output, models):
        return suite.Score({{"right": output.text == "yes"}})
"""
ROWS = '{"id": "a", "text": "Say yes"}\n{"id": "b", "text": "Say no"}\n'
EVAL = ("eval", "--model", "scripted/constant?text=yes", "--quiet")


def written(path: str, text: str = WHOLE.format(name="Units", task="units"), rows: str = ROWS) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    (file.parent / "rows.jsonl").write_text(rows, "utf-8")
    return file


def manifest(run: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(Path(run, "manifest.json").read_bytes())
    return found
