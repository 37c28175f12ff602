"""The Gymnasium environment: the checker, vectors, seeds, rendering, and that it tells nothing hidden."""

import json
from typing import Any

import gymnasium
import numpy as np
import pytest
import suite_userbench.env
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from suite_userbench.env import ENV_ID, UserBenchEnv, register
from suite_userbench.scenario import Scenario
from suite_userbench.users.protocol import Answer, Ask, Judgement, Said

import suite


def make(**kwargs: Any) -> Any:
    return gymnasium.make(ENV_ID, tags=("22",), count=3, **kwargs)


@pytest.mark.parametrize("mode", ["single", "multi"])
def test_the_checker_is_content(mode: str) -> None:
    check_env(make(render_mode="ansi", mode=mode).unwrapped)


def test_registering_twice_is_harmless() -> None:
    register()
    assert ENV_ID in gymnasium.registry
    assert suite_userbench.env.ENV_ID == ENV_ID


@pytest.mark.parametrize("vector", ["sync", "async"])
def test_vector_environments(vector: str) -> None:
    envs: Any = gymnasium.make_vec(ENV_ID, num_envs=2, vectorization_mode=vector, tags=("22",), count=2)
    try:
        observations, _ = envs.reset(seed=[1, 2])
        assert observations["step_count"].tolist() == [0, 0]
        _, rewards, terminated, truncated, _ = envs.step(
            ["[action] Which airline do you like?", "[search] hotel"]
        )
        assert rewards.shape == terminated.shape == truncated.shape == (2,)
    finally:
        envs.close()


def rollout(env: Any, seed: int) -> list[Any]:
    observation, info = env.reset(seed=seed)
    env.action_space.seed(seed)
    seen = [(observation["feedback"], info["scenario_id"])]
    over = False
    while not over:
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        seen.append((observation["feedback"], reward))
        assert env.observation_space.contains(observation)
        over = terminated or truncated
    return seen


def test_seeds_decide_everything() -> None:
    env = make()
    first, second = rollout(env, 5), rollout(env, 5)
    assert first == second
    assert any(rollout(env, seed) != first for seed in (6, 7, 8))


def test_a_scenario_can_be_chosen() -> None:
    env = make()
    names = [one.id for one in env.unwrapped.scenarios]
    _, info = env.reset(seed=1, options={"scenario_id": names[2]})
    assert info["scenario_id"] == names[2]
    with pytest.raises(suite.NotFound):
        env.reset(options={"scenario_id": "nowhere"})


def test_options_order_does_not_depend_on_earlier_episodes() -> None:
    one, other = make(), make()
    other.reset(seed=3)
    name = one.unwrapped.scenarios[0].id
    for env in (one, other):
        env.reset(seed=9, options={"scenario_id": name})
    assert one.unwrapped.episode.options == other.unwrapped.episode.options


def test_nothing_hidden_is_observed() -> None:
    env = make().unwrapped
    observation, info = env.reset(seed=2)
    scenario = env.episode.scenario
    told = json.dumps({**observation, **info}, default=str)
    for one in scenario.preferences:
        assert one.text not in told and one.statement not in told
    for aspect in scenario.aspects:
        assert not any(f'"{name}"' in told for name in aspect.options)
    assert "preferences" not in observation and "preferences" not in info


def test_stepping_after_the_end_raises() -> None:
    env = UserBenchEnv(tags=("22",), count=1, max_steps=1)
    with pytest.raises(ResetNeeded):
        env.step("[action] hi")
    env.reset(seed=0)
    env.step("[action] hi")
    with pytest.raises(ResetNeeded):
        env.step("[action] hi")


def test_the_transcript() -> None:
    env = make(render_mode="ansi")
    env.reset(seed=1)
    env.step("[action] Hello.")
    text = env.render()
    assert "[action] Hello." in text and "action_chat" in text and text.startswith("user: ")
    assert make().unwrapped.render() is None
    with pytest.raises(suite.ConfigError):
        UserBenchEnv(render_mode="human")


async def test_any_user_by_async_step(trip: Scenario) -> None:
    class Slow:
        async def answer(self, ask: Ask) -> Answer | None:
            return Said("well") if type(ask).__name__ == "Speak" else Judgement("chat")

    env = UserBenchEnv([trip], user=Slow())
    env.reset(seed=1)
    observation, *_ = await env.async_step("[action] hi")
    assert observation["feedback"] == "well"
    assert observation["step_count"] == np.array(1)


def test_bad_arguments() -> None:
    with pytest.raises(suite.NotFound):
        UserBenchEnv(user="nobody")
    with pytest.raises(suite.CapabilityError, match="role"):
        UserBenchEnv(user="llm", tags=("22",), count=1)
    with pytest.raises(suite.ConfigError):
        UserBenchEnv([])


def test_odd_characters_fit_the_space(trip: Scenario) -> None:
    space: Any = UserBenchEnv([trip]).observation_space
    space = space["feedback"]
    assert "鮨\u0000" in space
    assert "x" * 50_000 not in space
    assert space.character_index("鮨") == space.character_index("?")
