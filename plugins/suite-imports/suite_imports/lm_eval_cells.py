"""The cells of a results file of lm-eval: which metric, filter, task or group, and what is declared about it.

Tasks of a group with a printed mean are one cell, each task a part of it. Not here: reading the files
(`lm_eval_logs`).
"""

from dataclasses import dataclass, field
from pathlib import Path

import suite
from suite_imports.values import ImportedCell, PrintedMean, Record, Scale, listed, mapping

RIGHT_OR_WRONG = {"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match"}
NOT_SCORED = "bypass"  # what --predict_only gives
PER_SAMPLE = {"mean", "nanmean"}
CORPUS = {  # lm_eval/api/metrics.py: aggregated in another way by default
    "perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "f1", "mcc", "brier_score", "bleu",
    "chrf", "chrf++", "ter", "acc_all",
}  # fmt: skip
NEAR = 1e-6
MOST_SAMPLES = 10_000_000  # of a task


@dataclass
class LmEvalResults:
    """One results file. told: what it holds. date: as its samples' files have it in their names."""

    path: Path
    told: Record
    date: str
    cells: dict[tuple[str, str, str], ImportedCell] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    _of: dict[tuple[str, str, str], ImportedCell] = field(default_factory=dict)

    def part(self, name: str, key: str) -> Record:
        """What the file tells of a task under a heading."""
        return mapping(mapping(self.told.get(key)).get(name))

    @property
    def model(self) -> str:
        """Whose answers."""
        return str(self.told.get("model_name") or mapping(self.told.get("config")).get("model") or "")

    def length(self, task: str) -> int:
        """How many samples the file counts for a task, 0 where it tells none. Raises DataError."""
        counts = self.part(task, "results").get("sample_len"), self.part(task, "n-samples").get("effective")
        found = next((one for one in counts if isinstance(one, int)), 0)
        if found > MOST_SAMPLES:
            raise suite.DataError(f"{self.path.name} counts {found:,} samples of {task}", str(self.path))
        return found

    def values(self, task: str) -> list[tuple[str, str]]:
        """(metric, filter) that the file prints for a task, or that a line of its samples has."""
        pairs = (key.partition(",") for key in self.part(task, "results") if "," in key)
        printed = [(metric, name) for metric, _, name in pairs if not metric.endswith("_stderr")]
        return list(dict.fromkeys([*printed, *(key[1:] for key in self._of if key[0] == task)]))

    def met(self, task: str, metric: str, name: str) -> bool:
        """Whether a line of the samples has this value."""
        return (task, metric, name) in self._of

    def leaves(self, group: str) -> list[str]:
        """The tasks of a group and of groups in it; of a task itself."""
        children, found, waiting = mapping(self.told.get("group_subtasks")), dict[str, bool](), [group]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = not listed(children.get(name))
                waiting += [str(one) for one in reversed(listed(children.get(name)))]
        return [name for name, leaf in found.items() if leaf] or [group]

    def scale(self, task: str, metric: str) -> Scale:
        """What kind of value the configuration declares."""
        config, better = self.part(task, "configs"), self.part(task, "higher_is_better").get(metric)
        if metric in RIGHT_OR_WRONG and better is not False:
            plain = config.get("process_results") is None and config.get("repeats", 1) in (None, 1)
            return "rate" if plain else "grade"
        return "number" if better is None or metric == NOT_SCORED else "gain" if better else "loss"

    def corpus(self, task: str, metric: str) -> bool:
        """Whether a metric is aggregated in another way than by a mean, as declared or by default."""
        each = [mapping(one) for one in listed(self.part(task, "configs").get("metric_list"))]
        told = {
            str(one["aggregation"]) for one in each if one.get("metric") == metric and one.get("aggregation")
        }
        return bool(told - PER_SAMPLE) if told else metric in CORPUS

    def cell(self, task: str, metric: str, name: str) -> ImportedCell:
        """The cell of a metric of a task. name: of the filter."""
        if (task, metric, name) not in self._of:
            whole = self._group(task, metric, name)
            if (whole, metric, name) not in self.cells:
                self.cells[whole, metric, name] = self._made(whole, self.scale(task, metric), metric, name)
            self._of[task, metric, name] = self.cells[whole, metric, name]
        return self._of[task, metric, name]

    def _group(self, task: str, metric: str, name: str) -> str:
        """The largest group with a printed mean of this metric whose tasks all have one kind of it."""
        found, most = task, 0
        for group in mapping(self.told.get("groups")):
            leaves = self.leaves(group)
            printed = len(leaves) > most and f"{metric},{name}" in self.part(group, "groups")
            if printed and task in leaves and len({self.scale(one, metric) for one in leaves}) == 1:
                found, most = group, len(leaves)
        return found

    def _made(self, whole: str, scale: Scale, metric: str, name: str) -> ImportedCell:
        leaves, versions = self.leaves(whole), mapping(self.told.get("versions"))
        grouped = leaves != [whole]
        own = ", ".join(sorted({str(versions.get(one)) for one in leaves}))
        shots = {str(mapping(self.told.get("n-shot")).get(one)) for one in leaves}
        shot = shots.pop() if len(shots) == 1 else ""
        parameters: Record = {
            "tool": "lm-eval",
            "task": whole,
            "scorer": metric,
            "filter": "" if name == "none" else name,
            "options": "",
            "shots": int(shot) if shot.isdecimal() else None,
            "version": f"{versions.get(whole)}; of tasks: {own}" if grouped else own,
            "grader": "",
        }
        printed = self._printed(whole, leaves, f"{metric},{name}")
        means = [] if printed is None else [PrintedMean(printed)]
        return ImportedCell(scale, parameters, means, parts=grouped)

    def _printed(self, whole: str, leaves: list[str], key: str) -> float | None:
        """The mean that the file prints, if it is one over samples: of a group its tasks' numbers tell."""
        printed = self.part(whole, "results").get(key)
        if not isinstance(printed, int | float) or leaves == [whole]:
            return float(printed) if isinstance(printed, int | float) else None
        each = [self.part(one, "results") for one in leaves]
        known = [(one.get(key), one.get("sample_len")) for one in each]
        told = [(mean, n) for mean, n in known if isinstance(mean, int | float) and isinstance(n, int)]
        total = sum(n for _, n in told)
        weighted = sum(mean * n for mean, n in told) / total if total else None
        return printed if weighted is not None and abs(weighted - printed) < NEAR else None
