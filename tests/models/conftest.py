"""An endpoint on loopback for tests of what talks to one, and a stand-in for vLLM that runs it."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from openai_server import OpenAIServer

SERVERS = Path(__file__).resolve().parents[1] / "servers"
STAND_IN = f"""
import argparse, asyncio, json, os, sys
from pathlib import Path
sys.path.insert(0, {str(SERVERS)!r})
from openai_server import OpenAIServer
from openai_shapes import hash_text, last_text
parser = argparse.ArgumentParser()
parser.add_argument("model_tag", nargs="?")
for name in ("--model", "--host", "--port", "--served-model-name"):
    parser.add_argument(name)
given, rest = parser.parse_known_args([one for one in sys.argv[1:] if one != "serve"])
json.dump(sys.argv[1:], open(os.environ["ARGV_FILE"], "w"))
folder, devices = Path(os.environ["ARGV_FILE"]).parent, os.environ.get("CUDA_VISIBLE_DEVICES", "")
(folder / f"devices-{{given.port}}").write_text(devices)
print("key is", os.environ["VLLM_API_KEY"], flush=True)
if "--fail-now" in rest:
    sys.exit("ValueError: the model does not fit")
def answer(body):
    for word in folder.glob("die-at-*"):  # whoever is asked for it first, once for each such file
        if word.name.removeprefix("die-at-").partition("#")[0] in last_text(body):
            word.unlink(missing_ok=True)
            print("CUDA error: an illegal memory access was encountered", flush=True)
            os._exit(3)
    return hash_text(body)
async def main():
    served, key = [given.served_model_name], os.environ["VLLM_API_KEY"]
    async with OpenAIServer(answer, port=int(given.port), models=served, api_key=key, window=512):
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `vllm` package that our own interpreter finds. The arguments it got are in argv.json, the GPUs it may
    use in devices-PORT. A file die-at-WORD (or …#2) ends the server that is asked for that word, and goes."""
    for place in ("vllm/entrypoints/openai/api_server.py", "vllm/entrypoints/cli/main.py"):
        path = tmp_path / "site" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STAND_IN)
    (tmp_path / "site" / "vllm" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("ARGV_FILE", str(tmp_path / "argv.json"))
    monkeypatch.delenv("SUITE_VLLM_PYTHON", raising=False)
    return tmp_path


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., str]:
    def make(architecture: str = "LlamaForCausalLM", name: str = "toy-model", **config: object) -> str:
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"architectures": [architecture], **config}))
        return str(folder)

    return make


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer(keep_bodies=True, slow_s=60.0) as one:
        yield one
