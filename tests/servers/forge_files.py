"""Forgeries of files, documents, results and declarations."""

import subprocess
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sealing import seal
from tamper import Forged

from suite.board.bundle import signatures
from suite.board.bundle.bounds import SIGNATURE
from suite.chat import sha256_hex


def flip_byte(forged: Forged) -> None:
    path = forged.path("outputs")
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))


def cut_scores(forged: Forged) -> None:
    forged.put("scoring/scores", forged.text("scoring/scores")[:-40])


def cut_scores_sealed(forged: Forged) -> None:
    body = forged.text("scoring/scores")[:-40]
    forged.reseal()
    forged.put("scoring/scores", body)
    seal(forged.bundle)


def delete_journal(forged: Forged) -> None:
    forged.reseal()
    forged.path("calls").unlink()
    seal(forged.bundle)


def unlisted_file(forged: Forged) -> None:
    (forged.bundle / "README.md").write_text("added later")


def plugin_code(forged: Forged) -> None:
    (forged.folder / "task.py").write_text("import os")


def _raw(forged: Forged, name: str, old: bytes, new: bytes) -> None:
    path = forged.bundle / name
    body = path.read_bytes()
    assert old in body
    path.write_bytes(body.replace(old, new, 1))
    if name != "submission.json":
        seal(forged.bundle)


def duplicate_key(forged: Forged) -> None:
    name = forged.folder.relative_to(forged.bundle).as_posix() + "/scoring/results.json"
    _raw(forged, name, b'"format"', b'"pending": 1,\n  "format"')


def _score_line(forged: Forged, text: bytes) -> None:
    lines = forged.text("scoring/scores").splitlines()
    body, _, _ = lines[0].rpartition(b',"crc"')
    start = body.index(b'"values":{') + len(b'"values":{')
    body = body[:start] + b'"correct":' + text + body[body.index(b",", start) :]
    lines[0] = b'%b,"crc":"%08x"}' % (body, zlib.crc32(body))
    forged.put("scoring/scores", b"\n".join(lines) + b"\n")
    seal(forged.bundle)


def score_of(text: bytes) -> Callable[[Forged], object]:
    return lambda forged: _score_line(forged, text)


def _raise_value(row: dict[str, Any]) -> None:
    row["value"] = min(1.0, (row["value"] or 0.0) + 0.2)


def _headline(forged: Forged) -> dict[str, Any]:
    """The headline's row in results.json."""
    rows = forged.results["cells"][0]["metrics"]
    found: dict[str, Any] = next(one for one in rows if one["headline"] and not one["slice"])
    return found


def envelope_headline(forged: Forged) -> None:
    _raise_value(forged.entry["cells"][0]["headline"])
    forged.reseal(identities=False, numbers=False)


def raise_metric(forged: Forged) -> None:
    _raise_value(_headline(forged))
    forged.envelope()
    forged.reseal(identities=False, numbers=False)


def narrow_interval(forged: Forged) -> None:
    row = _headline(forged)
    middle = (row["low"] + row["high"]) / 2
    row["low"], row["high"] = (row["low"] + middle) / 2, (row["high"] + middle) / 2
    row["n"] += 100
    forged.envelope()
    forged.reseal(identities=False, numbers=False)


def fewer_unscored(forged: Forged) -> None:
    cell = forged.results["cells"][0]
    cell["unscored"] = {"kept": {"unparsed": 1}}
    _headline(forged)["unscored"] += 3
    forged.envelope()
    forged.reseal(identities=False, numbers=False)


def no_parameters(forged: Forged) -> None:
    forged.submission["model"]["parameters_total"] = 0
    forged.save()


def rename_model(forged: Forged) -> None:
    forged.submission["model"]["identity"]["name"] = "my-better-model"
    forged.submission["model"]["display_name"] = "My better model"
    forged.save()


def undeclared_change(forged: Forged) -> None:
    forged.submission["disclosure"]["changes"] = [{"what": "prompt", "why": "it reads better"}]
    forged.save()


def old_definition(forged: Forged) -> None:
    forged.submission["board"]["definition_sha256"] = sha256_hex(b"laxer")
    forged.save()


def bidi_name(forged: Forged) -> None:
    forged.submission["model"]["display_name"] = "Best \u202eledom"
    forged.save()


def script_url(forged: Forged) -> None:
    forged.submission["model"]["url"] = "javascript:alert(1)"
    forged.save()


def other_signature(forged: Forged) -> None:
    if not signatures.available():
        pytest.skip("needs ssh-keygen")
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        (forged.bundle / SIGNATURE).write_bytes(signatures.sign(b'{"of":"another"}\n', key))
