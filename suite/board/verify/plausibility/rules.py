"""The rules of R9, one a line: what is odd, how bad that is, from which of a board's thresholds on.

Whoever walks the records counts; `OddRules` turns counts into findings.
"""

from typing import NamedTuple, Unpack

from suite.board.bundle.rungs import Findings, Severity, Sides
from suite.board.define.parts import Thresholds


class Odd(NamedTuple):
    """what: the words of the finding. threshold: its name among a board's, "" where nothing is measured."""

    code: str
    what: str
    threshold: str = ""
    severity: Severity = "warning"


# fmt: off
RULES = {
    # who was asked
    "no model": Odd("R9.no-model",
                    "the candidate is no model that was served, but a replay, a script or a rule"),
    "nobody": Odd("R9.no-member", "a call of nobody who is asked at this stage", "", "error"),
    "several models": Odd("R9.model", "several models answered as one", "", "error"),
    "another name": Odd("R9.model", "the endpoint calls its model by another name"),
    "fingerprints": Odd("R9.fingerprint", "the endpoint changed while the run went on"),
    "settled": Odd("R9.settled", "failed calls that the submitter settled on purpose"),
    "cached": Odd("R9.cached", "replies from the response cache of another run", "", "note"),
    "memory": Odd("R9.memory",
                  "the declared weights do not fit the recorded machine, at the fewest bytes a parameter",
                  "bytes_per_parameter"),
    # tokens
    "over limit": Odd("R9.tokens", "more tokens than max_tokens allows", "", "error"),
    "reasoning": Odd("R9.tokens", "more tokens of reasoning than in all", "", "error"),
    "cached prompt": Odd("R9.tokens", "more prompt tokens cached than sent", "", "error"),
    "no tokens": Odd("R9.tokens", "a text of no tokens", "", "error"),
    "characters": Odd("R9.tokens", "characters a token that no tokenizer gives"),
    "short prompt": Odd("R9.tokens", "fewer prompt tokens than any tokenizer makes of the request",
                        "characters_per_token_high"),
    "long prompt": Odd("R9.tokens", "more prompt tokens than bytes were sent"),
    "uncounted prompts": Odd("R9.tokens", "tokens of replies are counted, those of their prompts are not"),
    "short prompts": Odd("R9.tokens", "fewer prompt tokens than the requests have", "prompt_bytes_per_token"),
    "one count": Odd("R9.tokens", "requests of very different lengths have the same number of tokens",
                     "least"),
    "cut early": Odd("R9.finish", "cut off at max_tokens with far fewer tokens"),
    "stops at limit": Odd("R9.finish", "many replies stop by themselves at exactly max_tokens",
                          "stops_at_limit"),
    # times
    "backwards": Odd("R9.times", "a call ended before it began", "", "error"),
    "too early": Odd("R9.times", "a call from before the run started", "clock_seconds", "error"),
    "cache took time": Odd("R9.times", "a reply from the cache took time", "", "error"),
    "created": Odd("R9.times", "the manifest was not written when the run began"),
    "latency": Odd("R9.latency", "a reply faster than any served model", "latency_ms", "error"),
    "speed": Odd("R9.speed", "more tokens a second than a stream gives", "tokens_per_second"),
    "impossible speed": Odd("R9.speed", "more tokens a second than a stream gives",
                            "tokens_per_second_error", "error"),
    "quoted early": Odd("R9.order", "a call began before the reply that its request quotes had ended",
                        "clock_seconds", "error"),
    "equal times": Odd("R9.regular", "many calls took the same time to 0.1 ms", "equal_latencies"),
    "last digits": Odd("R9.regular", "the last digits of the times are not those of a clock", "last_digit_p"),
    # tries and events
    "tries": Odd("R9.attempts", "a reply without a try, or a try for one from the cache", "", "error"),
    "failures": Odd("R9.attempts", "a reply came at a later try than failures are recorded", "", "error"),
    "event": Odd("R9.event", "an event that the runner does not write", "", "error"),
    # answers, over many samples
    "copies": Odd("R9.copies", "outputs of different samples are the same text", "identical_outputs"),
    "pasted": Odd("R9.copies", "outputs of different samples are the same text",
                  "identical_outputs_error", "error"),
    "constant": Odd("R9.constant", "the outputs hardly differ", "distinct_5grams"),
    "opening": Odd("R9.opening", "outputs open with the same 200 characters", "shared_opening"),
    "odd characters": Odd("R9.characters",
                          "outputs with zero-width or direction characters, or enormous whitespace",
                          "odd_characters"),
    "at judge": Odd("R9.at-judge", "outputs that speak to their judge"),
    "trials": Odd("R9.trials", "all trials answer alike, at a temperature above 0", "least"),
    "rationales": Odd("R9.rationales", "a judge gives different outputs the same long reply",
                      "identical_rationales"),
    "references": Odd("R9.references",
                      "outputs hold the task's reference answers, which no request shows, word for word",
                      "identical_references"),
    "judge's words": Odd("R9.judges-words",
                         "outputs have the judge's own wording or form of verdict, which no request shows",
                         "judges_words"),
    # beside other tasks and entries
    "other task": Odd("R9.equal-scores", "every sample has the score of another task's sample",
                      "equal_scores_p"),
    "other model": Odd("R9.equal-scores",
                       "every sample of a column has the score that it has in another model's entry",
                       "equal_scores_p"),
    "near copies": Odd("R9.near-copies", "long replies are those of an accepted entry of another model",
                       "copied_replies"),
    "missing": Odd("R9.missing-hard", "samples without a value lie where the board's other entries do worst",
                   "missing_hard_p"),
    "failed": Odd("R9.missing-hard",
                  "failed samples lie where the board's other entries do worst, as honest ones may",
                  "missing_hard_p", "note"),
    "accretion": Odd("R9.accretion",
                     "over the versions it supersedes samples only got better: were only failures run again?",
                     "accretion"),
    "ceiling": Odd("R9.ceiling",
                   "the score lies beyond the ceiling that the board states: ask the model again (--rerun)",
                   "", "note"),
    "leap": Odd("R9.leap", "the score is far above the best accepted entry: ask the model again (--rerun)",
                "leap_errors", "note"),
}
# fmt: on


class OddRules:
    """The rules with a board's thresholds, and where their findings go."""

    def __init__(self, thresholds: Thresholds, findings: Findings) -> None:
        self.thresholds, self._findings = thresholds, findings

    def __getitem__(self, name: str) -> float:
        """The threshold of a rule."""
        return self.thresholds[RULES[name].threshold]

    def tell(self, name: str, where: str, broken: object = True, **sides: Unpack[Sides]) -> None:
        """That a rule is broken, where it is."""
        if broken:
            rule = RULES[name]
            self._findings.add(rule.code, rule.what, where, severity=rule.severity, **sides)

    def enough(self, count: int) -> bool:
        """Whether shares of so many samples say something."""
        return count >= self.thresholds["least"]
