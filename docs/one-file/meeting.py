"""Can a model find the hour that suits somebody who only says earlier or later? An episode with a tool."""

import re

import suite

PROPOSE = suite.Tool(
    "propose",
    "Propose an hour for the meeting.",
    {"type": "object", "properties": {"hour": {"type": "integer"}}, "required": ["hour"]},
)


class Person(suite.Payload):  # a row of meeting.jsonl; hour: from 8 to 18
    id: str
    name: str
    hour: int


class Calendar:
    """The environment: it knows the hour, and answers one proposal after the other."""

    def __init__(self, hour):
        self.hour = hour

    def step(self, hour):
        """(what the person says, whether the episode is over). hour: None where nothing was proposed."""
        if hour is None:
            return "Which hour do you propose?", False
        if hour == self.hour:
            return "That suits me.", True
        return ("Earlier, please." if hour > self.hour else "Later, please."), False


def proposed(reply):
    """The hour in a tool call, or in the text of a model that has no tools; None if there is none."""
    number = re.search(r"\d+", reply.tool_calls[0].arguments if reply.tool_calls else reply.text)
    return int(number[0]) if number else None


class MeetingParameters(suite.Parameters):
    turns: int = 4
    """Most proposals in an episode: 4 are enough for any hour, if each halves what is left."""


class Meeting(suite.Task[Person, MeetingParameters]):
    info = suite.TaskInfo(
        name="meeting",
        version=1,
        title="Finds an hour that suits",
        roles={"candidate": suite.Role(needs=[{"chat", "tools"}, {"chat"}])},  # tools where there are any
        headline="found",
        rows={"people": "meeting.jsonl"},
    )
    metrics = (suite.Rate("found"), suite.Mean("turns", direction="lower"))
    prompts = suite.Prompts(ask="Find an hour from 8 to 18 that suits {name}, in {turns} proposals at most.")

    def samples(self, data):
        return (suite.Sample(row.id, row) for row in data.rows("people", Person))

    async def solve(self, sample, models):
        calendar, candidate = Calendar(sample.payload.hour), models.candidate
        tools = {"tools": (PROPOSE,)} if "tools" in candidate.chosen else {}
        talk = [suite.user(self.prompts.ask(name=sample.payload.name, turns=str(self.parameters.turns)))]
        for turn in range(1, self.parameters.turns + 1):
            reply = await candidate.chat(talk, max_tokens=60, **tools)
            if reply.finish in ("overflow", "refused", "invalid"):
                return suite.Output(finish=reply.finish)
            said, over = calendar.step(proposed(reply))
            if over:
                return suite.Output(said, {"turns": turn})
            results = [suite.tool_result(said, call.id) for call in reply.tool_calls]
            talk += [suite.replied(reply), *(results or [suite.user(said)])]
        return suite.Output(finish="limit")

    async def score(self, sample, output, models):
        turns = output.data["turns"] if output.data else None
        return suite.Score({"found": turns is not None, "turns": turns})
