"""The task under test: its class, the cells that are tried, its data, and plans over scripted models."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from suite.data.cache import Cache
from suite.data.pull import ready
from suite.data.registry import Registry
from suite.errors import SuiteError
from suite.models.scripted import Function, ScriptedEngine
from suite.plugins import Catalogue, catalogue
from suite.run.cells import AnyTask, Cell, expand, load_task, make_cell
from suite.run.plan import Plan, make_plan
from suite.run.request import EvalRequest
from suite.run.role_members import Filled, roles_of
from suite.task import Metric, TaskInfo
from suite.testing.answers import plausible


class Skip(Exception):
    """Raised by a check that cannot be made here; the reason is shown."""


@dataclass(frozen=True)
class Subject:
    """A task and how to try it.

    name: of the task. parameters: (task or "", name, text) as -P gives them; () takes the preset "mini" with
    bundled data, else the defaults. data: dataset -> file or run, as --data. answers: role -> what its
    scripted model answers, for judges that want a form of their own. groups, cells: most that are tried.
    """

    name: str
    parameters: tuple[tuple[str, str, str], ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Function] = field(default_factory=dict)
    groups: int = 4
    cells: int = 3
    plugins: Catalogue = field(default_factory=catalogue)

    @cached_property
    def task(self) -> type[AnyTask]:
        """The task's class. Raises NotFound or PluginError."""
        return load_task(self.plugins, self.name)[0]

    @property
    def info(self) -> TaskInfo:
        """Its facts."""
        return self.task.info

    @property
    def headline(self) -> Metric | None:
        """The declared metric that yields the headline, or None."""
        return next((one for one in self.task.metrics if self.info.headline in one.rows()), None)

    @cached_property
    def registry(self) -> Registry:
        """The registry with what plugins bring."""
        return Registry(self.plugins.registry_folders())

    @cached_property
    def mini(self) -> bool:
        """Whether bundled data stands in for every dataset that nobody gave."""
        needed = [name for name in self.info.datasets if name not in self.data]
        return bool(needed) and all(name in self.info.mini for name in needed)

    @cached_property
    def chosen_cells(self) -> list[Cell]:
        """The cells that are run. Raises SuiteError."""
        return expand(self.request(), self.plugins)[0][: self.cells]

    def request(self, **models: list[str]) -> EvalRequest:
        """A request for this task with these models."""
        return EvalRequest(
            tasks=(self.name,),
            parameters=self.parameters,
            mini=self.mini,
            limit=self.groups,
            models=models,
            data=self.data,
            cache=False,
        )

    def require_data(self) -> None:
        """Raises Skip, with the reason, where the data is not at hand; nothing is downloaded for a check."""
        if self.mini:
            return
        for name in self.info.datasets:
            if name in self.data:
                continue
            try:
                here = ready(self.registry.dataset(name), Cache())
            except SuiteError as error:
                raise Skip(f"no data for {name!r}: {error.what}") from error
            if here is None:
                raise Skip(f"the data of {name!r} is not here, and no mini data stands in for it")

    def cell(self, values: Mapping[str, object]) -> Cell:
        """A cell of these raw parameter values. Raises ValidationError or SkipCell."""
        return make_cell(self.task(self.task.parameters_type().model_validate(dict(values))), self.name)

    def samples_plan(self, cells: list[Cell]) -> Plan:
        """A plan without models, to read the samples of cells."""
        self.require_data()
        request = replace(self.request(), limit=None)
        return make_plan(request, stages=("show",), plugins=self.plugins, registry=self.registry, cells=cells)

    def plan(self, functions: Mapping[str, Function], concurrency: int = 1) -> Plan:
        """A plan in which every role is filled by a scripted model; fresh task objects each time.

        functions: role -> its answers; the other roles answer as `answers` says, or plausibly.
        """
        self.require_data()
        cells = [make_cell(type(one.task)(one.task.parameters), one.plan.plugin) for one in self.chosen_cells]
        roles = {name: [f"scripted/constant?text={name}"] for name in roles_of(cells)}
        request = replace(self.request(**roles), concurrency=concurrency)
        plan = make_plan(request, plugins=self.plugins, registry=self.registry, cells=cells)
        members = tuple(
            replace(
                one,
                engine=ScriptedEngine(
                    functions.get(one.role) or self.answers.get(one.role) or plausible,
                    capabilities=one.engine.capabilities(),
                    spec=one.spec,
                ),
            )
            for one in plan.filled.members
        )
        return replace(plan, filled=Filled(members, plan.filled.roles))

    def roles(self, *stages: str) -> list[str]:
        """Names of the roles that the chosen cells ask in these stages."""
        return [
            name
            for name, needs in roles_of(self.chosen_cells).items()
            if any(role.stage in stages for role in needs)
        ]
