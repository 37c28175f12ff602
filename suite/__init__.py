"""All that a plugin needs; every other module may change without notice.

Names resolve on first use, so that `suite --help` pays for none of them.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_NAMES = {  # by the module that defines them
    "suite.blocks": "Code Dialogue Facts Finding Line Plot Section Table Text Turn",
    "suite.chat": "Message Options Reply Request Tool ToolCall assistant replied system tool_result user",
    "suite.data.text_files": "json_document json_lines json_rows without_copies",
    "suite.errors": "CallFailed CapabilityError ConfigError DataError NotFound SandboxUnavailable SuiteError",
    "suite.hookspecs": "Entry hookimpl",
    "suite.journal.reading": "RunReader",
    "suite.models.reasoning": "without_reasoning",
    "suite.models.batches": "together",
    "suite.parameters": "Parameters Payload SkipCell at_score",
    "suite.plugins": "catalogue",
    "suite.prompts": "Prompts",
    "suite.roles": "Model Models Ratings Role",
    "suite.run.sources": "find_run",
    "suite.sandbox.base": "Sandbox",
    "suite.sandbox.harness": "TestRun run_function_cases run_stdin_cases run_unittest",
    "suite.sandbox.program": "Limits Program SandboxResult",
    "suite.scoring.analysis": "Analysis",
    "suite.scoring.bias": "length_metrics pair_metrics",
    "suite.scoring.judges": "Verdict judge read_verdict",
    "suite.scoring.metrics": "Across Agreement Custom Mean PassAt Rate Ratio WinRate",
    "suite.scoring.pairwise": "Asked PairResult compare_pair",
    "suite.scoring.panel": "PanelResult panel_label panel_score",
    "suite.scoring.stats.adjust": "adjust",
    "suite.scoring.stats.bootstrap": "bootstrap",
    "suite.scoring.style": "style_difference",
    "suite.scoring.verdicts": "Tie Unparsed",
    "suite.task": "Data Output Part Sample Score Task TaskInfo Tools Unscored",
}
_PLACES = dict(sorted((name, module) for module, names in _NAMES.items() for name in names.split()))
__all__ = [*_PLACES]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'suite' has no attribute {name!r}")
    found = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = found  # the next use costs nothing
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])


if TYPE_CHECKING:
    from suite.blocks import Code as Code
    from suite.blocks import Dialogue as Dialogue
    from suite.blocks import Facts as Facts
    from suite.blocks import Finding as Finding
    from suite.blocks import Line as Line
    from suite.blocks import Plot as Plot
    from suite.blocks import Section as Section
    from suite.blocks import Table as Table
    from suite.blocks import Text as Text
    from suite.blocks import Turn as Turn
    from suite.chat import Message as Message
    from suite.chat import Options as Options
    from suite.chat import Reply as Reply
    from suite.chat import Request as Request
    from suite.chat import Tool as Tool
    from suite.chat import ToolCall as ToolCall
    from suite.chat import assistant as assistant
    from suite.chat import replied as replied
    from suite.chat import system as system
    from suite.chat import tool_result as tool_result
    from suite.chat import user as user
    from suite.data.text_files import json_document as json_document
    from suite.data.text_files import json_lines as json_lines
    from suite.data.text_files import json_rows as json_rows
    from suite.data.text_files import without_copies as without_copies
    from suite.errors import CallFailed as CallFailed
    from suite.errors import CapabilityError as CapabilityError
    from suite.errors import ConfigError as ConfigError
    from suite.errors import DataError as DataError
    from suite.errors import NotFound as NotFound
    from suite.errors import SandboxUnavailable as SandboxUnavailable
    from suite.errors import SuiteError as SuiteError
    from suite.hookspecs import Entry as Entry
    from suite.hookspecs import hookimpl as hookimpl
    from suite.journal.reading import RunReader as RunReader
    from suite.models.batches import together as together
    from suite.models.reasoning import without_reasoning as without_reasoning
    from suite.parameters import Parameters as Parameters
    from suite.parameters import Payload as Payload
    from suite.parameters import SkipCell as SkipCell
    from suite.parameters import at_score as at_score
    from suite.plugins import catalogue as catalogue
    from suite.prompts import Prompts as Prompts
    from suite.roles import Model as Model
    from suite.roles import Models as Models
    from suite.roles import Ratings as Ratings
    from suite.roles import Role as Role
    from suite.run.sources import find_run as find_run
    from suite.sandbox.base import Sandbox as Sandbox
    from suite.sandbox.harness import TestRun as TestRun
    from suite.sandbox.harness import run_function_cases as run_function_cases
    from suite.sandbox.harness import run_stdin_cases as run_stdin_cases
    from suite.sandbox.harness import run_unittest as run_unittest
    from suite.sandbox.program import Limits as Limits
    from suite.sandbox.program import Program as Program
    from suite.sandbox.program import SandboxResult as SandboxResult
    from suite.scoring.analysis import Analysis as Analysis
    from suite.scoring.bias import length_metrics as length_metrics
    from suite.scoring.bias import pair_metrics as pair_metrics
    from suite.scoring.judges import Verdict as Verdict
    from suite.scoring.judges import judge as judge
    from suite.scoring.judges import read_verdict as read_verdict
    from suite.scoring.metrics import Across as Across
    from suite.scoring.metrics import Agreement as Agreement
    from suite.scoring.metrics import Custom as Custom
    from suite.scoring.metrics import Mean as Mean
    from suite.scoring.metrics import PassAt as PassAt
    from suite.scoring.metrics import Rate as Rate
    from suite.scoring.metrics import Ratio as Ratio
    from suite.scoring.metrics import WinRate as WinRate
    from suite.scoring.pairwise import Asked as Asked
    from suite.scoring.pairwise import PairResult as PairResult
    from suite.scoring.pairwise import compare_pair as compare_pair
    from suite.scoring.panel import PanelResult as PanelResult
    from suite.scoring.panel import panel_label as panel_label
    from suite.scoring.panel import panel_score as panel_score
    from suite.scoring.stats.adjust import adjust as adjust
    from suite.scoring.stats.bootstrap import bootstrap as bootstrap
    from suite.scoring.style import style_difference as style_difference
    from suite.scoring.verdicts import Tie as Tie
    from suite.scoring.verdicts import Unparsed as Unparsed
    from suite.task import Data as Data
    from suite.task import Output as Output
    from suite.task import Part as Part
    from suite.task import Sample as Sample
    from suite.task import Score as Score
    from suite.task import Task as Task
    from suite.task import TaskInfo as TaskInfo
    from suite.task import Tools as Tools
    from suite.task import Unscored as Unscored
