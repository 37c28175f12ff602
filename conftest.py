"""What holds for all tests: they see no settings, keys or caches of whoever runs them.

At import, since Hugging Face's client looks at the environment only once. `SUITE_CACHE` is let
be: the weights of the embedded model are there.
"""

import atexit
import os
import shutil
import tempfile

from hypothesis import settings

HIDDEN = ("SUITE_", "HF_", "HUGGING_FACE_", "HUGGINGFACE_", "OPENAI_", "ANTHROPIC_")
SEEN = ("SUITE_CACHE", "SUITE_EEE_PYTHON", "SUITE_VLLM_MODELS", "SUITE_VLLM_PYTHON")

for _name in list(os.environ):
    if _name.startswith(HIDDEN) and _name not in SEEN:
        del os.environ[_name]

_ours = tempfile.mkdtemp(prefix="suite-tests-")
atexit.register(shutil.rmtree, _ours, ignore_errors=True)
os.environ["HF_HOME"] = os.path.join(_ours, "hf")  # noqa: PTH118

# No deadline: how long an example takes tells of the machine. `--hypothesis-profile ci` wins over this.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
