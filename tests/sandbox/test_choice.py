"""Choosing a sandbox, refusing without one, and what is hidden from programs."""

import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from suite_sandbox.boxes import BOOTSTRAP, supervisor
from suite_sandbox.bubblewrap import _covers, command, unprivileged_uid
from suite_sandbox.container import command as container_command
from suite_sandbox.seccomp import seccomp_filter, supported

from suite import NotFound, SandboxUnavailable
from suite.hookspecs import Entry
from suite.plugins import Catalogue, Plugin
from suite.sandbox import Limits, Mount, Program, Sandbox, SandboxResult, choice, open_sandbox, probe
from suite.sandbox.interpreters import python_mounts


def test_probe_says_how(contained: None) -> None:
    report = probe()
    assert report["works"]
    assert report["sandbox"] == report["name"] == "bubblewrap"
    assert report["sandbox_version"]


def test_without_bubblewrap_the_refusal_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    report = probe()
    assert not report["works"]
    assert set(report) == {"works", "bubblewrap", "container", "fix"}
    assert "suite score" in str(report["fix"])
    assert "no bwrap" in str(report["bubblewrap"])


async def test_a_bubblewrap_that_may_not_is_named_with_its_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text(
        '#!/bin/sh\ncase "$1" in --help) echo "--size --as-pid-1";; --version) echo "bubblewrap 9";;\n'
        '*) echo "bwrap: No permissions to create a new namespace" >&2; exit 1;; esac\n'
    )
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SandboxUnavailable, match="No permissions to create a new namespace"):
        await open_sandbox("bubblewrap")


async def test_an_old_bubblewrap_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho help\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SandboxUnavailable, match="too old"):
        await open_sandbox("bubblewrap")


async def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound, match="bubblewrap"):
        await open_sandbox("bublewrap")


def test_without_the_plugin_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "catalogue", lambda: Catalogue(()))
    report = probe()
    assert not report["works"]
    assert "pip install suite-sandbox" in str(report["fix"])


class Bare(Sandbox):
    """A sandbox that contains nothing: the trial must find out."""

    name = "bare"

    async def run(self, program: Program, limits: Limits = Limits()) -> SandboxResult:  # noqa: B008
        import asyncio

        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program.argv[1:],
            env=dict(program.env),
            cwd="/tmp",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return SandboxResult(process.returncode, None, out, err, "exited", 0.0, 0.0)

    async def close(self) -> None:
        Path("/tmp/big").unlink(missing_ok=True)


async def open_bare() -> Sandbox:
    return Bare()


async def test_a_plugins_sandbox_is_tried_before_use(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("sandbox", "bare", "Nothing", f"{__name__}:open_bare")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[open_bare.__module__])
    catalogue = Catalogue((Plugin("test", "test", "1", (entry,)),))
    monkeypatch.setattr(choice, "catalogue", lambda: catalogue)
    monkeypatch.setenv("SUITE_SANDBOX", "bare")
    with pytest.raises(SandboxUnavailable, match=r"gets away with .*processes"):
        await open_sandbox()


def test_mounts_of_a_python_show_its_prefix() -> None:
    shown = [mount.source for mount in python_mounts(sys.executable)]
    for folder in (sys.prefix, sys.base_prefix):
        assert (
            any(folder == one or folder.startswith((one + "/", "/usr")) for one in shown) or folder == "/usr"
        )
    assert "/" not in shown
    assert str(Path.home()) not in shown


def test_bundled_data_is_covered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "site" / "suite_thing"
    package.mkdir(parents=True)
    monkeypatch.setattr("suite_sandbox.bubblewrap.hidden_folders", lambda: (str(package),))
    mount = Mount(str(tmp_path / "site"), "/packages")
    assert "/packages/suite_thing" in list(_covers([mount]))


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_covered_folders_look_empty(
    contained: None, monkeypatch: pytest.MonkeyPatch, public_folder: Path, elsewhere: bool
) -> None:
    """Also where a new /tmp covers them once more."""
    package = public_folder / "site" / "suite_thing"
    package.mkdir(parents=True, exist_ok=True)
    (package / "tests.jsonl").write_text("hidden")
    for place in (package, package.parent):
        place.chmod(0o755)  # programs run as another user
    monkeypatch.setattr("suite_sandbox.bubblewrap.hidden_folders", lambda: (str(package.resolve()),))
    sandbox = await open_sandbox(workers=1)
    seen = "/packages" if elsewhere else str(public_folder / "site")
    code = f"import os; print(os.listdir({seen!r}), os.listdir({seen + '/suite_thing'!r}))"
    program = Program(("python3", "-c", code), mounts=(Mount(str(public_folder / "site"), seen),))
    result = await sandbox.run(program)
    await sandbox.close()
    assert result.stdout == b"['suite_thing'] []\n"


def test_an_ordinary_users_command_makes_a_user_namespace() -> None:
    fds: dict[str, Any] = dict.fromkeys(
        ("/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf", "info"), 9
    )
    root, ordinary = (command("bwrap", is_root, (), fds) for is_root in (True, False))
    assert "--unshare-user" in ordinary
    assert "CAP_SETUID" not in ordinary
    assert "--unshare-user" not in root
    for line in (root, ordinary):
        assert {"--unshare-net", "--unshare-pid", "--clearenv", "--die-with-parent"} <= set(line)


def test_users_of_sandboxes_differ() -> None:
    assert len({unprivileged_uid() for _ in range(50)}) == 50
    assert min(unprivileged_uid() for _ in range(50)) > 0


def test_a_container_has_no_network_and_bounds() -> None:
    line = container_command(
        "podman", "image", "name", (Mount("/opt/x"),), Limits(memory_mib=64, processes=9)
    )
    text = " ".join(line)
    assert "--network none --read-only" in text
    assert "--pids-limit 10" in text
    assert "--memory 96m" in text
    assert "/opt/x:/opt/x:ro" in text


def test_the_filter_exists_for_both_machines() -> None:
    for machine in ("x86_64", "aarch64"):
        strict, open_ = (
            seccomp_filter(uncounted_memory=counted, machine=machine) for counted in (False, True)
        )
        assert len(strict) % 8 == 0
        assert len(strict) > len(open_)
        assert len(strict) // 8 < 4096
    assert not supported("m68k")


def test_the_supervisor_serves_nobody_outside_a_namespace() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", BOOTSTRAP], input=supervisor(True), capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"process 1" in done.stderr
