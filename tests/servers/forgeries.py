"""The catalogue of forgeries: each a function of a good bundle, and the finding that it must lead to.

Rows that need no bundle (a repository, a URL, an archive's bytes) are tested where those are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import forge_asking as asking
import forge_files as files
import forge_records as records
from tamper import Forged

Forge = Callable[[Forged], object]


@dataclass(frozen=True)
class Row:
    """One forgery. number: in the catalogue. recipe: of the good bundle. caught: codes, one of which must be
    found; () = cannot be detected, must verify. severity: of the finding.
    """

    number: str
    title: str
    recipe: str
    forge: Forge
    caught: tuple[str, ...]
    severity: str = "error"


# fmt: off
CATALOGUE = [
    Row(
        "1",
        "one byte of the outputs flipped",
        "choice",
        files.flip_byte,
        ("R2.bytes-differ", "R0.unreadable"),
    ),
    Row("2", "scores cut in a line", "choice", files.cut_scores, ("R2.size-differs", "R2.content-differs")),
    Row("2 sealed", "scores cut in a line", "choice", files.cut_scores_sealed, ("R1.torn-line",)),
    Row("3", "a journal deleted", "choice", files.delete_journal, ("R1.file-missing",)),
    Row("4", "an unlisted file added", "choice", files.unlisted_file, ("R2.unlisted-file",)),
    Row("12", "a key twice", "choice", files.duplicate_key, ("R1.not-strict-json",)),
    Row("13 NaN", "NaN as a score", "choice", files.score_of(b"NaN"), ("R1.record", "R1.not-strict-json")),
    Row(
        "13 Infinity",
        "an infinite score",
        "choice",
        files.score_of(b"-Infinity"),
        ("R1.record", "R1.not-strict-json"),
    ),
    Row(
        "13 1e999",
        "1e999 as a score",
        "choice",
        files.score_of(b"1e999"),
        ("R1.record", "R1.not-strict-json"),
    ),
    Row(
        "13 huge", "a huge integer", "choice", files.score_of(b"1" * 40), ("R1.record", "R1.not-strict-json")
    ),
    Row("14", "headline raised", "choice", files.envelope_headline, ("R2.told-differently", "R8.headline")),
    Row("15", "a metric raised", "choice", files.raise_metric, ("R8.metric",)),
    Row("16", "interval narrowed, n raised", "choice", files.narrow_interval, ("R8.metric",)),
    Row("17", "unscored counts changed", "judged", files.fewer_unscored, ("R8.metric",)),
    Row("18", "one score 0 to 1", "choice", records.flip_score, ("R6.score",)),
    Row("19", "output replaced by a better one", "choice", records.better_output, ("R6.output",)),
    Row("20", "a reply fabricated with all that follows", "choice", records.fabricate, ()),
    Row(
        "20 dialogue",
        "a reply replaced that later turns quote",
        "dialogue",
        records.rewrite_dialogue,
        ("R6.request",),
    ),
    Row(
        "20 usage",
        "reply replaced, usage left",
        "judged",
        records.usage_not_adjusted,
        ("R9.tokens",),
        "warning",
    ),
    Row("21", "hard samples deleted", "choice", records.delete_hard, ("R4.missing-output",)),
    Row("22", "a failed sample deleted", "choice", records.delete_one_failed, ("R4.missing-output",)),
    Row(
        "23",
        "a failing record replaced by a passing one",
        "choice",
        records.copy_passing,
        ("R6.request", "R6.output"),
    ),
    Row(
        "24",
        "a trial twice, another gone",
        "judged",
        records.duplicate_trial,
        ("R4.repeated-output", "R2.call-of-other-group"),
    ),
    Row("24 content", "a trial with another's content", "judged", records.copy_trial, ("R6.output",)),
    Row("25", "invented samples", "choice", records.invent_samples, ("R4.unknown-output",)),
    Row("26", "an easier payload", "choice", records.edit_payload, ("R4.payload",)),
    Row("27", "another data revision", "choice", records.edit_revision, ("R3.data",)),
    Row("28", "hashes of other data", "choice", records.edit_data_hashes, ("R3.data",)),
    Row("29", "a parameter relaxed", "choice", asking.relax_parameter, ("R5.parameters",)),
    Row("30", "a parameter recorded falsely", "choice", asking.wrong_turns, ("R6.request",)),
    Row("30 cells", "two cells under each other's name", "choice", asking.relabel_parameter, ("R6.output",)),
    Row("31", "hints in the prompt", "choice", asking.hint_in_prompt, ("R6.request",)),
    Row("31 declared", "other prompts, told", "choice", asking.declared_prompts, ("R3.prompts",)),
    Row("32", "another judge, told", "judged", asking.swap_judge, ("R5.judge",)),
    Row(
        "33 reported",
        "another judge, named by its endpoint",
        "judged",
        asking.forge_judge_reported,
        ("R9.model",),
    ),
    Row("33", "another judge, all names forged", "judged", asking.forge_judge, ()),
    Row("34", "a softer judge prompt, told", "judged", asking.declared_prompts, ("R3.prompts",)),
    Row("35", "a softer judge prompt, not told", "judged", asking.edit_judge_prompt, ("R7.request",)),
    Row("36", "a verdict flipped", "judged", asking.flip_verdict, ("R7.score",)),
    Row("37", "an order of a pair dropped", "pairs", asking.drop_order, ("R7.calls", "R7.request")),
    Row("38", "a panel of one", "pairs", asking.smaller_panel, ("R5.judge",)),
    Row("39", "an unreadable reply passes", "judged", asking.unreadable_passes, ("R7.score", "R7.request")),
    Row("40", "failures unscored", "judged", asking.unscored_failures, ("R7.score",)),
    Row("41", "two replies to one call", "choice", asking.two_replies, ("R2.call-twice",)),
    Row(
        "41 told",
        "a discarded reply in the attempts",
        "choice",
        asking.shopping_event,
        ("R9.event", "R1.record"),
    ),
    Row("42", "attempts cleaned", "choice", asking.attempt_gap, ("R9.attempts",)),
    Row("43", "a call too many", "choice", asking.left_over, ("R6.calls",)),
    Row("44", "another task version", "choice", asking.task_version, ("R3.task-version",)),
    Row("46", "another temperature, told", "judged", asking.temperature_recorded, ("R5.sampling",)),
    Row("46 hidden", "more tokens, not told", "choice", asking.max_tokens_hidden, ("R6.request",)),
    Row("47", "another partner in a role", "pairs", asking.swap_baseline, ("R5.role",)),
    Row("48", "no parameters", "choice", files.no_parameters, ("R1.schema",)),
    Row("49", "usage lowered", "judged", records.lower_usage, ("R9.tokens",), "warning"),
    Row("49 prompts", "prompts' usage lowered", "judged", records.lower_prompts, ("R9.tokens",), "warning"),
    Row("49 none", "prompts' usage out", "judged", records.uncounted_prompts, ("R9.tokens",), "warning"),
    Row("49 raised", "prompts' usage raised", "judged", records.raise_prompts, ("R9.tokens",), "warning"),
    Row("50 created", "a manifest of another day", "choice", records.other_day, ("R9.times",), "warning"),
    Row("50 negative", "a call ends before it begins", "choice", records.negative_time, ("R9.times",)),
    Row("50 before", "calls from before the run", "choice", records.before_start, ("R9.times",)),
    Row("50 order", "a turn before the one it quotes", "dialogue", records.overlapping, ("R9.order",)),
    Row("52", "scores pasted from another cell", "choice", records.paste_scores, ("R6.score",)),
    Row("53", "another model's name", "choice", files.rename_model, ("R5.model-name",)),
    Row("55", "standard, with changes", "choice", files.undeclared_change, ("R5.standard",)),
    Row("56", "an older definition", "choice", files.old_definition, ("R5.board",)),
    Row("57", "clusters split", "choice", records.merge_clusters, ("R4.cluster",)),
    Row("58", "a lucky seed", "judged", asking.lucky_seed, ("R5.seed",)),
    Row("59 bidi", "a name that runs backwards", "choice", files.bidi_name, ("R1.schema",)),
    Row("59 script", "a script as URL", "choice", files.script_url, ("R1.schema",)),
    Row("60", "another bundle's signature", "choice", files.other_signature, ("R10.signature",)),
    Row("63", "plugin code in the bundle", "choice", files.plugin_code, ("R0.name-not-allowed",)),
    Row("64", "records in another order", "choice", records.reorder, ()),
]
# fmt: on
