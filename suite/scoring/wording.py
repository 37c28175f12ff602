"""The prompt texts the scoring core brings: pairwise comparison, ranking, rating, corrections.

Own wording, in `wording.toml`; `PROMPTS.sha256()` goes into the manifest of a scoring that used them.
"""

import tomllib
from importlib.resources import files

from suite.prompts import Prompts

PROMPTS = Prompts(**tomllib.loads((files("suite.scoring") / "wording.toml").read_text("utf-8")))
