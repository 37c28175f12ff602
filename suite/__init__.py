"""All that a plugin needs; every other module may change without notice.

Names resolve on first use, so that `suite --help` pays for none of them.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_PLACES = {
    "Across": "suite.scoring.metrics",
    "Agreement": "suite.scoring.metrics",
    "Analysis": "suite.scoring.analysis",
    "Asked": "suite.scoring.pairwise",
    "CallFailed": "suite.errors",
    "CapabilityError": "suite.errors",
    "Code": "suite.blocks",
    "ConfigError": "suite.errors",
    "Custom": "suite.scoring.metrics",
    "Data": "suite.task",
    "DataError": "suite.errors",
    "Dialogue": "suite.blocks",
    "Entry": "suite.hookspecs",
    "Facts": "suite.blocks",
    "Finding": "suite.blocks",
    "Limits": "suite.sandbox.program",
    "Line": "suite.blocks",
    "Mean": "suite.scoring.metrics",
    "Message": "suite.chat",
    "Model": "suite.roles",
    "Models": "suite.roles",
    "NotFound": "suite.errors",
    "Options": "suite.chat",
    "Output": "suite.task",
    "PairResult": "suite.scoring.pairwise",
    "PanelResult": "suite.scoring.panel",
    "Parameters": "suite.parameters",
    "Part": "suite.task",
    "PassAt": "suite.scoring.metrics",
    "Payload": "suite.parameters",
    "Plot": "suite.blocks",
    "Program": "suite.sandbox.program",
    "Prompts": "suite.prompts",
    "Rate": "suite.scoring.metrics",
    "Ratings": "suite.roles",
    "Ratio": "suite.scoring.metrics",
    "Reply": "suite.chat",
    "Request": "suite.chat",
    "Role": "suite.roles",
    "RunReader": "suite.journal.reading",
    "Sample": "suite.task",
    "Sandbox": "suite.sandbox.base",
    "SandboxResult": "suite.sandbox.program",
    "SandboxUnavailable": "suite.errors",
    "Score": "suite.task",
    "Section": "suite.blocks",
    "SkipCell": "suite.parameters",
    "SuiteError": "suite.errors",
    "Table": "suite.blocks",
    "Task": "suite.task",
    "TaskInfo": "suite.task",
    "TestRun": "suite.sandbox.harness",
    "Text": "suite.blocks",
    "Tie": "suite.scoring.verdicts",
    "Tool": "suite.chat",
    "ToolCall": "suite.chat",
    "Tools": "suite.task",
    "Turn": "suite.blocks",
    "Unparsed": "suite.scoring.verdicts",
    "Unscored": "suite.task",
    "Verdict": "suite.scoring.judges",
    "WinRate": "suite.scoring.metrics",
    "adjust": "suite.scoring.stats.adjust",
    "assistant": "suite.chat",
    "at_score": "suite.parameters",
    "bootstrap": "suite.scoring.stats.bootstrap",
    "catalogue": "suite.plugins",
    "compare_pair": "suite.scoring.pairwise",
    "find_run": "suite.run.sources",
    "hookimpl": "suite.hookspecs",
    "json_document": "suite.data.text_files",
    "json_lines": "suite.data.text_files",
    "json_rows": "suite.data.text_files",
    "judge": "suite.scoring.judges",
    "length_metrics": "suite.scoring.bias",
    "pair_metrics": "suite.scoring.bias",
    "panel_label": "suite.scoring.panel",
    "panel_score": "suite.scoring.panel",
    "read_verdict": "suite.scoring.judges",
    "replied": "suite.chat",
    "run_function_cases": "suite.sandbox.harness",
    "run_stdin_cases": "suite.sandbox.harness",
    "run_unittest": "suite.sandbox.harness",
    "style_difference": "suite.scoring.style",
    "system": "suite.chat",
    "together": "suite.models.together",
    "tool_result": "suite.chat",
    "user": "suite.chat",
    "without_copies": "suite.data.text_files",
    "without_reasoning": "suite.models.reasoning",
}

__all__ = [
    "Across",
    "Agreement",
    "Analysis",
    "Asked",
    "CallFailed",
    "CapabilityError",
    "Code",
    "ConfigError",
    "Custom",
    "Data",
    "DataError",
    "Dialogue",
    "Entry",
    "Facts",
    "Finding",
    "Limits",
    "Line",
    "Mean",
    "Message",
    "Model",
    "Models",
    "NotFound",
    "Options",
    "Output",
    "PairResult",
    "PanelResult",
    "Parameters",
    "Part",
    "PassAt",
    "Payload",
    "Plot",
    "Program",
    "Prompts",
    "Rate",
    "Ratings",
    "Ratio",
    "Reply",
    "Request",
    "Role",
    "RunReader",
    "Sample",
    "Sandbox",
    "SandboxResult",
    "SandboxUnavailable",
    "Score",
    "Section",
    "SkipCell",
    "SuiteError",
    "Table",
    "Task",
    "TaskInfo",
    "TestRun",
    "Text",
    "Tie",
    "Tool",
    "ToolCall",
    "Tools",
    "Turn",
    "Unparsed",
    "Unscored",
    "Verdict",
    "WinRate",
    "adjust",
    "assistant",
    "at_score",
    "bootstrap",
    "catalogue",
    "compare_pair",
    "find_run",
    "hookimpl",
    "json_document",
    "json_lines",
    "json_rows",
    "judge",
    "length_metrics",
    "pair_metrics",
    "panel_label",
    "panel_score",
    "read_verdict",
    "replied",
    "run_function_cases",
    "run_stdin_cases",
    "run_unittest",
    "style_difference",
    "system",
    "together",
    "tool_result",
    "user",
    "without_copies",
    "without_reasoning",
]


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
    from suite.models.reasoning import without_reasoning as without_reasoning
    from suite.models.together import together as together
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
