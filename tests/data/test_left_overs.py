"""What killed downloads leave is taken away at the next start, and never from under one that goes on."""

import fcntl
import os
from pathlib import Path

from suite.data.cache import Cache


def left(cache: Cache, name: str) -> Path:
    path = cache.staging(name) / ".cache" / "huggingface" / "download" / "x.incomplete"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    return path


def test_left_overs_go_at_the_next_start_but_for_what_goes_on(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    old, wanted = left(cache, "dataset/a/b/1/old"), left(cache, "dataset/a/b/2/wanted")
    scratch = cache.root / "scratch" / "tmpdead"
    scratch.mkdir(parents=True)
    new = cache.root / "notes" / ".new-1"
    new.parent.mkdir()
    new.write_bytes(b"")
    with cache.pulling(["dataset/a/b/2/wanted"]):
        assert not old.exists()
        assert wanted.exists()
        assert not scratch.exists()
        assert not new.exists()


def test_left_overs_of_others_stay_while_they_pull(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    other = left(cache, "other")
    with cache.pulling([]):
        assert not other.exists()
        going = left(cache, "other")
        with Cache(tmp_path).pulling([]):
            assert going.exists()
    fd = os.open(cache.root / "locks" / "pulls", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_SH)
    with cache.pulling([]):
        assert going.exists()
    os.close(fd)
    with cache.pulling():
        assert going.exists()
    with cache.pulling([]):
        assert not going.exists()
