"""Registers the environment with Gymnasium."""

import gymnasium

ENV_ID = "suite/UserBench-v0"  # the version rises with any change of behaviour


def register() -> None:
    """Register, once. The step limit is the environment's own, so no TimeLimit wrapper is added."""
    if ENV_ID not in gymnasium.registry:
        gymnasium.register(id=ENV_ID, entry_point="suite_userbench.env.environment:UserBenchEnv")
