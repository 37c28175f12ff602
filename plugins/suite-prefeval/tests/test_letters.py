"""Order of options and the two readings of a picked letter."""

import itertools
import json
from pathlib import Path

import pytest
from suite_prefeval.letters import LETTERS, Orders, gold_letter, letter, official_letter

GOLD = "CDCABACDABCBBABACCACADBDDCABCCDDCCBBBDACBDADBBACCABABACACBDAAC"  # upstream's, indices 0..61

# reply, upstream's reading (by BeautifulSoup 4.12.3), our reading
READINGS = [
    ("<choice>B</choice>", "B", "B"),
    ("<choice>D</", "D", "D"),
    ("\n\n<choice>C", "C", "C"),
    ("<Choice>B</Choice>", "B", "B"),
    ("<choice> C. Sushi </choice>", "C", "C"),
    ("<choice>B</ch", "B", "B"),
    ("<choice>Answer: C</choice>", "A", "C"),
    ("<choice>[A/B/C/D]</choice>", "A", None),
    ("<choice><b>C</b></choice>", "C", "C"),
    ("<choice>B. <i>x</i></choice>", None, "B"),
    ("<choice><choice>B</choice>", "B", "B"),
    ("<choice>A</choice><choice>B</choice>", "A", None),
    ("B", None, "B"),
    ("", None, None),
    ("<choice>b</choice>", None, "B"),
    ("<choice>E</choice>", None, None),
    ("<choice></choice>", None, None),
    ("<choice>I cannot choose", None, None),
    ("(C)", None, "C"),
    ("D. The quiet one", None, "D"),
    ("A good option is", None, None),
    ("<choice>A nice one, C</choice>", "A", "C"),
]


ALIKE = [
    "Option {} is best",
    "I choose {} because it fits",
    "{} respects the preference",
    "**{}**",
    "**{}.** Sushi",
    "`{}`",
    '"{}"',
    "“{}”",
    "{}.",
    "({})",
    "[{}]",
    "{}) Sushi",
    "{}: A quiet place with vitamin C",
    "Answer: {}",
    "**Answer:** {}",
    "Final answer - {}",
    "The answer is {}.",
    "My choice: {}",
    "option {}: Sushi",
    "\\boxed{{{}}}",
    "$\\boxed{{\\text{{{}}}}}$",
    "{}\r\n",
    "\xa0{}\xa0",
    "> **{}**",
    "# {}",
    "- {}",
    "_{}_",
    "{}, because it fits",
    "{}\nA quiet hotel fits.",
    "I would go with option {} since it fits.",
    "{} quiet hotel",
    "{} is better than any",
    "The user would like {} best",
    "not {}",
    "I cannot choose {}",
]
WIDE = str.maketrans("ABCD", "\uff21\uff22\uff23\uff24")


@pytest.mark.parametrize("form", ["{}", "<choice>{}</choice>", "Sure.\r\n<choice>\r\n{}\r\n</choice>"])
@pytest.mark.parametrize("said", ALIKE)
def test_every_letter_is_read_alike(said: str, form: str) -> None:
    texts = {one: form.format(said.format(one)) for one in LETTERS}
    read = {one: letter(text) for one, text in texts.items()}
    assert read in ({one: one for one in LETTERS}, dict.fromkeys(LETTERS))
    assert {one: letter(text.translate(WIDE)) for one, text in texts.items()} == read or "vitamin" in said


@pytest.mark.parametrize("said", ALIKE[:-5])
def test_marks_around_an_answer_do_not_hide_it(said: str) -> None:
    assert [letter(f"<choice>{said.format(one)}</choice>") for one in LETTERS] == list(LETTERS)


@pytest.mark.parametrize("form", ["{}", "<choice>{}</choice>"])
@pytest.mark.parametrize(
    "said",
    [
        "{0} or {1}",
        "{0}, {1}",
        "{0}/{1}",
        "{0}. or {1}.",
        "**{0}** or **{1}**",
        "Answer: {0}. Answer: {1}",
        "I choose {0}\nI choose {1}",
        "{0}\n{1}",
        "Option {0}. No, option {1}.",
        "{0}. Actually, the answer is {1}.",
    ],
)
def test_two_answers_are_none_whatever_their_order(said: str, form: str) -> None:
    for one, other in itertools.permutations(LETTERS, 2):
        assert letter(form.format(said.format(one, other))) is None
    for one, other in itertools.permutations(LETTERS, 2):
        assert letter(f"<choice>{one}</choice> The answer is {other}.") is None
        assert letter(f"Answer: {one}. <choice>{other}</choice>") is None


def test_what_is_rejected_is_not_picked() -> None:
    for one, other in itertools.permutations(LETTERS, 2):
        assert letter(f"<choice>{one}, not {other}</choice>") == one
        assert letter(f"<choice>{one}. Not {one}!</choice>") is None


@pytest.mark.parametrize("reply", ["A. Sushi\nB. Pizza\nAnswer: B", "A. Sushi\nB. Pizza\n\nI pick **B**."])
def test_a_list_of_options_is_no_answer(reply: str) -> None:
    assert letter(reply) == "B"
    assert letter(reply.rpartition("\n")[0]) is None


def test_the_first_62_correct_letters_are_upstreams() -> None:
    orders = Orders()
    assert "".join(gold_letter(orders[index]) for index in range(62)) == GOLD


def test_the_first_orders_are_upstreams() -> None:
    orders = Orders()
    shown = ["".join(map(str, orders[index])) for index in range(6)]
    assert shown == ["3102", "3210", "3201", "0132", "2013", "0231"]


def test_an_order_does_not_depend_on_what_was_left_out() -> None:
    assert Orders()[40] == [Orders()[index] for index in range(41)][40]


@pytest.mark.parametrize(("reply", "official", "_sound"), READINGS)
def test_upstreams_reading(reply: str, official: str | None, _sound: str | None) -> None:
    assert official_letter(reply) == official


@pytest.mark.parametrize(("reply", "_official", "sound"), READINGS)
def test_our_reading(reply: str, _official: str | None, sound: str | None) -> None:
    assert letter(reply) == sound


def test_published_outputs_score_as_published() -> None:
    folder = Path(__file__).resolve().parents[3] / "../shared/data/prefeval/outputs"
    path = folder / "mcq_llama3-8b_explicit_cot_inter0_education_learning_styles.jsonl"
    if not path.is_file():
        pytest.skip("the published outputs are not beside this checkout")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for read in (official_letter, letter):
        picked = [read(row["raw_output"]) for row in rows]
        assert picked == [row["published_choice"] for row in rows]
        wrong = [
            row["task_id"] for row, one in zip(rows, picked, strict=True) if one != row["correct_letter"]
        ]
        assert wrong == [4, 19, 22]
    assert len(rows) == 31
