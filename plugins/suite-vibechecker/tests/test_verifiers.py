"""Each instruction on a program that follows it and one that does not, in both modes."""

from typing import Any

import pytest
import suite_vibechecker.vericode as vericode
from suite_vibechecker.vericode import Linter, Mode


@pytest.fixture(scope="module")
def linter() -> Linter:
    return vericode.open_linter()


PANDAS = "import pandas as pd\n"
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("style_1", {}, "x = 1\n", "x = 1;\n"),
    ("style_2", {}, "import json\nimport os\n", "import os\nimport json\n"),
    ("style_3", {"line_length": 79}, "x = '" + "a " * 36 + "'\n", "x = '" + "a " * 38 + "'\n"),
    ("style_3", {"line_length": 88}, "x = '" + "a " * 38 + "'\n", "x = '" + "a " * 48 + "'\n"),
    ("style_4", {}, "x = [\n    1,\n]\n", "x = [\n    1\n]\n"),
    ("style_5", {}, 'x = "a"\n', "x = 'a'\n"),
    ("style_6", {}, "def f():\n    a = 1\n    return a\n", "def f():\n    A = 1\n    return A\n"),
    ("style_7", {}, "with open('a') as f:\n    pass\n", "with open('a', 'r') as f:\n    pass\n"),
    ("style_8", {}, "LIMIT = 3\nx = LIMIT > LIMIT\n", "y = 1\nx = y > 3\n"),
    (
        "style_9",
        {},
        "def f(p):\n    a, _b = p\n    return a\n",
        "def f(p):\n    a, b = p\n    return a\n",
    ),
    ("logic_1", {}, "import os\nprint(os.name)\n", "import os\n"),
    (
        "logic_2",
        {"max_nested_blocks": 1},
        "def f(a):\n    if a:\n        return 1\n    return 2\n",
        "def f(a):\n    if a:\n        for b in a:\n            print(b)\n",
    ),
    (
        "logic_2",
        {"max_nested_blocks": 2},
        "def f(a):\n    if a:\n        for b in a:\n            print(b)\n",
        "def f(a):\n    if a:\n        for b in a:\n            if b:\n                print(b)\n",
    ),
    (
        "logic_3",
        {"max_branches": 2},
        "def f(a):\n    if a:\n        return 1\n    return 2\n",
        "def f(a):\n    if a == 1:\n        x = 1\n    elif a == 2:\n        x = 2\n"
        "    else:\n        x = 3\n    return x\n",
    ),
    (
        "logic_4",
        {"max_statements": 6},
        "def f():\n" + "    print()\n" * 6,
        "def f():\n" + "    print()\n" * 7,
    ),
    (
        "logic_5",
        {"max_locals": 2},
        "def f():\n    a = 1\n    b = 2\n    return a + b\n",
        "def f():\n    a = 1\n    b = 2\n    c = 3\n    return a + b + c\n",
    ),
    (
        "logic_6",
        {},
        "def f(a):\n    if a:\n        return 1\n    return 2\n",
        "def f(a):\n    if a:\n        return 1\n    else:\n        return 2\n",
    ),
    (
        "logic_7",
        {"max_complexity": 2},
        "def f(a):\n    if a:\n        return 1\n    return 2\n",
        "def f(a):\n    if a == 1:\n        return 1\n    if a == 2:\n        return 1\n    return 2\n",
    ),
    (
        "logic_8",
        {},
        "def f(a):\n    return [b + 1 for b in a]\n",
        "def f(a):\n    c = []\n    for b in a:\n        c.append(b + 1)\n    return c\n",
    ),
    (
        "logic_9",
        {"max_bool_expr": 1},
        "def f(a):\n    if a:\n        print(a)\n",
        "def f(a, b):\n    if a and b:\n        print(a)\n",
    ),
    ("doc_1", {}, "def f(a: int) -> int:\n    return a\n", "def f(a):\n    return a\n"),
    ("doc_2", {"line_length": 72}, "# " + "a " * 35 + "\nx = 1\n", "# " + "a " * 38 + "\nx = 1\n"),
    (
        "doc_3",
        {"convention": "google"},
        '"""Module."""\n\n\ndef f(a):\n    """Do it.\n\n    Args:\n        a: number\n    """\n',
        '"""Module."""\n\n\ndef f(a):\n    """Do it.\n\n    Args:\n        b: number\n    """\n',
    ),
    ("doc_3", {"convention": "pep257"}, '"""Module."""\n\nx = 1\n', "x = 1\n"),
    ("doc_5", {}, "x = 1\n", "x = 1  # one\n"),
    (
        "error_1",
        {},
        "try:\n    x = 1\nexcept KeyError as e:\n    raise ValueError from e\n",
        "try:\n    x = 1\nexcept KeyError:\n    raise ValueError\n",
    ),
    ("error_2", {}, "text = 'no'\nraise ValueError(text)\n", "raise ValueError('no')\n"),
    (
        "error_3",
        {},
        "try:\n    x = 1\nexcept OSError:\n    pass\n",
        "try:\n    x = 1\nexcept IOError:\n    pass\n",
    ),
    ("error_4", {}, "raise ValueError\n", "raise ValueError('this is a long message for you')\n"),
    (
        "library_1",
        {},
        "from pathlib import Path\nprint(Path('a').exists())\n",
        "import os\nprint(os.path.exists('a'))\n",
    ),
    (
        "library_2",
        {},
        "import pandas as pd\nt = pd.DataFrame()\n",
        "import pandas as pd\ndf = pd.DataFrame()\n",
    ),
    (
        "library_2",
        {},
        "import pandas as pd\nt = pd.DataFrame()\n",
        "import pandas as pd\nx = pd.concat([]).values\n",
    ),
]


@pytest.mark.parametrize("mode", ["official", "strict"])
@pytest.mark.parametrize(("name", "parameters", "good", "bad"), CASES)
def test_a_verifier_tells_good_from_bad(
    linter: Linter, name: str, parameters: dict[str, Any], good: str, bad: str, mode: Mode
) -> None:
    kept = vericode.check(good, good, name, parameters, mode, linter=linter)
    broken = vericode.check(bad, bad, name, parameters, mode, linter=linter)
    assert (kept.followed, kept.findings, broken.followed, bool(broken.findings)) == (True, (), False, True)


RESPONSES = [
    ("doc_4", "x = 1\n", True),
    ("doc_4", "```python\nx = 1\n```", False),
    ("doc_4", "Here it is:\nx = 1\n", False),
    ("doc_6", '```python\nx = 1\n```\n```json\n{"a": 1}\n```', True),
    ("doc_6", '\n ```python\nx = 1\n```\n\n```json\n{"a": 1}\n```\n\n', True),
    ("doc_6", "```python\nx = 1\n```\n```json\n{a: 1}\n```", False),
    ("doc_6", '```python\nx = 1\n```\nand\n```json\n{"a": 1}\n```', False),
    ("doc_6", '```python\nx = 1\n```\n```json\n{"a": 1}\n```\nDone.', False),
    ("doc_6", '```\nx = 1\n```\n```json\n{"a": 1}\n```', False),
    ("doc_6", "```python\nx = 1\n```", False),
    ("doc_6", "```python\nx = 1\n```json\n```", False),
]


@pytest.mark.parametrize("mode", ["official", "strict"])
@pytest.mark.parametrize(("name", "response", "followed"), RESPONSES)
def test_the_form_of_an_answer_is_judged_on_the_whole_reply(
    name: str, response: str, followed: bool, mode: Mode
) -> None:
    assert vericode.check("x = 1\n", response, name, {}, mode).followed is followed


def test_a_third_block_breaks_the_two_block_answer_in_strict_mode_only() -> None:
    response = '```python\nx = 1\n```\n```python\ny = 1\n```\n```json\n{"a": 1}\n```'
    modes: list[Mode] = ["official", "strict"]
    assert [vericode.check("x = 1", response, "doc_6", mode=mode).followed for mode in modes] == [True, False]


def test_every_instruction_has_a_case() -> None:
    assert {*(case[0] for case in CASES), *(case[0] for case in RESPONSES)} == set(vericode.instructions())


@pytest.mark.parametrize("code", ['def f():\n    """Text."""\n', '"""Text."""\n', "class A:\n    'text'\n"])
def test_a_docstring_is_no_comment_free_code(code: str) -> None:
    verdict = vericode.check(code, code, "doc_5")
    assert [finding.code for finding in verdict.findings] == ["docstring"]


def test_a_finding_names_its_place() -> None:
    verdict = vericode.check("x = 1\n\ndf = 1  # x\n", "", "doc_5")
    assert verdict.findings == (vericode.Finding(3, 9, "comment", "A comment"),)
