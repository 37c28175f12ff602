"""PrefEval's pairs of the bundled data with exchanges as long as the published ones: for `benchmarks/gpu.py`.

The bundled exchanges are short, so a sweep over them shares little. These have about 380 tokens each.
"""

import dataclasses
import random

from suite_prefeval.classification import Classification

import suite

STOCK = ("hall", "opens", "nine", "ships", "leave", "quay", "near", "old", "town", "walls", "winter", "boats")


class LongExchanges(Classification):
    """Any number of unrelated exchanges, always the same."""

    info = dataclasses.replace(Classification.info, name="long-exchanges")

    def read_unrelated(self, data: suite.Data) -> tuple[suite.Message, ...]:
        chance = random.Random(17)
        found: list[suite.Message] = []
        for _ in range(self.parameters.inter_turns):
            asked, said = (" ".join(chance.choices(STOCK, k=count)) for count in (30, 320))
            found += [suite.user(f"Tell me of {asked}."), suite.assistant(f"Of course: {said}.")]
        return tuple(found)
