"""UserBench as a Gymnasium environment over the same state machine as the task.

Observation and info hold nothing hidden: no preference, no count of them, no option before it was searched
for. Whoever trains may read `env.unwrapped.episode`, which knows everything. Users that answer at once
only; a model as user goes through `async_step`.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

import suite
from suite_userbench.driving import play, play_async
from suite_userbench.env.spaces import Actions, Words
from suite_userbench.events import Event
from suite_userbench.machine import Episode, episode_random
from suite_userbench.records import Record, scenario_from
from suite_userbench.rules_of_play import Rules
from suite_userbench.scenario import TAGS, Scenario, Tag
from suite_userbench.users.finding import find
from suite_userbench.users.protocol import AsyncUser, SyncUser
from suite_userbench.wording import PROMPTS

GOAL = "Find out what the user wants, and recommend for each thing the option that suits them best."
FEEDBACK_LENGTH, ACTION_LENGTH = 40_000, 8_000
Observation = dict[str, Any]


class UserBenchEnv(gymnasium.Env[Observation, str]):
    """One user and one database. Actions are strings: "[search] …", "[action] …", "[answer] ID", "[finish]".

    scenarios: what to play; by default generated ones (`count` of each of `tags`, from `scenario_seed`).
    user: a user by name ("rules-v1", "rules-v1?broad=5"), or an object. Other keywords are those of `Rules`
    (mode, max_steps, outage_every …). `reset(options={"scenario_id": …})` picks a scenario.
    Raises ConfigError or NotFound for bad arguments.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012  (Gymnasium declares it so)

    def __init__(
        self,
        scenarios: Sequence[Scenario] | None = None,
        *,
        tags: Sequence[Tag] = TAGS,
        count: int = 4,
        scenario_seed: int = 0,
        user: str | SyncUser | AsyncUser = "rules-v1",
        render_mode: str | None = None,
        **rules: Any,
    ) -> None:
        if render_mode not in (None, "ansi"):
            raise suite.ConfigError(f"no render mode {render_mode!r}", fix="take render_mode='ansi'")
        self.render_mode = render_mode
        self.rules = Rules(**rules)
        self.scenarios = list(scenarios) if scenarios is not None else _generated(tags, count, scenario_seed)
        if not self.scenarios:
            raise suite.ConfigError("an environment needs at least one scenario")
        self._places = {one.id: place for place, one in enumerate(self.scenarios)}
        self.user: Any = find(user).make(None, PROMPTS) if isinstance(user, str) else user
        self.episode: Episode | None = None
        self.action_space = Actions(ACTION_LENGTH)
        self.observation_space = spaces.Dict(
            {
                "task_description": Words(4_000),
                "goal": Words(400),
                "feedback": Words(FEEDBACK_LENGTH),
                "step_count": spaces.Box(0, self.rules.max_steps, (), np.int64),
                "episode_complete": spaces.Discrete(2),
                "last_reward": spaces.Box(-1000.0, 1000.0, (), np.float64),
            }
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new episode. Raises NotFound for an unknown scenario id."""
        super().reset(seed=seed)
        wanted = (options or {}).get("scenario_id")
        if wanted is None:
            scenario = self.scenarios[int(self.np_random.integers(len(self.scenarios)))]
        elif wanted in self._places:
            scenario = self.scenarios[self._places[wanted]]
        else:
            raise suite.NotFound(f"no scenario {wanted!r} in this environment")
        draw = int(self.np_random.integers(2**31))
        self.episode = Episode(scenario, self.rules, episode_random(draw, scenario.id))
        return self._observation(), self._info(None)

    def step(self, action: str) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One turn, with a user that answers at once. Raises ResetNeeded for an episode that is over."""
        episode = self._going()
        return self._result(play(episode, self.user, action))

    async def async_step(self, action: str) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One turn, with any user."""
        episode = self._going()
        return self._result(await play_async(episode, self.user, action))

    def render(self) -> str | None:
        """The transcript so far, for render_mode "ansi"."""
        if self.render_mode != "ansi" or self.episode is None:
            return None
        episode = self.episode
        lines = [f"user: {episode.scenario.request}"]
        for event in episode.events:
            lines.append(f"{event.turn:>2} agent [{event.choice or '?'}] {event.content}")
            lines.append(f"   {event.kind} {event.reward:+.1f}: {event.feedback}")
        return "\n".join(lines)

    def _going(self) -> Episode:
        if self.episode is None or self.episode.over:
            raise ResetNeeded("this episode is over, or none has begun: call reset()")
        return self.episode

    def _result(self, event: Event) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        episode = self.episode
        assert episode is not None
        return self._observation(), event.reward, episode.terminated, episode.truncated, self._info(event)

    def _observation(self) -> Observation:
        episode = self.episode
        assert episode is not None
        return {
            "task_description": episode.scenario.request,
            "goal": GOAL,
            "feedback": episode.feedback[:FEEDBACK_LENGTH],
            "step_count": np.array(episode.steps, dtype=np.int64),
            "episode_complete": int(episode.over),
            "last_reward": np.array(episode.last_reward, dtype=np.float64),
        }

    def _info(self, event: Event | None) -> dict[str, Any]:
        episode = self.episode
        assert episode is not None
        return {
            "scenario_id": episode.scenario.id,
            "tier": episode.scenario.tier,
            "event": event.kind if event else "",
            "total_reward": episode.total_reward,
        }


def _generated(tags: Sequence[Tag], count: int, seed: int) -> list[Scenario]:
    from suite_userbench.synth.generator import scenarios

    return [
        scenario_from(Record(**record)) for tag in tags for record in scenarios(tag, seed=seed, count=count)
    ]
