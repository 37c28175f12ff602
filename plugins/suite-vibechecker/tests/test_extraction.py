"""The sound reading of a reply: whatever marks stand around a program, it is found; nothing else is taken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suite_vibechecker.extraction import extract, extract_official

CODE = "def main():\n    print(int(input()) * 2)\n\n\nmain()\n"
STRING = 'S = """\n```python\nx\n```\n"""\nprint(S)\n'


def indented(text: str, by: str) -> str:
    return "".join(by + line if line.strip() else line for line in text.splitlines(keepends=True))


FENCED = f"```python\n{CODE}```"
READ = {
    "plain": FENCED,
    "carriage returns": FENCED.replace("\n", "\r\n"),
    "a space after the label": f"```python \n{CODE}```",
    "a tab after both fences": f"```python\t\n{CODE}```\t",
    "a title": f'```python title="a.py"\n{CODE}```',
    "a file name": f"```python:main.py\n{CODE}```",
    "attributes": f"```{{.python .numberLines}}\n{CODE}```",
    "a version": f"```python-3\n{CODE}```",
    "a version with a point": f"```python3.11\n{CODE}```",
    "capitals": f"```Python\n{CODE}```",
    "a short label": f"```py\n{CODE}```",
    "no label": f"```\n{CODE}```",
    "four backticks": f"````python\n{CODE}````",
    "four backticks around three": f"````markdown\n```python\n{CODE}```\n````".replace("````markdown\n", "")[
        :-5
    ],
    "tildes": f"~~~python\n{CODE}~~~\n",
    "many tildes": f"Text.\n\n~~~~~\n{CODE}~~~~~\nMore.",
    "in a numbered list": "1. Here:\n\n" + indented(FENCED, "   "),
    "as an item of a list": "- ```python\n" + indented(CODE + "```\n", "  "),
    "in a quotation": indented(FENCED, "> ").replace("\n\n", "\n>\n"),
    "in the middle of a sentence": f"Here you go: ```python\n{CODE}```",
    "an opener alone": f"```python\n{CODE}",
    "an opener after a sentence": f"Here it is:\n```python\n{CODE}",
    "a bare opener alone": f"```\n{CODE}",
    "a closer alone": f"{CODE}```",
    "tags": f"<code>\n{CODE}</code>",
    "a closing tag alone": f"{CODE}</code>",
    "a byte order mark": f"\ufeff{CODE}",
    "a byte order mark before a fence": f"\ufeff{FENCED}",
    "another language first": f"```bash\npip install x\n```\nThen:\n{FENCED}",
    "json first": f"```json\n{{}}\n```\n{FENCED}",
    "a command without label first": f"```\n$ run it now\n```\n{FENCED}",
    "an empty block first": f"```python\n```\n{FENCED}",
    "json after": f"{FENCED}\n```json\n{{}}\n```",
    "an example after": f"{FENCED}\nOutput:\n```\n8\n```",
    "another program after": f"{FENCED}\n```python\nprint(1)\n```",
    "bare": CODE,
}


@pytest.mark.parametrize("name", READ)
def test_a_program_is_found_whatever_is_around_it(name: str) -> None:
    assert extract(READ[name]) == CODE


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (f"```python\n{STRING}```", STRING),  # a fence inside of a string does not end the program
        (f"```python\n{STRING}```\n```json\n{{}}\n```", STRING),
        ("```x = 1```", "x = 1"),
        ("```python x = 1```", "x = 1"),
        ("```python\nx = 1```", "x = 1"),
        ("```python\n\n```", ""),
        ("", ""),
        ("Use ``` for code.", "Use ``` for code."),
        ("I can not do that.", "I can not do that."),
        ("```java\nclass A {}\n```", "class A {}\n"),
        ("```python\nx = (\n```\n```python\ny = 1\n```", "x = (\n"),
        ("x = 1\n# ```\n", "x = 1\n# ```\n"),
    ],
)
def test_what_is_taken_where_the_reply_is_odd(reply: str, code: str) -> None:
    assert extract(reply) == code


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["x = 1\n", "\n", "def f():\n    return 2\n", "# text\n"]), min_size=1, max_size=5
    ),
    st.sampled_from(["", "Here it is:\n", "Two\n\nparagraphs.\n\n"]),
    st.sampled_from(["", "\nDone.", "\n```json\n{}\n```"]),
    st.sampled_from(["python", "py", "python3", ""]),
)
def test_a_reply_as_asked_for_is_read_as_the_authors_do(
    lines: list[str], before: str, after: str, label: str
) -> None:
    reply = f"{before}```{label}\n{''.join(lines)}```{after}"
    assert extract(reply) == extract_official(reply)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="`~ \n>-x=1\r#<code/\ufeff", max_size=60))
def test_any_reply_can_be_read(reply: str) -> None:
    assert isinstance(extract(reply), str)
