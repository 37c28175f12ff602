"""The Gymnasium environment `suite/UserBench-v0`, registered when this package is imported.

import gymnasium
import suite_userbench.env

gymnasium.register_envs(suite_userbench.env)  # does nothing: the import has registered it
env = gymnasium.make("suite/UserBench-v0", mode="single", user="rules-v1")
"""

from suite_userbench.env.environment import UserBenchEnv
from suite_userbench.env.registration import ENV_ID, register

register()

__all__ = ["ENV_ID", "UserBenchEnv", "register"]
