"""The container sandbox, with a runtime of our own in podman's place: it takes podman's command line.

The stand-in contains with bubblewrap, so what is tested is everything but the runtime: the command line,
the supervisor as source, limits that are fixed when a box starts, and what happens when a container dies.
"""

import sys
from pathlib import Path

import pytest

from suite import Limits, Program, SandboxUnavailable, open_sandbox

RUNTIME = f"""#!{sys.executable}
import os, sys
arguments = sys.argv[1:]
with open(os.path.join(os.path.dirname(__file__), "asked"), "a") as file:
    file.write(" ".join(arguments[:6]) + "\\n")
if arguments[0] == "kill":
    sys.exit()
for wanted in ("--network none", "--read-only", "--cap-drop ALL", "no-new-privileges", "--pull never"):
    assert wanted in " ".join(arguments), wanted
image = arguments.index("--entrypoint") + 2
if arguments[image] != "there":
    sys.exit(f"Error: {{arguments[image]}}: image not known")
bwrap = "{{BWRAP}} --unshare-user --uid 65534 --gid 65534 --unshare-pid --unshare-net --unshare-ipc".split()
bwrap += "--as-pid-1 --die-with-parent --cap-drop ALL --proc /proc --dev /dev".split()
for name in ("/usr", "/bin", "/lib", "/lib64"):
    bwrap += ["--ro-bind-try", name, name]
bwrap += ["--tmpfs", "/tmp", "--tmpfs", "/dev/shm", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]
os.execv(bwrap[0], [*bwrap, "--", "/usr/bin/python3", *arguments[image + 1:]])
"""


@pytest.fixture
def runtime(contained: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    import shutil

    if not Path("/usr/bin/python3").exists():
        pytest.skip("no Python of the system")
    bwrap = shutil.which("bwrap")
    path = tmp_path / "podman"
    path.write_text(RUNTIME.replace("{BWRAP}", str(bwrap)))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SUITE_SANDBOX_IMAGE", "there")
    return tmp_path


async def test_programs_run_under_the_supervisor(runtime: Path) -> None:
    import suite_sandbox.container as container

    sandbox = await container.opened(1)
    try:
        code = "import os; print(os.getpid() > 1, input()); open('o', 'w').write('x')"
        result = await sandbox.run(Program(("python3", "-c", code), stdin=b"hi\n", outputs=("o",)))
        assert (result.ended, result.stdout, result.files_out) == ("exited", b"True hi\n", {"o": b"x"})
        spin = await sandbox.run(Program(("python3", "-c", "while True: pass")), Limits(wall_s=60, cpu_s=0.3))
        assert spin.ended == "cpu"
        await sandbox.run(Program(("true",)), Limits(memory_mib=64))
    finally:
        await sandbox.close()
    asked = (runtime / "asked").read_text()
    assert asked.count("run --rm") >= 2  # a box for each memory limit
    assert asked.count("kill suite-") == asked.count("run --rm")  # none is left behind
    assert sandbox.facts()["sandbox_runtime"] == "podman"


async def test_an_image_that_is_not_there(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_SANDBOX_IMAGE", "nowhere")
    with pytest.raises(SandboxUnavailable, match="nowhere: image not known"):
        await open_sandbox("container")


async def test_an_image_must_be_named(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUITE_SANDBOX_IMAGE")
    with pytest.raises(SandboxUnavailable, match="SUITE_SANDBOX_IMAGE"):
        await open_sandbox("container")
