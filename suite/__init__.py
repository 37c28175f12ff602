"""All that a plugin needs; every other module may change without notice.

The names stand in `__init__.pyi`, each with its module. They resolve on first use, so that
`suite --help` pays for none of them.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
