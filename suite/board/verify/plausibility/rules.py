"""The rules of R9, one a line: what is odd, how bad that is, from which of a board's thresholds on.

Whoever walks the records counts; `Rules` turns counts into findings.
"""

from typing import NamedTuple, Protocol, Unpack

from suite.board.bundle.rungs import Severity, Sides
from suite.board.define.thresholds import Thresholds


class Rule(NamedTuple):
    """what: the words of the finding. threshold: its name among a board's, "" where nothing is measured."""

    code: str
    what: str
    threshold: str = ""
    severity: Severity = "warning"


RULES = {
    # who was asked
    "no model": Rule(
        "R9.no-model", "the candidate is no model that was served, but a replay, a script or a rule"
    ),
    "nobody": Rule("R9.no-member", "a call of nobody who is asked at this stage", severity="error"),
    "several models": Rule("R9.model", "several models answered as one", severity="error"),
    "another name": Rule("R9.model", "the endpoint calls its model by another name"),
    "fingerprints": Rule("R9.fingerprint", "the endpoint changed while the run went on"),
    "settled": Rule("R9.settled", "failed calls that the submitter settled on purpose"),
    "cached": Rule("R9.cached", "replies from the response cache of another run", severity="note"),
    "memory": Rule(
        "R9.memory",
        "the declared weights do not fit the recorded machine, at the fewest bytes a parameter",
        "bytes_per_parameter",
    ),
    # tokens
    "over limit": Rule("R9.tokens", "more tokens than max_tokens allows", severity="error"),
    "reasoning": Rule("R9.tokens", "more tokens of reasoning than in all", severity="error"),
    "cached prompt": Rule("R9.tokens", "more prompt tokens cached than sent", severity="error"),
    "no tokens": Rule("R9.tokens", "a text of no tokens", severity="error"),
    "characters": Rule("R9.tokens", "characters a token that no tokenizer gives"),
    "short prompt": Rule(
        "R9.tokens",
        "fewer prompt tokens than any tokenizer makes of the request",
        "characters_per_token_high",
    ),
    "long prompt": Rule("R9.tokens", "more prompt tokens than bytes were sent"),
    "uncounted prompts": Rule("R9.tokens", "tokens of replies are counted, those of their prompts are not"),
    "short prompts": Rule(
        "R9.tokens", "fewer prompt tokens than the requests have", "prompt_bytes_per_token"
    ),
    "one count": Rule(
        "R9.tokens", "requests of very different lengths have the same number of tokens", "least"
    ),
    "cut early": Rule("R9.finish", "cut off at max_tokens with far fewer tokens"),
    "stops at limit": Rule(
        "R9.finish", "many replies stop by themselves at exactly max_tokens", "stops_at_limit"
    ),
    # times
    "backwards": Rule("R9.times", "a call ended before it began", severity="error"),
    "too early": Rule("R9.times", "a call from before the run started", "clock_seconds", "error"),
    "cache took time": Rule("R9.times", "a reply from the cache took time", severity="error"),
    "created": Rule("R9.times", "the manifest was not written when the run began"),
    "latency": Rule("R9.latency", "a reply faster than any served model", "latency_ms", "error"),
    "speed": Rule("R9.speed", "more tokens a second than a stream gives", "tokens_per_second"),
    "impossible speed": Rule(
        "R9.speed", "more tokens a second than a stream gives", "tokens_per_second_error", "error"
    ),
    "quoted early": Rule(
        "R9.order",
        "a call began before the reply that its request quotes had ended",
        "clock_seconds",
        "error",
    ),
    "equal times": Rule("R9.regular", "many calls took the same time to the microsecond", "equal_latencies"),
    "last digits": Rule(
        "R9.regular", "the last digits of the times are not those of a clock", "last_digit_p"
    ),
    # tries and events
    "tries": Rule("R9.attempts", "a reply without a try, or a try for one from the cache", severity="error"),
    "failures": Rule(
        "R9.attempts", "a reply came at a later try than failures are recorded", severity="error"
    ),
    "event": Rule("R9.event", "an event that the runner does not write", severity="error"),
    # answers, over many samples
    "copies": Rule("R9.copies", "outputs of different samples are the same text", "identical_outputs"),
    "pasted": Rule(
        "R9.copies", "outputs of different samples are the same text", "identical_outputs_error", "error"
    ),
    "constant": Rule("R9.constant", "the outputs hardly differ", "distinct_5grams"),
    "opening": Rule("R9.opening", "outputs open with the same 200 characters", "shared_opening"),
    "odd characters": Rule(
        "R9.characters",
        "outputs with zero-width or direction characters, or enormous whitespace",
        "odd_characters",
    ),
    "at judge": Rule("R9.at-judge", "outputs that speak to their judge"),
    "trials": Rule("R9.trials", "all trials answer alike, at a temperature above 0", "least"),
    "rationales": Rule(
        "R9.rationales", "a judge gives different outputs the same long reply", "identical_rationales"
    ),
    "references": Rule(
        "R9.references",
        "outputs hold the task's reference answers, which no request shows, word for word",
        "identical_references",
    ),
    "judge's words": Rule(
        "R9.judges-words",
        "outputs have the judge's own wording or form of verdict, which no request shows",
        "judges_words",
    ),
    # beside other tasks and entries
    "other task": Rule(
        "R9.equal-scores", "every sample has the score of another task's sample", "equal_scores_p"
    ),
    "other model": Rule(
        "R9.equal-scores",
        "every sample of a column has the score that it has in another model's entry",
        "equal_scores_p",
    ),
    "near copies": Rule(
        "R9.near-copies", "long replies are those of an accepted entry of another model", "copied_replies"
    ),
    "missing": Rule(
        "R9.missing-hard",
        "samples without a value lie where the board's other entries do worst",
        "missing_hard_p",
    ),
    "failed": Rule(
        "R9.missing-hard",
        "failed samples lie where the board's other entries do worst, as honest ones may",
        "missing_hard_p",
        "note",
    ),
    "accretion": Rule(
        "R9.accretion",
        "over the versions it supersedes samples only got better: were only failures run again?",
        "accretion",
    ),
    "ceiling": Rule(
        "R9.ceiling",
        "the score lies beyond the ceiling that the board states: ask the model again (--rerun)",
        severity="note",
    ),
    "leap": Rule(
        "R9.leap",
        "the score is far above the best accepted entry: ask the model again (--rerun)",
        "leap_errors",
        "note",
    ),
}


class _Places(Protocol):
    """Where findings go: of a run, or of the whole bundle."""

    def add(self, code: str, what: str, where: str, *, severity: Severity, **sides: Unpack[Sides]) -> None:
        """Add one."""


class Rules:
    """The rules with a board's thresholds, and where their findings go."""

    def __init__(self, thresholds: Thresholds, findings: _Places) -> None:
        self.thresholds, self._findings = thresholds, findings

    def __getitem__(self, name: str) -> float:
        """The threshold of a rule."""
        return self.thresholds[RULES[name].threshold]

    def tell(self, name: str, where: str, **sides: Unpack[Sides]) -> None:
        """That a rule is broken."""
        rule = RULES[name]
        self._findings.add(rule.code, rule.what, where, severity=rule.severity, **sides)

    def enough(self, count: int) -> bool:
        """Whether shares of so many samples say something."""
        return count >= self.thresholds["least"]
