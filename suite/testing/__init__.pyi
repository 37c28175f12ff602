"""The public names for tests of plugins, each once, as in `suite/__init__.pyi`."""

from . import conformance as conformance
from .bench import Bench as Bench
from .bench import Ran as Ran
from .bench import Subject as Subject
from .loopback import LoopbackServer as LoopbackServer
from .loopback import WireReply as WireReply
from .loopback import WireRequest as WireRequest
from .openai_protocol import OpenAIProtocol as OpenAIProtocol
from .provider_case import Protocol as Protocol
from .provider_case import ProviderCase as ProviderCase
from .role_models import EngineModel as EngineModel
from .role_models import ScriptedModel as ScriptedModel
from .role_models import Solved as Solved
from .role_models import metrics_of as metrics_of
from .role_models import open_model as open_model
from .role_models import solve_all as solve_all
from .role_models import task_tools as task_tools
from .task_data import task_data as task_data

__all__: list[str]
