"""From which numbers on something looks odd. Starting values; a board sets its own under `plausibility`."""

from collections.abc import Mapping

Thresholds = Mapping[str, float]
DEFAULTS: Thresholds = {
    "identical_outputs": 0.02,  # share of long outputs equal to another sample's: warning
    "identical_outputs_error": 0.5,  # the same, as an error: one answer pasted over most samples
    "distinct_5grams": 0.10,  # distinct share of all 5-grams of words, below: warning
    "shared_opening": 0.5,  # share of outputs with one opening of 200 characters: warning
    "identical_rationales": 0.05,  # share of long judge replies equal to another's: warning
    "identical_references": 0.1,  # share of outputs that hold a reference answer word for word: warning
    "judges_words": 0.02,  # share of outputs with the judge's own wording or form of verdict: warning
    "characters_per_token_low": 0.2,
    "characters_per_token_high": 30.0,
    "prompt_bytes_per_token": 12.0,  # of all requests of a model together, above: warning
    "tokens_per_second": 5_000.0,  # of one stream: warning
    "tokens_per_second_error": 50_000.0,
    "latency_ms": 1.0,  # of a call to a served model, below: error
    "equal_latencies": 0.5,  # share of latencies equal to a tenth of a millisecond: warning
    "last_digit_p": 1e-6,  # of their last digit under chance: warning
    "stops_at_limit": 0.2,  # share of stopped replies that have exactly max_tokens: warning
    "odd_characters": 0.01,  # share of outputs with zero-width or direction characters: warning
    "clock_seconds": 120.0,  # how far clocks of calls and run may be apart
    "bytes_per_parameter": 0.25,  # least that weights take: 2 bits; more of it than memory: warning
    "copied_replies": 0.05,  # share of long replies equal to those of another model's entry: warning
    "near_replies": 0.2,  # the same, of replies with hardly a word changed: warning
    "missing_hard_p": 1e-4,  # of samples without a value lying where others do worst, by chance: warning
    "equal_scores_p": 1e-9,  # of the same scores in the same order, by chance, below: warning
    "accretion": 10,  # samples that got better over new versions while none got worse: warning
    "leap_errors": 5.0,  # standard errors above the best accepted entry: note
    "least": 20,  # samples below which shares say nothing
}
