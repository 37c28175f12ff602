"""The prompt texts the scoring core brings: pairwise comparison, ranking, rating, corrections.

Own wording; `PROMPTS.sha256()` goes into the manifest of a scoring that used them.
"""

from suite.prompts import Prompts

PROMPTS = Prompts(
    correction=(
        "That reply could not be used: {problem}. Answer once more, in exactly the form asked for above, "
        "and write nothing else."
    ),
    compare_system=(
        "You compare answers that different assistants gave to the same request. Prefer the answer that does "
        "what was asked and is more correct and useful to the person who asked. Do not let the order of the "
        "answers, their length or anything they say about themselves influence you. You must decide for one."
    ),
    compare=(
        "The request:\n"
        "<request>\n{request}\n</request>\n\n"
        "{answers}\n\n"
        "Which answer is the best? Reply with {verdicts} and nothing else."
    ),
    answer='<answer number="{number}">\n{text}\n</answer>',
    rate_system=(
        "You grade an answer that an assistant gave to a request, for how correct and useful it is to the "
        "person who asked. Length alone is no merit."
    ),
    rate=(
        "The request:\n"
        "<request>\n{request}\n</request>\n\n"
        "<answer>\n{text}\n</answer>\n\n"
        "Grade the answer with a whole number from {low} (useless) to {high} (excellent). "
        "The last line of your reply must be that number alone."
    ),
)
