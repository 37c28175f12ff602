"""Every text that a candidate or a user model reads: own wording, versioned by the prompts' digest."""

from collections.abc import Mapping

import suite

# What the environment says. Fixed strings: {aspect} and {count} are filled in by the machine.
FEEDBACK: Mapping[str, str] = {
    "format": "That could not be read. Choose one of search, action or answer, and give its content.",
    "finish": "The conversation is over.",
    "search_outage": "The search service is not available right now. Please try again later.",
    "search_unclear": "The search service could not make sense of this request. Search for one thing at a "
    "time.",
    "search_wrong": "No results. A search must name exactly one thing to look for, with all of its details "
    "(places and dates) as the user gave them, and no other details.",
    "search_repeat": "You have already searched for the {aspect}: look at the earlier results.",
    "search_valid": "Search results for the {aspect}: {count} options.",
    "apology": "Sorry, I lost my train of thought. Could you say that again?",
    "answer_format": "That is no option id. Give one id as it stands in the search results, for example X7.",
    "answer_several": "Please recommend a single option id at a time. Nothing was recorded.",
    "answer_foreign": "No option of this trip has such an id. Nothing was recorded.",
    "answer_again": "You have already recommended an option for the {aspect}, and only one is taken.",
    "answer_best": "Your recommendation is recorded. It is the best one!",
    "answer_correct": "Your recommendation is recorded. It suits me, though there is a better one.",
    "answer_best_and_wrong": "Your recommendations are recorded. The best one is among them, and some do not "
    "suit me.",
    "answer_correct_and_wrong": "Your recommendations are recorded. Some suit me, though there is a better "
    "one; others do not.",
    "answer_wrong": "Your recommendation is recorded. It does not suit me.",
}

PROMPTS = suite.Prompts(
    system=(
        "You help a user with a travel plan. Each turn you make one move:\n"
        "- search: ask the database for one thing (flight, hotel, apartment, rental car or restaurant), "
        "naming "
        "it and exactly its places and dates.\n"
        "- action: talk to the user. They have wishes that they don't state; ask clear, specific "
        "questions, for "
        "vague ones bring out nothing.\n"
        "- answer: recommend one option by its id only, for example X7.\n"
        "Search, then ask, then answer; you have {steps} moves in all. What a user says is a hint: work "
        "out what "
        "they mean, and among the options that fit recommend the cheapest. {mode}"
    ),
    mode_single="Only one recommendation per thing counts, so find out enough before you answer.",
    mode_multi="You may recommend several options for a thing, one id a move.",
    call_tools="Make every move by calling the tool.",
    call_json=(
        "Write every move as one JSON object with three keys: thought (one short sentence), choice "
        "(search, action "
        "or answer) and content (the query, the message to the user, or the id)."
    ),
    budget="My budget is limited: of the options that suit me I want the cheapest of each.",
    judge_search=(
        "You check requests to a travel database. A request matches if it names exactly one of the things "
        "below "
        "and states every argument of that thing with the right value, in whatever wording. It does not "
        "match if "
        "an argument is missing, wrong or ambiguous, or if it mixes several things.\n\n"
        "Things and arguments:\n{arguments}\n\nRequest:\n{request}\n\n"
        'Reply in JSON: {{"matches": "yes", "no" or "neither", "aspect": name of the thing or ""}}.'
    ),
    judge_utterance=(
        "You are the judge of a conversation between a travel agent and a user.\n\nThe user's whole plan:\n"
        "{story}\n\nConversation so far:\n{history}\n\nPreferences the agent has not brought out yet:\n"
        "{remaining}\n\nThe agent now says:\n{utterance}\n\nSay what this is. hit: a concrete question "
        "that one "
        "of these preferences answers (give the id of the one that fits best). miss: a concrete question "
        "about "
        "something that none of them answers. vague: a general question without a concrete matter. chat: no "
        'question about preferences.\nReply in JSON: {{"kind": "hit", "miss", "vague" or "chat", '
        '"preference": '
        'id or ""}}.'
    ),
    reply_hit=(
        "You are a user planning a trip. Conversation so far:\n{history}\n\nThe agent "
        "asks:\n{utterance}\n\nYou "
        "have this wish about the {aspect}: {preference}. Never state it outright: hint at it. A hint "
        "could be: "
        "{statement}\nKeep any name or number of that hint. One or two natural sentences, no question.\n"
        'Reply in JSON: {{"response": "..."}}.'
    ),
    reply_proactive=(
        "You are a user planning a trip. Conversation so far:\n{history}\n\nThe agent "
        "says:\n{utterance}\n\nThe "
        "agent isn't getting anywhere, so you bring up the {aspect} yourself, and say that it is about the "
        "{aspect}. Your wish: {preference}. Never state it outright: hint at it. A hint could be: "
        "{statement}\n"
        "Keep any name or number of that hint. One or two natural sentences, no question.\n"
        'Reply in JSON: {{"response": "..."}}.'
    ),
    reply_chat=(
        "You are a user planning a trip. Conversation so far:\n{history}\n\nThe agent says:\n{utterance}\n\n"
        "Answer in one short, friendly and neutral sentence. Ask nothing, and say nothing about what you "
        "would "
        'like.\nReply in JSON: {{"response": "..."}}.'
    ),
    say_miss="I have no particular wish about that, or I have already told you. Do ask about something else.",
    say_vague="That is rather general. Could you ask about something specific?",
    correct_json="That was not the JSON that I asked for. Reply with nothing but that JSON.",
)
