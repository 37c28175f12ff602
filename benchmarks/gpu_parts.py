"""Make the parts that a machine with a GPU but without a package registry needs for `benchmarks/gpu.py`.

    python benchmarks/gpu_parts.py FOLDER --model FOLDER --reward FOLDER [--uv uv]

Of vLLM 0.26 it takes what a dense Llama in bfloat16 loads on a Hopper GPU, without other models' kernels:
packages that such a machine lacks (`gpu_packages.txt` names those that are there, and those never loaded).
With it go the suite, suite-prefeval and the models' files without weights: random ones cost nothing to carry.
FOLDER/part-01 and on, each of at most 38 MiB, are one tar file in xz; there:

    cat FOLDER/part-* >> /tmp/parts.tar.xz                      # as often as parts are carried
    mkdir -p /tmp/gpu && tar -C /tmp/gpu -xf /tmp/parts.tar.xz
    export PYTHONPATH=/tmp/gpu/site VLLM_USE_FLASHINFER_SAMPLER=0
    python3 benchmarks/gpu.py --model /tmp/gpu/model --reward /tmp/gpu/reward -o load_format=dummy --out $OUT
"""

import argparse
import fnmatch
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON, PLATFORM = "3.12", "x86_64-manylinux_2_39"
WANTED = "vllm==0.26.0\ntorch==2.11.0\n"
PART = 38 * 2**20
NEVER_LOADED = (
    "vllm/vllm_flash_attn/_vllm_fa2_C*", "vllm/_moe_C*", "vllm/_flashmla*", "vllm/_qutlass*", "vllm/vllm-rs*",
    "vllm/third_party/deep_gemm*", "vllm/third_party/fmha_sm100*", "vllm/third_party/flashmla*", "bin/*",
    "mistral_common/data/*", "pycountry/locales/*", "*/tests/*", "*/__pycache__/*",
)  # fmt: skip
WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")


def listed(name: str) -> frozenset[str]:
    """The packages of a paragraph of gpu_packages.txt, which begins with this name."""
    for paragraph in (HERE / "gpu_packages.txt").read_text().split("\n\n"):
        title, _, names = paragraph.partition("\n")
        if title.startswith(f"# {name}"):
            return frozenset(names.split())
    raise SystemExit(f"gpu_packages.txt has no paragraph {name!r}")


def resolved(uv: str, scratch: Path) -> list[str]:
    """Pins of what vLLM and the suite need, without what is there or never loaded."""
    wanted, found = scratch / "wanted.txt", scratch / "resolved.txt"
    wanted.write_text(WANTED)
    command = [uv, "pip", "compile", "-q", "--no-header", "--no-annotate", "--python-version", PYTHON]
    command += [
        "--python-platform",
        PLATFORM,
        str(wanted),
        str(HERE.parent / "pyproject.toml"),
        "-o",
        str(found),
    ]
    subprocess.run(command, check=True)
    leave = listed("there") | listed("never loaded")
    return [line for line in found.read_text().split("\n") if line and line.partition("==")[0] not in leave]


def fill(uv: str, pins: list[str], site: Path) -> None:
    """Install for the other machine, and take out what is never loaded."""
    target = [uv, "pip", "install", "-q", "--no-deps", "--target", str(site), "--python-version", PYTHON]
    subprocess.run([*target, "--python-platform", PLATFORM, "--only-binary", ":all:", *pins], check=True)
    plugin = HERE.parent / "plugins" / "suite-prefeval"
    subprocess.run([*target, str(HERE.parent), str(plugin)], check=True)
    for path in sorted(site.rglob("*"), reverse=True):
        name = path.relative_to(site).as_posix()
        if any(fnmatch.fnmatch(name, one) for one in NEVER_LOADED):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main() -> None:
    """Make the parts and say how large they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--reward", type=Path, required=True)
    parser.add_argument("--uv", default="uv")
    given = parser.parse_args()
    scratch = given.folder / "scratch"
    shutil.rmtree(given.folder, ignore_errors=True)
    scratch.mkdir(parents=True)
    for name in ("model", "reward"):
        shutil.copytree(getattr(given, name), scratch / name, ignore=shutil.ignore_patterns(*WEIGHTS))
    fill(given.uv, resolved(given.uv, scratch), scratch / "site")
    packed = given.folder / "parts.tar.xz"
    tar = ["tar", "-C", str(scratch), "--sort=name", "-I", "xz -6 -T0", "-cf", str(packed)]
    subprocess.run([*tar, "site", "model", "reward"], check=True)
    with packed.open("rb") as file:
        for number in range(1, 100):
            if not (data := file.read(PART)):
                break
            (given.folder / f"part-{number:02}").write_bytes(data)
            print(f"part-{number:02}: {len(data) / 2**20:.1f} MiB")
    packed.unlink()
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
