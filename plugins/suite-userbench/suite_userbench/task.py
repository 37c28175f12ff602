"""userbench/travel: a candidate with three moves, a user who doesn't say what they want, a score.

Solving plays one episode with the state machine that the Gymnasium environment has, too; scoring reads
nothing but its log. The user's identity is part of the run: parameter, fact and note.
"""

from collections.abc import Iterable, Mapping

import msgspec

import suite
from suite_userbench import calling, loading, metrics, showing
from suite_userbench.driving import play_async
from suite_userbench.events import Event
from suite_userbench.machine import Episode
from suite_userbench.measures import measure
from suite_userbench.parameters import TravelParameters
from suite_userbench.scenario import SYNTH, Scenario
from suite_userbench.users.finding import find
from suite_userbench.wording import PROMPTS

_ABANDONED: dict[str, suite.Finish] = {"overflow": "overflow", "harness": "invalid"}


class Travel(suite.Task[Scenario, TravelParameters]):
    """One episode a sample."""

    info = suite.TaskInfo(
        name="userbench/travel",
        version=2,
        title="UserBench: agents that draw out what a traveller wants",
        paper="arXiv 2507.22034",
        roles={
            "candidate": suite.Role(needs=[{"chat", "tools"}, {"chat", "json_schema"}, {"chat"}]),
            "user": suite.Role(needs=[{"chat", "json_schema"}, {"chat"}]),
        },
        headline="score",
        datasets=(loading.DATASET, loading.INDEX),
        official_prompts=loading.PROMPTS,
        mini={loading.DATASET: "userbench-mini", loading.INDEX: "userbench-mini"},
        presets={
            "paper": [{"mode": "single"}, {"mode": "multi"}],
            "released": [{"mode": mode, "compat": "released-async"} for mode in ("single", "multi")],
            "rules": [{"user": "rules-v1", "mode": mode} for mode in ("single", "multi")],
            "synth": [{"user": "rules-v1", "source": "synth"}],
            "options": [
                {"tags": ["22", "33", "44"], "wrong": wrong, "noise": noise}
                for wrong, noise in ((10, 5), (10, 0), (5, 5), (8, 2))
            ],
            "mini": [{"user": "rules-v1", "tags": ["22"], "max_steps": 5, "max_tokens": 120}],
        },
        note=(
            "A score holds for the simulated user named with it. Scenarios called userbench-synth are this "
            "project's own: never compare them with published scores."
        ),
    )
    metrics = metrics.METRICS
    prompts = PROMPTS

    def __init__(self, parameters: TravelParameters) -> None:
        super().__init__(parameters)
        self.rules = parameters.rules
        self.user = find(parameters.user)

    def roles(self) -> Mapping[str, suite.Role]:
        """A model plays the user only where the chosen user wants one."""
        roles = dict(self.info.roles)
        if not self.user.kind.needs_model:
            del roles["user"]
        if self.parameters.calling == "tools":
            roles["candidate"] = suite.Role(needs={"chat", "tools"})
        return roles

    def datasets(self) -> tuple[str, ...]:
        """None for generated scenarios."""
        return () if self.parameters.source == "synth" else (loading.DATASET, loading.INDEX)

    async def open(self, data: suite.Data, tools: suite.Tools) -> Mapping[str, str]:  # noqa: ARG002
        """Facts: who plays the user, who made the scenarios."""
        if self.parameters.source == "synth":
            from suite_userbench.synth.generator import SOURCE

            source = SOURCE
        else:
            source = loading.first_source(data, self.parameters)
        facts = {"user": self.user.identity, "scenarios": source}
        if source.startswith(SYNTH):
            facts["scenarios"] = f"{source}: not comparable with published scores"
        if self.parameters.compat != "none":
            facts["compat"] = f"{self.parameters.compat}: with the released code's defects"
        return facts

    def official_prompts(self, data: suite.Data) -> suite.Prompts:
        """The candidate's published texts, of the mode played; what judges and users read stays ours."""
        system, budget = loading.published_prompts(data, self.rules.mode)
        return self.prompts.replace("mixed", published_system=system, budget=budget)

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Scenario]]:
        """One sample a scenario, by tag."""
        for scenario in self._scenarios(data):
            yield suite.Sample(
                id=scenario.id,
                payload=scenario,
                tags={
                    "tag": scenario.tag,
                    "tier": scenario.tier,
                    "difficulty": scenario.difficulty,
                    "aspects": "+".join(sorted(one.name for one in scenario.aspects)),
                },
            )

    def _scenarios(self, data: suite.Data) -> Iterable[Scenario]:
        if self.parameters.source == "data":
            return loading.read_scenarios(data, self.parameters)
        from suite_userbench.synth.making import made

        chosen = self.parameters
        return made(chosen.chosen_tags, chosen.split, chosen.synth_seed, chosen.synth_count)

    async def solve(self, sample: suite.Sample[Scenario], models: suite.Models) -> suite.Output:
        """Play the episode to its end."""
        scenario, candidate = sample.payload, models.candidate
        episode = Episode(scenario, self.rules, sample.random("episode"))
        model = models.user if self.user.kind.needs_model else None
        user = self.user.make(model, self.prompts)
        way = calling.way_of(self.parameters.calling, candidate)
        asked = calling.options(way, self.parameters.max_tokens)
        messages = list(self.opening(scenario, way))
        tokens = {"prompt": 0, "completion": 0}
        while not episode.over:
            reply = await candidate.chat(
                messages,
                temperature=self.parameters.temperature,
                max_tokens=self.parameters.max_tokens,
                **asked,
            )
            tokens["prompt"] += reply.usage.prompt
            tokens["completion"] += reply.usage.completion
            if reply.finish == "overflow":
                episode.abandon("", "overflow")
                break
            move = calling.read(way, reply, self.rules.released)
            if move.problem and self.rules.released:  # the released harness ends the rollout here
                episode.abandon(move.action, "harness")
                break
            await play_async(
                episode, user, move.action if not move.problem else "", move.dropped, move.problem
            )
            messages += calling.told(move, reply, episode.feedback)
        return self._output(episode, way, tokens)

    def opening(self, scenario: Scenario, way: calling.Way) -> tuple[suite.Message, suite.Message]:
        """What the candidate reads first. The published texts say themselves how to call the tool."""
        if self.prompts.set != "own":
            added = "" if way == "tools" else f"\n{self.prompts.call_json()}"
            return (
                suite.system(self.prompts.published_system() + added),
                suite.user(f"{scenario.request}\n{self.prompts.budget()}\n"),
            )
        mode = self.prompts.mode_single if self.rules.mode == "single" else self.prompts.mode_multi
        how = self.prompts.call_tools if way == "tools" else self.prompts.call_json
        instructions = self.prompts.system(steps=self.rules.max_steps, mode=mode())
        return (
            suite.system(f"{instructions}\n{how()}"),
            suite.user(f"{scenario.request}\n{self.prompts.budget()}"),
        )

    def _output(self, episode: Episode, way: str, tokens: Mapping[str, int]) -> suite.Output:
        last = episode.events[-1]
        finish: suite.Finish = "stop" if episode.terminated else "limit"
        finish = _ABANDONED.get(last.cause, finish) if last.kind == "finish" else finish
        data = {
            "events": msgspec.to_builtins(episode.events),
            "tokens": dict(tokens),
            "calling": way,
            "preferences": len(episode.scenario.preferences),
            "mode": self.rules.mode,
        }
        return suite.Output(text=last.content, data=data, finish=finish)

    async def score(
        self,
        sample: suite.Sample[Scenario],
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Everything from the log. An episode that ended early scores what it had."""
        found = measure(sample.payload, events_of(output), self.rules.mode == "single")
        return metrics.score_of(found, output.finish in ("overflow", "invalid"), output.data["tokens"])

    def show(
        self, sample: suite.Sample[Scenario], output: suite.Output, score: suite.Score | None
    ) -> Iterable[suite.Block]:
        """The episode as a dialogue, and what was hidden."""
        return showing.episode(sample.payload, events_of(output), score)


def events_of(output: suite.Output) -> list[Event]:
    """The log in an output. Raises DataError for an output that holds none."""
    try:
        return msgspec.convert(output.data["events"], list[Event])
    except (TypeError, KeyError, msgspec.ValidationError) as error:
        raise suite.DataError(
            "this output holds no UserBench episode",
            where=str(error),
            fix="answers made elsewhere can't be scored here: an episode is played, not answered",
        ) from error
