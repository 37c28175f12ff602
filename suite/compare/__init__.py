"""The modules of `suite.comparisons` by the names that they had before, until 0.3.0.

Importing one (`from suite.compare.votes_files import read_votes`) binds this module to the name of the call
`suite.compare`: so the module can be called, too.
"""

import sys
from types import ModuleType

from suite import comparisons
from suite.api.evaluations import compare

__path__ = list(comparisons.__path__)


class _CallableModule(ModuleType):
    __call__ = staticmethod(compare)


sys.modules[__name__].__class__ = _CallableModule
