"""Metrics as declarations: what a task says about its numbers, and what each kind answers about its rows.

Each kind is a class: its arguments, its rows of results, the values it reads, how a row is computed, compared
and shown while a run goes on, and what it means (`declared.Declared`). Light: arithmetic is imported where it
is called, so that a task costs no numpy.
"""

from suite.scoring.metrics.declared import Declared as Declared
from suite.scoring.metrics.formulas import Across as Across
from suite.scoring.metrics.formulas import Custom as Custom
from suite.scoring.metrics.means import Agreement as Agreement
from suite.scoring.metrics.means import Mean as Mean
from suite.scoring.metrics.means import PassAt as PassAt
from suite.scoring.metrics.means import Rate as Rate
from suite.scoring.metrics.means import Ratio as Ratio
from suite.scoring.metrics.means import WinRate as WinRate
