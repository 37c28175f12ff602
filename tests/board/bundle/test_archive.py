"""The archive: one form only, every other refused by name; all forms are written by hand, byte by byte."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suite.board.bundle.bounds import SizeLimits
from suite.board.pack import bundle_files
from suite.errors import BundleError
from tests.board.making import codes, look

NAME = "submission.json"


class Hand:
    """A ZIP writer that lies on request. Fields of a member: of its local and of its central header."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.members = [self.member(name, data) for name, data in sorted(files.items())]
        self.prefix = self.gap = self.before_directory = self.suffix = b""
        self.end: dict[str, int] = {}
        self.comment = b""

    @staticmethod
    def member(name: str, data: bytes) -> dict[str, Any]:
        crc = zlib.crc32(data)
        both = {
            "needed": 20, "flags": 0, "method": 0, "time": 0, "date": 33, "crc": crc, "packed": len(data),
            "size": len(data), "name": name.encode("latin-1"), "extra": b"",
        }  # fmt: skip
        central = {"made": 0x0314, "comment": b"", "disk": 0, "internal": 0, "external": 0o100644 << 16}
        return {"data": data, "tail": b"", "local": dict(both), "central": {**both, **central}}

    def bytes(self) -> bytes:
        out, offsets = self.prefix, []
        for one in self.members:
            f = one["local"]
            offsets.append(one.get("offset", len(out)))
            out += b"PK\3\4" + struct.pack(
                "<5H3L2H", f["needed"], f["flags"], f["method"], f["time"], f["date"], f["crc"], f["packed"],
                f["size"], len(f["name"]), len(f["extra"]),
            ) + f["name"] + f["extra"] + one["data"] + one["tail"] + self.gap  # fmt: skip
        out += self.before_directory
        start = len(out)
        for one, offset in zip(self.members, offsets, strict=True):
            f = one["central"]
            out += b"PK\1\2" + struct.pack(
                "<6H3L5H2L", f["made"], f["needed"], f["flags"], f["method"], f["time"], f["date"], f["crc"],
                f["packed"], f["size"], len(f["name"]), len(f["extra"]), len(f["comment"]), f["disk"],
                f["internal"], f["external"], offset,
            ) + f["name"] + f["extra"] + f["comment"]  # fmt: skip
        count = len(self.members)
        e = {"disk": 0, "start": 0, "here": count, "all": count, "size": len(out) - start, "offset": start}
        e |= self.end
        end = struct.pack(
            "<4H2LH", e["disk"], e["start"], e["here"], e["all"], e["size"], e["offset"], len(self.comment)
        )
        return out + b"PK\5\6" + end + self.comment + self.suffix

    def both(self, index: int, **fields: object) -> None:
        self.members[index]["local"].update(fields)
        self.members[index]["central"].update(fields)

    def central(self, index: int, **fields: object) -> None:
        self.members[index]["central"].update(fields)

    def local(self, index: int, **fields: object) -> None:
        self.members[index]["local"].update(fields)


@pytest.fixture
def hand(bundle: Path) -> Hand:
    return Hand({name: path.read_bytes() for name, path in bundle_files.files_of(bundle).items()})


def found(hand: Hand, tmp_path: Path) -> set[str]:
    path = tmp_path / "hand.suite.zip"
    path.write_bytes(hand.bytes())
    opened, findings = look(path)
    assert opened is None
    return {one.code for one in findings}


def test_hand_writes_what_the_suite_writes(hand: Hand, zipped: Path) -> None:
    assert hand.bytes() == zipped.read_bytes()


def test_good_archive_opens_and_is_a_zip_for_everybody(zipped: Path, bundle: Path) -> None:
    opened, findings = look(zipped)
    assert opened is not None
    assert not findings
    assert opened.readme == "A *readme*.\n"
    assert [one.sound for one in opened.runs] == [True]
    assert look(bundle)[0].id == opened.id
    with zipfile.ZipFile(zipped) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == archive.namelist()
        info = archive.getinfo(NAME)
        assert info.compress_type == zipfile.ZIP_STORED
        assert stat.S_ISREG(info.external_attr >> 16)


def duplicate(hand: Hand) -> None:
    at = next(i for i, one in enumerate(hand.members) if one["local"]["name"] == NAME.encode())
    hand.members.insert(at + 1, Hand.member(NAME, b"{}"))


def overlap(hand: Hand) -> None:
    """Two entries of the directory on one local header."""
    second = hand.members[1]
    first = hand.members[0]
    first["data"] = b""
    first["local"] = dict(second["local"])
    first["central"] = {**second["central"], "name": b"README.md"}
    first["offset"] = 0
    second["offset"] = 0


def rename(name: str) -> Callable[["Hand"], None]:
    def change(hand: Hand) -> None:
        hand.members.append(Hand.member(name, b"x"))

    return change


FORMS = {
    "traversal": (rename("../x"), "R0.unsafe-name"),
    "traversal inside": (rename("runs/../x"), "R0.unsafe-name"),
    "absolute": (rename("/x"), "R0.unsafe-name"),
    "drive": (rename("C:/x"), "R0.unsafe-name"),
    "backslash": (rename("runs\\x"), "R0.unsafe-name"),
    "nul": (rename("x\0y"), "R0.unsafe-name"),
    "not ascii": (rename("r\xe9sum\xe9"), "R0.unsafe-name"),
    "device": (rename("runs/con/manifest.json"), "R0.unsafe-name"),
    "trailing dot": (rename("runs/a./manifest.json"), "R0.unsafe-name"),
    "empty part": (rename("runs//manifest.json"), "R0.unsafe-name"),
    "long name": (rename("x" * 300), "R0.unsafe-name"),
    "folder": (rename("runs/"), "R0.link"),
    "code": (rename("runs/a/plugin.py"), "R0.name-not-allowed"),
    "pickle": (rename("model.pkl"), "R0.name-not-allowed"),
    "engine log": (rename("runs/a/logs/engine.log"), "R0.name-not-allowed"),
    "upper case twin": (rename("SUBMISSION.JSON"), "R0.name-not-allowed"),
    "line break after name": (rename("submission.json\n"), "R0.unsafe-name"),
    "duplicate": (duplicate, "R0.duplicate-name"),
    "order": (lambda hand: hand.members.reverse(), "R0.order"),
    "overlap": (overlap, "R0.layout"),
    "gap": (lambda hand: setattr(hand, "gap", b"\0"), "R0.layout"),
    "bytes before the directory": (lambda hand: setattr(hand, "before_directory", b"PK"), "R0.layout"),
    "prefix": (lambda hand: setattr(hand, "prefix", b"#!/bin/sh\n"), "R0.layout"),
    "suffix": (lambda hand: setattr(hand, "suffix", b"x"), "R0.trailing-bytes"),
    "comment": (lambda hand: setattr(hand, "comment", b"hi"), "R0.trailing-bytes"),
    "disk": (lambda hand: hand.end.update(disk=1), "R0.disks"),
    "fewer entries": (lambda hand: hand.end.update(here=1, all=1), "R0.directory"),
    "more entries": (lambda hand: hand.end.update(here=99, all=99), "R0.directory"),
    "zip64": (lambda hand: hand.end.update(offset=0xFFFFFFFF), "R0.zip64"),
    "directory elsewhere": (lambda hand: hand.end.update(offset=0), "R0.directory"),
    "symlink": (lambda hand: hand.central(0, external=(stat.S_IFLNK | 0o777) << 16), "R0.link"),
    "device node": (lambda hand: hand.central(0, external=(stat.S_IFCHR | 0o666) << 16), "R0.link"),
    "executable": (lambda hand: hand.central(0, external=0o100755 << 16), "R0.attributes"),
    "other date": (lambda hand: hand.both(0, date=0x5000), "R0.attributes"),
    "made elsewhere": (lambda hand: hand.central(0, made=20), "R0.attributes"),
    "encrypted": (lambda hand: hand.both(0, flags=1), "R0.encrypted"),
    "data descriptor": (lambda hand: hand.both(0, flags=8), "R0.descriptor"),
    "unicode flag": (lambda hand: hand.both(0, flags=0x800), "R0.flags"),
    "deflated": (lambda hand: hand.both(0, method=8), "R0.method"),
    "zstd by the archive": (lambda hand: hand.both(0, method=93), "R0.method"),
    "extra in the directory": (lambda hand: hand.central(0, extra=b"\1\0\0\0"), "R0.extra"),
    "extra in the header": (lambda hand: hand.local(0, extra=b"\1\0\0\0"), "R0.layout"),
    "extra in the last header": (lambda hand: hand.local(-1, extra=b"\1\0\0\0"), "R0.layout"),
    "comment of a member": (lambda hand: hand.central(0, comment=b"x"), "R0.extra"),
    "two sizes": (lambda hand: hand.both(0, packed=1), "R0.member-size"),
    "understated size": (lambda hand: hand.both(0, packed=1, size=1), "R0.layout"),
    "local size differs": (lambda hand: hand.local(0, packed=1, size=1), "R0.headers-differ"),
    "local name differs": (lambda hand: hand.local(0, name=b"READYE.md"), "R0.headers-differ"),
    "local crc differs": (lambda hand: hand.local(0, crc=1), "R0.headers-differ"),
    "local method differs": (lambda hand: hand.local(0, method=8), "R0.headers-differ"),
    "crc": (lambda hand: hand.both(0, crc=1), "R0.member-checksum"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_hostile_archive_is_refused(form: str, hand: Hand, tmp_path: Path) -> None:
    change, code = FORMS[form]
    change(hand)
    assert found(hand, tmp_path) == {code}


def test_archive_over_the_limits(zipped: Path) -> None:
    assert codes(zipped, SizeLimits(archive=1000)) == {"R0.archive-too-big"}
    assert codes(zipped, SizeLimits(members=3)) == {"R0.too-many-members"}


@pytest.mark.parametrize("data", [b"", b"PK", b"hello" * 100, b"PK\3\4" + b"\0" * 100])
def test_what_is_no_zip(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.suite.zip"
    path.write_bytes(data)
    with pytest.raises(BundleError, match="no bundle"):
        look(path)


def test_no_bundle_at_all(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="there is no bundle nowhere"):
        look(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BundleError, match=r"has no submission\.json"):
        look(empty)
    (tmp_path / "empty.zip").write_bytes(Hand({}).bytes())
    with pytest.raises(BundleError, match=r"has no submission\.json"):
        look(tmp_path / "empty.zip")


def test_writing_is_at_once_or_not_at_all(bundle: Path, tmp_path: Path) -> None:
    (bundle / "notes.txt").write_text("x")
    with pytest.raises(BundleError, match="may not stand"):
        bundle_files.write_archive(bundle, tmp_path / "x.suite.zip")
    (bundle / "notes.txt").unlink()
    with pytest.raises(BundleError, match="cannot write"):
        bundle_files.write_archive(bundle, tmp_path / "nowhere" / "x.suite.zip")
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith((".zip", ".part"))] == []
