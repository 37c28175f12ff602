"""UserBench: steps a second, memory over many episodes, the solver over many scenarios, baselines.

python benchmarks/userbench.py steps            # environment steps a second on one core
python benchmarks/userbench.py memory           # peak memory after 100 and after 2,000 episodes
python benchmarks/userbench.py solver 10000     # generated scenarios, each solved independently
python benchmarks/userbench.py baselines 400    # where the scripted candidates land
"""

import asyncio
import resource
import sys
import time
from itertools import cycle, islice

import suite_userbench.env
from suite_userbench import baselines
from suite_userbench.playing import play, summary
from suite_userbench.scenario import TAGS
from suite_userbench.synth.generator import scenarios
from suite_userbench.synth.making import made
from suite_userbench.synth.solver import check


def actions(env: suite_userbench.env.UserBenchEnv, count: int) -> list[str]:
    """Moves that do something: right searches, questions that hit, answers."""
    found = []
    for scenario in cycle(env.scenarios):
        for aspect in scenario.aspects:
            values = aspect.arguments
            title = aspect.name.replace("_", " ")
            if aspect.name == "flight":
                found.append(
                    f"[search] flight from {values['origin']} to {values['destination']} on {values['date']}"
                )
            else:
                found.append(f"[search] {title} in {' and '.join(values.values())}")
            found.append(
                f"[action] For the {title}: do you care about the rating, the price range or parking?"
            )
            found.append(f"[action] Which route, brand or cuisine would you like for the {title}?")
        if len(found) >= count:
            return found[:count]
    raise AssertionError("cycle never ends")


def steps(total: int = 40_000) -> None:
    """Random play and play that hits, each with the user rules-v1."""
    env = suite_userbench.env.UserBenchEnv(count=8)
    env.action_space.seed(1)
    kinds = {"random": [env.action_space.sample() for _ in range(2_000)], "sensible": actions(env, 2_000)}
    for name, moves in kinds.items():
        done, begin = 0, time.process_time()
        env.reset(seed=1)
        for move in islice(cycle(moves), total):
            if env.episode is None or env.episode.over:
                env.reset()
            env.step(move)
            done += 1
        print(f"{name}: {done / (time.process_time() - begin):,.0f} steps per second of CPU")


def memory() -> None:
    """Peak memory must not follow the number of episodes."""
    env = suite_userbench.env.UserBenchEnv(count=8)
    moves = actions(env, 500)
    done = 0
    for wanted in (100, 2_000):
        while done < wanted:
            env.reset(seed=done)
            while env.episode is not None and not env.episode.over:
                env.step(moves[(done + env.episode.steps) % len(moves)])
            done += 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{done} episodes: peak {peak:.1f} MiB")


def solver(count: int) -> None:
    """Every generated scenario has the promised answers."""
    begin, checked, wrong = time.process_time(), 0, 0
    for tag in TAGS:
        for record in scenarios(tag, seed=21, count=-(-count // len(TAGS))):
            if problems := list(check(record)):
                print(record["scenario_id"], problems)
                wrong += 1
            checked += 1
    print(f"{checked} scenarios, {wrong} wrong, {time.process_time() - begin:.0f} s")


def land(count: int) -> None:
    """Means of the three baselines on generated test scenarios."""
    some = list(made(TAGS, "test", count=-(-count // len(TAGS))))
    for name in ("random", "ask_everything", "silent"):
        found = dict(summary(asyncio.run(play(getattr(baselines, name), some, {}))))
        told = ", ".join(
            f"{key} {'-' if value is None else format(value, '.3f')}" for key, value in found.items()
        )
        print(f"{name} ({len(some)} episodes): {told}")


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "steps"
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    if what == "solver":
        solver(number)
    elif what == "baselines":
        land(number)
    elif what == "memory":
        memory()
    else:
        steps()
