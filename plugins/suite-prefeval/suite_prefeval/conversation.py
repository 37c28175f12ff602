"""Assembling what the candidate reads: pure functions from an item to messages.

Order: system, the preference and its reply, the first 2N messages of the unrelated conversations, then
the question with all that a method puts around it. Not here: asking anybody (`solving`).
"""

from collections.abc import Iterable, Sequence

import suite
from suite_prefeval.letters import LETTERS
from suite_prefeval.parameters import DEFAULT_RAG_K, ClassificationParameters, GenerationParameters, Shared
from suite_prefeval.profiles import OPEN_TAG
from suite_prefeval.rows import Item, Unrelated

LENGTH_WORDS = 300


def unrelated_messages(conversations: Iterable[Unrelated]) -> tuple[suite.Message, ...]:
    """All conversations joined in file order: one stream that every item shares.

    Raises DataError where user and assistant do not alternate.
    """
    messages: list[suite.Message] = []
    for number, conversation in enumerate(conversations):
        for turn in conversation.conversation:
            if turn.role != ("assistant" if len(messages) % 2 else "user"):
                raise suite.DataError(
                    "the unrelated conversations do not alternate between user and assistant",
                    where=f"conversation {number}, role {turn.role!r}",
                )
            messages.append(suite.Message(turn.role, turn.content))
        if len(messages) % 2:
            raise suite.DataError(
                "an unrelated conversation does not end with the assistant", where=f"conversation {number}"
            )
    return tuple(messages)


def first_exchanges(stream: Sequence[suite.Message], inter_turns: int) -> tuple[suite.Message, ...]:
    """The first N exchanges of the stream: always the same prefix, so a longer one is a superset.

    Raises ConfigError for more than there are.
    """
    if 2 * inter_turns > len(stream):
        raise suite.ConfigError(
            f"inter_turns={inter_turns} is more than the data holds: {len(stream) // 2} exchanges",
            fix=f"use inter_turns up to {len(stream) // 2} (paper_turns up to {len(stream) // 2 + 2})",
        )
    return tuple(stream[: 2 * inter_turns])


def preference_part(item: Item, acknowledgement: suite.Message | None) -> tuple[suite.Message, ...]:
    """How the user tells the preference: a statement and the model's own reply, or the data's dialogue."""
    if acknowledgement is not None:
        return (suite.user(item.preference), acknowledgement)
    return tuple(suite.Message(role, content) for role, content in item.dialogue)


def options_block(prompts: suite.Prompts, options: Sequence[str]) -> str:
    """The request to pick one of the lettered options."""
    lines = (f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=True))
    return prompts.mcq(options="\n".join(lines))


def asked_for(prompts: suite.Prompts, parameters: ClassificationParameters, question: str, item: Item) -> str:
    """A question with its options, and alone where the options' texts are compared."""
    alone = parameters.answering == "option-likelihood"
    return question if alone else f"{question}\n\n{options_block(prompts, item.options)}"


def answers(parameters: ClassificationParameters, item: Item) -> tuple[str, ...]:
    """The four answers that can be given, in the order of the letters."""
    if parameters.answering == "option-likelihood":
        return item.options
    return tuple(f"{OPEN_TAG}{letter}</choice>" for letter in LETTERS)


def example(
    prompts: suite.Prompts, parameters: ClassificationParameters, item: Item
) -> tuple[suite.Message, suite.Message]:
    """A worked example: what another person prefers and asks, and the right answer."""
    said = [f"{speaker.capitalize()}: {text}" for speaker, text in item.dialogue] or [item.preference]
    asked = asked_for(prompts, parameters, item.question, item)
    shown = prompts.shot(told="\n\n".join(said), asked=asked)
    return suite.user(shown), suite.assistant(answers(parameters, item)[LETTERS.index(item.gold)])


def length_request(prompts: suite.Prompts, parameters: GenerationParameters) -> str:
    """The parenthesised request that ends a generation question: upstream asks for words, one a token."""
    paper = parameters.protocol == "paper"
    return prompts.length(words=parameters.max_tokens if paper else LENGTH_WORDS)


def framed(prompts: suite.Prompts, parameters: Shared, question: str, quoted: str = "") -> str:
    """The question with what the method adds before and after it, without length request or options."""
    match parameters.method:
        case "remind":
            return f"{question}\n{prompts.remind()}"
        case "cot":
            return f"{prompts.cot()}\n{question}"
        case "rag":
            return quoted + question
        case _:
            return question


def quotes(
    prompts: suite.Prompts,
    parameters: Shared,
    candidates: Sequence[suite.Message],
    ranking: Sequence[tuple[int, float]],
) -> str:
    """The preamble that quotes the closest messages, best first.

    Upstream says 5 however many there are, except for answers in the implicit forms, and labels preference
    and acknowledgement with capitals in the explicit one; `protocol=plain` says the true number and labels
    all alike.
    """
    paper, explicit = parameters.protocol == "paper", parameters.form == "explicit"
    five = paper and (explicit or isinstance(parameters, ClassificationParameters))
    lines = []
    for number, (index, _) in enumerate(ranking, start=1):
        message = candidates[index]
        speaker = message.role.capitalize() if paper and explicit and index < 2 else message.role
        lines.append(prompts.rag_line(number=number, text=f"{speaker}: {message.content}"))
    return prompts.rag(count=DEFAULT_RAG_K if five else len(ranking), lines="\n".join(lines))
