"""Every prompt of both tasks, in our own words.

The structure (what is asked, in which order, with which markers and tags) is the paper's; the wording
is ours, because upstream's is not free to ship. `official` puts the published texts of the judge's four
checks in their place; all other upstream prompts exist only inside Python code and are not fetched.
"""

import suite

COT = """\
A helpful assistant remembers what its user has said they like, dislike or need, and plans every \
answer around it. Here is how that looks.

Example 1
Preference: I am frightened of dogs.
Question: Where can I go for a walk this afternoon?
Good answer: You told me that dogs frighten you, so I leave out the big parks, where many run free. \
The botanical garden and the cloister both keep dogs out and have quiet paths.

Example 2
Preference: I keep a halal diet.
Question: What should I cook for my guests on Saturday?
Good answer: As you keep halal, I leave out pork and wine. A lamb tagine with apricots, with halal \
meat from your butcher, can be made ahead and feeds a table.

Example 3
Preference: I have only ten minutes a day for practice.
Question: How do I learn the piano?
Good answer: With ten minutes a day, short and regular is what counts: five minutes on one hand of a \
simple piece, five on both hands slowly, and a new piece every two weeks.

Example 4
Preference: I don't want to buy anything made of plastic.
Question: Which lunch box should I get?
Good answer: Since you avoid plastic, I suggest a steel box with a clip lid, or a glass one with a \
bamboo lid if it needn't be light.

Example 5
Preference: Bright light gives me headaches.
Question: Can you recommend a place to work outside my office?
Good answer: Bright light is hard on you, so instead of a glass-fronted café I suggest the old \
reading room of the library, which has small lamps and thick curtains.

Now answer my question. Think of what I have told you about myself, directly or in passing, earlier \
in our conversation; the preferences in the examples are not mine.
"""

CRITIQUE = """\
Please look at your last reply again. Does it follow what I told you earlier about my preferences, \
where that matters for my question, or does it go against it? Judge it in two sentences, in this \
form:
Critic: """

REVISE = """\
Now rewrite your reply with this in mind, so that it fits my preferences better. My question was: \
{question}
Give only the new reply, in this form:
Response: """

CRITIQUE_CHOICE = """\
Please look at the option you have just picked. Does it fit what I told you earlier about my \
preferences, where that matters for my question, or does it go against it? Judge your pick in two \
sentences, in this form:
Critic: """

REVISE_CHOICE = """\
With this in mind, pick an option again, the one that suits my preferences best. You may keep your \
pick if you think it was right.

"""

# X stands for the letter, since small models repeat whichever letter an example shows
MCQ = """\
I must decide between these 4:
{options}
Which one suits me best? Pick exactly one, without refusing and nothing else. Reply only with its letter \
in place of X: <choice>X</choice>"""

SHOT = """\
An example, of another person: nothing in it is about me.

{told}

{asked}"""

RAG = """\
Before you answer, please read these parts of our earlier conversation. They are the {count} \
messages that are closest to my question, so they may tell you what I like or what we said about it:

#Start of Context#
{lines}
#End of Context#

Use them for your answer and respect every preference of mine that matters here. Some of them, or \
all, may be of no use. Here is my question:

"""

JUDGE = """\
You check the replies of an AI assistant. Be fair but strict, and follow the instructions of each \
check exactly."""

ACKNOWLEDGE = """\
Read a user's question and an assistant's reply. Decide whether the reply shows that the assistant \
has some preference of the user in mind.

It does (Yes) if the reply names a preference of the user, refers to one, or clearly takes one for \
granted. What the preference is does not matter.
It does not (No) if the reply only says something vague, such as "based on what you told me", \
without saying what that was, or if you cannot quote a sentence that shows it.

Question: {question}

Reply: {response}

Answer in exactly this form and add nothing. Leave the first tag empty if there is nothing to quote.
<preference>the words of the reply that state the preference</preference>
<answer>Yes or No</answer>"""

VIOLATE = """\
A user told an assistant about a preference and later asked a question. Decide whether the reply \
breaks the preference.

Yes: the reply recommends something that goes against the preference, gives no reason for doing so, \
and nowhere mentions the preference.
No: the reply respects the preference; or it offers something that conflicts with it but mentions \
the preference and gives a reason or a way around the conflict; or it neither mentions the \
preference nor recommends anything that conflicts with it.

Preference: {preference}

Question: {question}

Reply: {response}

Answer in exactly this form and add nothing.
<explanation>one short sentence</explanation>
<answer>Yes or No</answer>"""

HALLUCINATE = """\
Compare a user's preference with the way an assistant restated it. Decide whether the assistant made \
up a different preference.

Yes: the restatement means something else, contradicts the preference, or has nothing to do with it.
No: the restatement says the same, says the same in slightly other words, or is empty.

Preference: {preference}

Restatement: {restatement}

Answer in exactly this form and add nothing.
<explanation>one short sentence</explanation>
<answer>Yes or No</answer>"""

HELPFUL = """\
Read a user's question and an assistant's reply. Decide whether the reply helps.

Yes: the reply gives concrete recommendations that fit the question, without apologising and without \
claiming that it cannot.
No: the reply apologises or says that it cannot help because it does not know or remember what the \
user prefers; or it only asks for more information; or it does not answer the question; or it first \
says that it cannot and recommends something all the same.

Question: {question}

Reply: {response}

Answer in exactly this form and add nothing.
<explanation>one short sentence</explanation>
<answer>Yes or No</answer>"""

SHARED = {
    "system": "You are a helpful assistant.",
    "system_implicit": "You are a helpful AI assistant.",
    "remind": "Please keep in mind what we talked about before, and answer in line with my preferences.",
    "cot": COT,
    "rag": RAG,
    "rag_line": "exchange {number}. {text}",
}

GENERATION = suite.Prompts(
    **SHARED,
    length="(Please answer in at most {words} words.)",
    critique=CRITIQUE,
    revise=REVISE,
    judge=JUDGE,
    acknowledge=ACKNOWLEDGE,
    violate=VIOLATE,
    hallucinate=HALLUCINATE,
    helpful=HELPFUL,
)

CLASSIFICATION = suite.Prompts(
    **SHARED,
    mcq=MCQ,
    critique=CRITIQUE_CHOICE,
    revise=REVISE_CHOICE,
)

# of cells with shots alone: the hash of the others' prompts stays
WITH_SHOTS = CLASSIFICATION.replace("own", shot=SHOT)

# upstream's placeholders -> the fields of our templates
PLACEHOLDERS = {
    "{preference}": "{preference}",
    "{question}": "{question}",
    "{end_generation}": "{response}",
    "{assistant_restatement}": "{restatement}",
}


# what a check cannot do without
ESSENTIAL = {
    "acknowledge": {"response"},
    "violate": {"preference", "response"},
    "hallucinate": {"preference", "restatement"},
    "helpful": {"response"},
}


def published(check: str, text: str) -> str:
    """A published prompt as a template: its placeholders become fields, every other brace stays text.

    Raises DataError if that leaves out what the check needs, since the judge would see none of it.
    """
    text = text.replace("{", "{{").replace("}", "}}")
    for theirs, ours in PLACEHOLDERS.items():
        text = text.replace(f"{{{theirs}}}", ours)
    if missing := ESSENTIAL[check] - set(suite.Prompts(check=text).check.fields):
        raise suite.DataError(
            f"the published prompt of the check {check!r} has no place for {', '.join(sorted(missing))}",
            fix=f"its placeholders are expected to be {', '.join(PLACEHOLDERS)}",
        )
    return text
