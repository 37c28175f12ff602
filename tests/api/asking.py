"""A small task that tests hand to the Python calls, and its rows."""

from collections.abc import Iterable
from typing import Any, Literal

import suite

ROWS = [
    {"id": "a", "text": "Say yes", "topic": "one"},
    {"id": "b", "text": "Say no", "topic": "one"},
    {"id": "c", "text": "Say yes or no", "topic": "two"},
]
YES: dict[str, Any] = {"model": "scripted/constant?text=yes", "data": {"rows": ROWS}, "progress": False}


class Row(suite.Payload):
    id: str
    text: str
    topic: str


class Knobs(suite.Parameters):
    tone: Literal["plain", "kind, warm"] = "plain"
    method: Literal["one", "two"] = "one"
    words: tuple[str, ...] = ()
    turns: int | None = 0
    strict: bool = suite.at_score(False)


class Asking(suite.Task[Row, Knobs]):
    info = suite.TaskInfo("asking/plain", 1, "Says what it is told", headline="right", datasets=("rows",))
    metrics = (suite.Rate("right", by="topic"), suite.Rate("short"))

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Row]]:
        for row in data.rows("rows", Row):
            yield suite.Sample(row.id, row, tags={"topic": row.topic})

    async def solve(self, sample: suite.Sample[Row], models: suite.Models) -> suite.Output:
        knobs = f"{self.parameters.tone}, {self.parameters.method}, {self.parameters.turns}"
        reply = await models.candidate.chat([suite.system(knobs), suite.user(sample.payload.text)])
        return reply.output()

    async def score(
        self, sample: suite.Sample[Row], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        said = output.text if self.parameters.strict else output.text.lower()
        return suite.Score({"right": said in sample.payload.text, "short": len(said) < 5})
