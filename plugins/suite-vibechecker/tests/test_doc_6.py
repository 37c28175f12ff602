"""The official verdict on "code, then JSON": what the authors' pattern says of these replies (facts)."""

import pytest
from suite_vibechecker.vericode import check

C = "```python\nx = 1\n```"
J = '```json\n{"a": 1}\n```'
VECTORS = [  # (reply, the authors' verdict, the strict one)
    (f"{C}\n{J}", True, True),
    (f"{C}{J}", True, True),
    (f" \n{C}\n\n{J}\n ", True, True),
    (f"\u00a0{C}\u2028{J}\u00a0", True, True),
    ("```python3\nx\n```\n" + J, True, False),
    ("```pythonx```" + J, True, False),
    (C + '```json{"a": 1}```', True, False),
    (C + '```json\u00a0{"a": 1}\u00a0```', True, True),
    (C + "```json\n1```", True, True),
    (C + "```json\nNaN\n```", True, True),
    (C + "```jsonc\n{}\n```", False, False),
    (C + "```json5```", True, False),
    (C + "```json\n```", False, False),
    ("```python\n```\n" + J, True, True),
    ("```python```\n" + J, False, False),
    (f"{C}\n```\ny\n```\n{J}", True, False),
    (f"{C}\n{J}\n{J}", False, False),
    (f"{C}\ntext\n{J}", False, False),
    (f"text {C}\n{J}", False, False),
    (f"{C}\n{J} text", False, False),
    (C, False, False),
    (J, False, False),
    ("", False, False),
    ("```Python\nx\n```" + J, False, False),
    ("```py\nx\n```" + J, False, False),
]


@pytest.mark.parametrize(("reply", "official", "strict"), VECTORS)
def test_verdicts(reply: str, official: bool, strict: bool) -> None:
    found = [check("x = 1\n", reply, "doc_6", mode=mode).followed for mode in ("official", "strict")]
    assert found == [official, strict]


def test_only_strict_rules_refuse_a_very_long_reply() -> None:
    long = "x = 1\n" * 170_000
    found = [check("x = 1\n", long, "doc_4", mode=mode).followed for mode in ("official", "strict")]
    assert found == [True, False]
