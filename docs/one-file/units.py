"""Which units does somebody think in? A classification: the answer names one of two."""

import suite


class Message(suite.Payload):  # a row of units.jsonl, which lies beside this file
    id: str
    text: str
    units: str


class Units(suite.Task[Message, suite.Parameters]):
    info = suite.TaskInfo("units", 1, "Which units?", headline="correct", rows={"texts": "units.jsonl"})
    metrics = (suite.Rate("correct", by="units"),)

    def samples(self, data):
        return (suite.Sample(r.id, r, tags={"units": r.units}) for r in data.rows("texts", Message))

    async def solve(self, sample, models):
        asked = f"{sample.payload.text}\n\nWhich units does this person use? Say metric or imperial."
        return (await models.candidate.chat(asked, max_tokens=10)).output()

    async def score(self, sample, output, models):
        said = [word for word in ("metric", "imperial") if word in output.text.lower()]
        return suite.Score({"correct": said == [sample.payload.units]})
