"""Our wording of every prompt. The protocol is the paper's, no text of it is.

One set a task, so that a changed word changes that task only. What a judge is to do comes first and what
differs between samples last: an engine can then reuse the beginning.
"""

import suite

PAIRWISE = suite.Prompts(
    answer="A person asks you the following. Be as helpful to them as you can.\n\n{query}",
    answer_with_context=(
        "A person asks you the following. Below it stand follow-up questions that this person has answered: "
        "they say who the person is, what they want and what they mean. Be as helpful to them as you can, "
        "and fit your reply to their answers.\n\n"
        "{query}\n\nFollow-up questions and the person's answers:\n{context}"
    ),
    compare=(
        "Two assistants replied to the same query. Decide which response is the better one. Neither the "
        "order of the responses nor their length is a merit.\n\n"
        "Query:\n{query}\n\n"
        "Response 1:\n<response>\n{first}\n</response>\n\n"
        "Response 2:\n<response>\n{second}\n</response>\n\n"
        "{form}"
    ),
    compare_with_context=(
        "Two assistants replied to the same query. The person who asked has answered follow-up questions. "
        "Go through these one by one and see whether each response takes the answer up. Then decide which "
        "response is the better one: the one that takes up more of the answers, and is the most relevant and "
        "complete. Neither the order of the responses nor their length is a merit.\n\n"
        "Query:\n{query}\n\n"
        "Follow-up questions and the person's answers:\n{context}\n\n"
        "Response 1:\n<response>\n{first}\n</response>\n\n"
        "Response 2:\n<response>\n{second}\n</response>\n\n"
        "{form}"
    ),
    verdict_with_reason=(
        'Reply with one JSON object and nothing else. Its key "judgement" holds the verdict: {labels}. Its '
        'key "justification" holds the reason in one or two sentences, naming what the better response does '
        "better. In this form:\n"
        '{{"judgement": "…", "justification": "…"}}'
    ),
    verdict_alone=(
        'Reply with one JSON object and nothing else. Its key "judgement" holds the verdict: {labels}. In '
        "this form:\n"
        '{{"judgement": "…"}}'
    ),
    labels='"Response 1", "Response 2", or "Tie" if they are equally good or equally bad',
    labels_without_tie='"Response 1" or "Response 2"; decide for one even if they are nearly equal',
)

FILTER = suite.Prompts(
    filter=(
        "Does the text below tell what somebody wants to know or to have done? It need not be fluent, "
        "unambiguous, complete or objective. It fails if it is insulting to groups of people or otherwise "
        "harmful, or if it is not in English. Reply with Yes or No and nothing else.\n\n"
        "Text:\n{query}"
    )
)

TYPES = suite.Prompts(
    types=(
        "Say in which ways a query leaves its answer open. Use as many of these labels as apply:\n"
        "- Ambiguous: it can be read in several ways.\n"
        "- Incomplete: something that is needed for an answer is missing.\n"
        "- Subjective: the answer depends on what one believes or likes.\n"
        "- Open-ended: it calls for a detailed answer, and there is no single one.\n"
        "- Closed-ended: one short answer settles it.\n\n"
        "Reply with a JSON list of labels and nothing else.\n\n"
        'Example: "What is the best cafe?" -> ["Incomplete", "Subjective", "Closed-ended"]\n\n'
        "Query: {query}"
    )
)

CONTEXTS = suite.Prompts(
    contexts=(
        "You are going to answer the query below. Decide first whether it would help to know more: about the "
        "person (background, age, language, place, work, knowledge), about what they are after and in which "
        "form (purpose, format, style, structure, length, sources), or about whatever the query leaves out. "
        "A simple question of fact that has one answer needs nothing.\n\n"
        "If it would help, write up to 10 follow-up questions, the most important first. Each must bear on "
        "the answer strongly. Give each a list of short answers that different people would really give, the "
        "likeliest first, enough of them to cover most people, so different that each calls for another "
        'response, and none like "other". It must be easy to check in a response whether an answer was taken '
        "up.\n\n"
        "Write exactly in this form, one pair a line:\n"
        "Need for Context: Yes\n"
        "Context:\n"
        'Q: How many guests do you expect? A: ["two", "ten", "a hundred"]\n'
        'Q: Where will it be? A: ["in a flat", "in a garden", "in a hired hall"]\n\n'
        "or, if nothing needs to be known:\n"
        "Need for Context: No\n\n"
        "Query: {query}"
    )
)

VALIDATION = suite.Prompts(
    validate=(
        "Below stand a query and follow-up questions (Q1, Q2, …) with the answers that a person may choose "
        "from (A1, A2, …). Rate each pair with 1 for yes and 0 for no:\n"
        "- important: the answer to it would change a good response.\n"
        "- realistic: a person could give any of its answers.\n"
        "- complete: its answers cover enough of what people would say.\n"
        "- diverse: each of its answers calls for another response.\n\n"
        "Reply with one JSON object and nothing else, in this form:\n"
        '{{"Q1": {{"important": 1, "realistic": 1, "complete": 0, "diverse": 1}}, "Q2": …}}\n\n'
        "Query: {query}\n\n{pairs}"
    )
)

CHOOSING = suite.Prompts(
    choose=(
        "Imagine one plausible person who asks the query below. Answer the follow-up questions as this "
        "person would; the answers must fit together. Take each answer word for word from its list.\n\n"
        "Reply with one JSON object and nothing else: the number of each question with its answer, like "
        '{{"Q1": "…", "Q2": "…"}}\n\n'
        "Query: {query}\n\n{pairs}"
    )
)

CONSTRAINTS = suite.Prompts(
    count=(
        "A person asked a query and answered follow-up questions about it. How many of these answers does "
        "the response below take up completely? Begin your reply with that whole number (0 if none), then "
        "say why in one short sentence.\n\n"
        "Query: {query}\n\n"
        "Follow-up questions and the person's answers:\n{context}\n\n"
        "Response:\n<response>\n{response}\n</response>"
    )
)

CODES = suite.Prompts(
    code=(
        "Somebody compared two responses to a query and said why they prefer one. Tell on what the reason "
        "rests:\n"
        "1: the content: whether it is relevant, correct, complete or detailed, and whether it takes up what "
        "the person asked for or told about themselves. A form that the person had asked for belongs here.\n"
        "2: the surface: how clear, short or long it is, its tone, style or layout.\n\n"
        'Reply with "1", "2" or "1, 2" and nothing else.\n\n'
        "Examples:\n"
        '"Response 2 names the bus lines near the hospital, as the person asked." -> 1\n'
        '"Response 1 has headings and reads smoothly." -> 2\n'
        '"Response 1 is as brief as the person wanted and has a nicer tone." -> 1, 2\n\n'
        "Query: {query}\n"
        "Follow-up questions and the person's answers: {context}\n"
        "Preferred: {preferred}\n"
        "Reason: {reason}"
    )
)

SELECTION = suite.Prompts(
    suits=(
        "A query and a question to the person who asked it. Answer three questions with Yes or No:\n"
        "1. Does it matter for a useful response what the person answers?\n"
        "2. Is the query silent about it, so that every answer is still possible?\n"
        "3. Is the query understandable and in English?\n\n"
        'Reply with one JSON object and nothing else, like {{"1": "Yes", "2": "No", "3": "Yes"}}\n\n'
        "Query: {query}\n"
        "Question to the person: {question}\n"
        "Possible answers: {answers}"
    )
)

_SCALE = (
    "1: no help for this query and this person. 2: of limited help, much is missing. 3: some help, but not "
    "deep. 4: covers most of what is needed. 5: covers the query and the person's answer fully."
)

ANALYSES = PAIRWISE.replace(
    "own",
    rate_one=(
        "Rate how relevant a response is to a query and to what the person who asked answered to a follow-up "
        f"question. {_SCALE}\n\n"
        'Reply with one JSON object and nothing else, like {{"relevance": 3}}\n\n'
        "Query: {query}\n\n"
        "Follow-up question and answer:\n{context}\n\n"
        "Response:\n<response>\n{response}\n</response>"
    ),
    rate_all=(
        "Rate how relevant one response is to a query, in turn for each answer that the person who asked may "
        f"give to a follow-up question. {_SCALE}\n\n"
        "Reply with one JSON object and nothing else, with an entry for every answer, like "
        '{{"a first answer": {{"relevance": 3}}, "a second answer": {{"relevance": 1}}}}\n\n'
        "Query: {query}\n\n"
        "Follow-up question: {question}\n"
        "Answers: {answers}\n\n"
        "Response:\n<response>\n{response}\n</response>"
    ),
)
