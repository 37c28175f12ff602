"""Thousands of checks at once give the verdicts of one call each."""

import random
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import suite_vibechecker.vericode as vericode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from suite_vibechecker.vericode import Item, check, check_many

LINTER = vericode.open_linter()
PIECES = [
    "import os\n",
    "import sys, json\n",
    "from a import *\n",
    "import pandas as pd\n",
    "df = pd.DataFrame()\n",
    "import m0, m1\n",
    "from .m1 import x\n",
    "x = 1\n",
    "x = 'a'\n",
    'y = "b"\n',
    "l = [\n  1,\n  2\n]\n",
    "def f(a, b):\n    c, d = a\n    return c\n",
    "def G(a):\n    if a and b or c:\n        return 1\n    return 2\n",
    "class A:\n    def b(self):\n        raise IOError('a long message for the user')\n",
    '"""Docstring."""\n',
    "# comment\n",
    "# " + "x " * 60 + "\n",
    "z = '" + "y " * 60 + "'\n",
    "x = 1  # noqa\n",
    "import re  # noqa: F401\n",
    "# ruff: noqa\n",
    "# ruff: noqa: E501, F401\n",
    "# flake8: noqa\n",
    "import io  # noqa : ,\n",
    "# isort: skip_file\n",
    "# fmt: off\n",
    "# ruff: isort: off\n",
    "# noqa: XYZ123\n",
    "try:\n    open('a', 'r')\nexcept EnvironmentError:\n    raise ValueError('x')\n",
    "for i in x:\n    l.append(i)\n",
    "match x:\n    case 1:\n        pass\n",
    "type X = int\n",
    "def g[T](a: T): ...\n",
    "x = f'{a!r:>{b}}'\n",
    "f'{x['a']}'\n",
    "x = 1;\n",
    "\tx = 1\n",
    "if x == 3:\n    pass\n",
    "print(x)",
    "\r\n",
    "x = 1\r\n",
    "\f",
    "\ufeff",
    "\x00",
    "é = 'ü'\n",
    "x = '\u2028'\n",
    "(",
    "'''",
    "\\\n",
    "   \n",
    "lambda: (yield)\n",
    "%matplotlib inline\n",
    "# type: ignore\n",
    "# /// script\n# requires-python = '>=3.13'\n# ///\n",
    "__all__ = ['q']\n",
    "#!/usr/bin/env python\n",
    "# -*- coding: latin-1 -*-\n",
    "async def h():\n    await x\n",
    "x: Any = 1\n",
]
CODE = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.text(max_size=40),
    st.text(alphabet="#:\n 'noqa=(x)1", max_size=30),
)


@st.composite
def items(draw: st.DrawFn) -> Item:
    row = draw(st.sampled_from(list(vericode.instructions().values())))
    parameters: dict[str, Any] = {}
    if row.parameter and draw(st.booleans()):
        parameters[row.parameter.name] = draw(st.sampled_from([*row.parameter.values, 0, "x"]))
    code = draw(CODE)
    return Item(
        code,
        draw(st.one_of(st.just(code), CODE)),
        row.id,
        parameters,
        draw(st.sampled_from(["official", "strict"])),
        draw(st.integers(0, 9)) == 0,
    )


def alone(item: Item) -> vericode.Verdict:
    return check(
        item.code,
        item.response,
        item.instruction,
        item.parameters,
        item.mode,
        failed=item.failed,
        linter=LINTER,
    )


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(items(), max_size=12))
def test_a_batch_says_what_single_calls_say(batch: list[Item]) -> None:
    assert check_many(batch, linter=LINTER) == [alone(item) for item in batch]


@pytest.mark.parametrize("mode", ["official", "strict"])
@pytest.mark.parametrize("name", list(vericode.instructions()))
def test_every_instruction_says_the_same_of_every_piece(name: str, mode: vericode.Mode) -> None:
    rng = random.Random(f"{name} {mode}")
    batch = [Item("".join(rng.sample(PIECES, 2)), "x", name, {}, mode) for _ in range(6)]
    assert check_many(batch, linter=LINTER) == [alone(item) for item in batch]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(CODE, st.sampled_from([row for row in vericode.instructions().values() if row.select]))
def test_official_verdicts_are_the_exit_code_of_the_plain_command(
    code: str, row: vericode.Instruction
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [LINTER.binary, "check", "-", *row.ruff_arguments({}), "--no-fix", "--force-exclude"],
            input=code,
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )
    assert check(code, code, row.id, linter=LINTER).followed is (done.returncode == 0)


PROGRAM = '''import os
import json
from collections import Counter


def task_{n}(path, values, limit=10):
    """Count things.

    Args:
        path: where
    """
    result = {{}}
    with open(path, "r") as handle:
        data = json.load(handle)
    for key, value in data.items():
        if value > 3 and key != 'a':
            result[key] = value
        else:
            try:
                result[key] = int(value)
            except ValueError as error:
                raise ValueError("could not read the value of this key: %s" % key)
    counts = Counter(values)  # how often
    return {{
        "counts": counts,
        "total": sum(result.values())
    }}
'''


@pytest.mark.slow
def test_all_checks_of_a_full_run_start_the_linter_a_few_dozen_times(tmp_path: Path) -> None:
    """A start costs some 20 ms, so that 34,200 of them would cost ten minutes."""
    started, counting = tmp_path / "started", tmp_path / "ruff"
    counting.write_text(f'#!/bin/sh\necho >> {started}\nexec {LINTER.binary} "$@"\n')
    counting.chmod(0o755)
    rng = random.Random(0)
    rows = list(vericode.instructions().values())
    batch = []
    for problem in range(1140):
        chosen = [(row.id, row.defaults()) for row in rng.sample(rows, 5)]
        for k in range(1, 6):
            for protocol in range(2):
                code = PROGRAM.format(n=f"{problem}_{k}_{protocol}")
                batch += [Item(code, code, *one) for one in chosen[:k]]
    verdicts = check_many(batch, linter=replace(LINTER, binary=str(counting)))
    assert len(verdicts) == 34_200
    assert started.read_text().count("\n") < 40
