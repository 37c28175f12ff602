"""Check the import contracts of .importlinter without installing anything of this tree."""

import sys
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), *(str(folder) for folder in sorted(ROOT.glob("plugins/*")))]
    sys.exit(lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True))
