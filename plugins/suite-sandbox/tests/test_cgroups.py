"""Groups of suites that were killed go; groups of those that live stay."""

import os
from pathlib import Path

from suite_sandbox.cgroups import sweep


def test_groups_of_dead_suites_are_swept(tmp_path: Path) -> None:
    dead, live, new, other = ("suite-4194304-0", f"suite-{os.getpid()}-1", "suite-4194303-0", "someone-else")
    for name in (dead, live, new, other):
        (tmp_path / name).mkdir()
    for name in (dead, live, other):
        os.utime(tmp_path / name, (1, 1))
    full = tmp_path / "suite-4194302-7"
    (full / "used").mkdir(parents=True)
    os.utime(full, (1, 1))
    sweep(tmp_path, tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted((live, new, other, full.name))
