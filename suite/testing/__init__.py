"""For tests of plugins: doubles of models and data, samples solved without a run, the checks of the contract.

The names stand in `__init__.pyi` and resolve on first use: every pytest run of whoever has the suite
installed imports this package.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
