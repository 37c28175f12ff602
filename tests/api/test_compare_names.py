"""The names that modules of comparisons had before, beside the call of that name."""

import subprocess
import sys

CODE = """
import suite
call = suite.compare
from suite.compare.votes_files import read_votes
from suite.comparisons.votes_files import read_votes as today
import inspect
assert read_votes.__doc__ == today.__doc__
assert inspect.signature(suite.compare) == inspect.signature(call)
try:
    suite.compare("nowhere/a", "nowhere/b")
except suite.SuiteError as error:
    print(error.what)
"""


def test_modules_of_before_are_found_and_the_call_stays_one() -> None:
    told = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert "nowhere/a" in told.stdout
