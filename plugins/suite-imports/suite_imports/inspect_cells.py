"""The cells of a log of inspect-ai: which scorer gives which value, and what it declares about it.

Not here: reading the log (`inspect_logs`).
"""

import itertools
import json
from collections.abc import Iterator

import suite
from suite_imports.values import ImportedCell, PrintedMean, Record, Scale, listed, mapping

# inspect_ai.scorer: what these give is C or I, or 1 or 0; partial credit only where it is asked for
RIGHT_OR_WRONG = {"match", "includes", "pattern", "answer", "exact", "choice", "math"}
GRADERS = {"model_graded_qa", "model_graded_fact"}
GRADES = {"f1"}
MEANS = {"accuracy", "mean"}
GROUP = "{group_name}"  # inspect_ai.scorer.grouped: the name of a group in that of its number


class InspectCells:
    """The cells of a log, by scorer and name of a value."""

    def __init__(self, spec: Record, results: Record) -> None:
        self._spec, self.task = spec, str(spec.get("task", ""))
        self._printed = [mapping(one) for one in listed(results.get("scores"))]
        self.scorers: dict[str, Record] = {}
        for one in map(mapping, listed(spec.get("scorers"))):
            self.scorers[self._unique(short(one.get("name")))] = one
        self.known: dict[tuple[str, str], ImportedCell] = {}
        self.cluster, self.part = "", ""
        for one in self._metrics([spec.get("metrics"), *self.scorers.values()]):
            options = mapping(one.get("options"))
            self.cluster = str(options.get("cluster") or self.cluster)
            self.part = str(options.get("group_key") or self.part)

    def _unique(self, name: str) -> str:
        """As inspect_ai.scorer._scorer.unique_scorer_name calls the second of one name: NAME1."""
        others = (f"{name}{count}" for count in itertools.count(1))
        return next(one for one in (name, *itertools.islice(others, 1000)) if one not in self.scorers)

    def _metrics(self, value: suite.Json) -> Iterator[Record]:
        """Declared metrics, wherever they stand: alone, in lists, in mappings by value, in scorers."""
        for one in listed(value):
            if isinstance(one, list):
                yield from self._metrics(one)
            elif isinstance(one, dict) and "metrics" in one:
                yield from self._metrics(one["metrics"])
            elif isinstance(one, dict) and "name" in one:
                yield one
            elif isinstance(one, dict):
                yield from self._metrics(list(one.values()))

    def of(self, scorer: str, name: str) -> ImportedCell:
        """The cell of a scorer's value. name: "" where it gives one."""
        if (scorer, name) not in self.known:
            self.known[scorer, name] = self._made(scorer, name)
        return self.known[scorer, name]

    def all_of(self, scorer: str) -> list[ImportedCell]:
        """The cells of a scorer, as far as the log tells."""
        return [self.of(scorer, name) for name in self._names(scorer)]

    def values(self, scorer: str, value: suite.Json) -> Record:
        """A scorer's value by the names of its cells; a name that it declares and does not give has null."""
        if isinstance(value, list):
            return {str(place): one for place, one in enumerate(value)}
        names = self._names(scorer)
        if isinstance(value, dict) and value:
            return {**dict.fromkeys(names if names != [""] else ()), **value}
        return dict.fromkeys(names, value)

    def _names(self, scorer: str) -> list[str]:
        """The values that a scorer gives by name, as far as the log tells; [""] where it gives one."""
        each = listed(mapping(self.scorers.get(scorer)).get("metrics"))
        found = [name for one in each if isinstance(one, dict) and "name" not in one for name in one]
        printed = [str(one.get("name")) for one in self._printed if one.get("scorer") == scorer]
        return (
            [name for name in found if "*" not in name] or [one for one in printed if one != scorer] or [""]
        )

    def _made(self, scorer: str, name: str) -> ImportedCell:
        declared = mapping(self.scorers.get(scorer))
        kind = short(declared["name"]) if "name" in declared else scorer
        options = mapping(declared.get("options"))
        own = declared.get("metrics") or self._spec.get("metrics")
        for one in listed(own):
            own = one[name] if name and isinstance(one, dict) and name in one else own
        means = {inner(one) for one in self._metrics(own)}
        printed = [
            one for one in self._printed if (one.get("scorer"), one.get("name")) == (scorer, name or scorer)
        ]
        means |= {
            metric
            for one in printed
            for metric, told in mapping(one.get("metrics")).items()
            if not mapping(told).get("group")  # else named by data
        }  # older logs declare none
        scale: Scale = (
            "grade" if kind in GRADES or "accuracy" in means else "gain" if "mean" in means else "number"
        )
        if not name and (kind in RIGHT_OR_WRONG or (kind in GRADERS and not options.get("partial_credit"))):
            scale = "rate"
        task = self._spec.get("task_args")
        parameters: Record = {
            "tool": "inspect",
            "task": self.task,
            "scorer": f"{scorer}/{name}" if name else scorer,
            "filter": "",
            "options": json.dumps(task, sort_keys=True) if task else "",
            "shots": None,
            "version": str(self._spec.get("task_version", "")),
            "grader": self._grader(kind, options),
        }
        told = list(dict.fromkeys(self._means(printed)))
        return ImportedCell(scale, parameters, told, parts=bool(self.part))

    def _means(self, printed: list[Record]) -> Iterator[PrintedMean]:
        """What a log prints, where it is a mean over samples, or over those of a part."""
        for score in printed:
            reducer = str(score.get("reducer") or "")
            for key, metric in mapping(score.get("metrics")).items():
                one = mapping(metric)
                name, value, options = (
                    str(one.get("name") or key),
                    one.get("value"),
                    mapping(one.get("params")),
                )
                grouped, part = one.get("group") == "grouped", ""
                if grouped and name != options.get("all_label", "all"):
                    before, _, behind = str(options.get("name_template", GROUP)).partition(GROUP)
                    part = name.removeprefix(before).removesuffix(behind)
                what = inner({"name": name, "options": options}) if grouped else short(name)
                mine = (options.get("group_key") == self.part) if part else options.get("all") != "groups"
                if (
                    what in MEANS
                    and grouped == bool(one.get("group"))
                    and mine
                    and isinstance(value, int | float)
                ):
                    yield PrintedMean(float(value), part, "" if reducer == "mean" else reducer)

    def _grader(self, kind: str, options: Record) -> str:
        """The models that graded: inspect's own scorers fall back to the model under test."""
        roles = mapping(self._spec.get("model_roles"))
        told = options.get("model") or roles.get(str(options.get("model_role") or "grader"))
        names = [str(mapping(one).get("model", one)) for one in listed(told)]
        return ", ".join(names) or (str(self._spec.get("model", "")) if kind in GRADERS else "")


def short(name: suite.Json) -> str:
    """A name without its package."""
    return str(name).rpartition("/")[2]


def inner(metric: Record) -> str:
    """The name of a declared metric; of `grouped`, that of the metric of its groups."""
    within = mapping(mapping(metric.get("options")).get("metric"))
    return short(within.get("name") or metric.get("name"))
