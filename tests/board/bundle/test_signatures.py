"""Signatures, made and checked by the real ssh-keygen, over bundles as archives and as folders."""

import json
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from suite.board.bundle import signatures
from suite.board.bundle.bounds import SIGNATURE, SUBMISSION
from suite.board.bundle.signatures import BadSignature, Signers, check, sign
from suite.board.pack.bundle_files import sign_bundle
from suite.board.verify import verify
from suite.cli.submit import submit
from suite.data.registry import registry_folder
from suite.errors import BundleError, ConfigError
from tests.board.making import as_values
from tests.board.signing_keys import make_keys, signers

pytestmark = pytest.mark.skipif(not signatures.available(), reason="needs ssh-keygen")
MINI = Path(__file__).parents[1] / "fixtures/mini.suite.zip"
SCHEMA = json.loads((registry_folder() / "schemas/verification.v1.json").read_text("utf-8"))
MESSAGE = b'{"format":"suite-submission/1"}\n'


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two key pairs, `ours` and `theirs`."""
    return make_keys(tmp_path_factory.mktemp("keys"))


def test_a_signature_names_the_key_and_whose_it_is(keys: Path, tmp_path: Path) -> None:
    made = sign(MESSAGE, keys / "ours")
    told = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(keys / "ours.pub")], capture_output=True, text=True, check=True
    ).stdout
    found = check(MESSAGE, made)
    assert (found.algorithm, found.identities) == ("ED25519", ())
    assert found.key in told
    known = Signers(signers(tmp_path / "signers", keys, "# who signs here", "ada@lab.org,ada {ours}"))
    assert check(MESSAGE, made, known).identities == ("ada@lab.org", "ada")
    assert check(MESSAGE, sign(MESSAGE, keys / "theirs"), known).identities == ()


@pytest.mark.parametrize(
    ("line", "when", "identities"),
    [
        ('ada namespaces="suite-submission" {ours}', None, ("ada",)),
        ('ada namespaces="git" {ours}', None, ()),
        ('ada valid-before="20200101" {ours}', None, ()),
        ('ada valid-before="20200101" {ours}', datetime(2019, 5, 1, tzinfo=UTC), ("ada",)),
        ('ada valid-after="20300101Z" {ours}', datetime(2029, 12, 31, tzinfo=UTC), ()),
        ('ada valid-after="20300101" {ours}', datetime(2030, 1, 1, 1, tzinfo=UTC), ("ada",)),
        ('"ada l.,ada" {ours}', None, ("ada l.", "ada")),
    ],
)
def test_what_the_file_of_signers_says_is_held(
    keys: Path,
    tmp_path: Path,
    line: str,
    when: datetime | None,
    identities: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")  # dates are in UTC wherever somebody verifies
    known = Signers(signers(tmp_path / "signers", keys, line), when)
    assert check(MESSAGE, sign(MESSAGE, keys / "ours"), known).identities == identities


def test_a_signature_of_other_bytes_or_for_another_use_is_bad(keys: Path) -> None:
    made = sign(MESSAGE, keys / "ours")
    with pytest.raises(BadSignature):
        check(MESSAGE + b" ", made)
    for junk in (b"", b"{}", made[:200], made.replace(b"A", b"B"), b"\0" * 5000, made + b"x" * 20_000):
        with pytest.raises(BadSignature):
            check(MESSAGE, junk)
    command = ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(keys / "ours")]
    other = subprocess.run(command, input=MESSAGE, capture_output=True, check=True).stdout
    with pytest.raises(BadSignature):
        check(MESSAGE, other)


def test_keys_and_signers_that_cannot_be_used_are_named(keys: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no key none"):
        sign(MESSAGE, tmp_path / "none")
    (tmp_path / "text").write_text("no key")
    with pytest.raises(ConfigError, match="could not sign with text"):
        sign(MESSAGE, tmp_path / "text")
    with pytest.raises(ConfigError, match="no file of signers none"):
        check(MESSAGE, sign(MESSAGE, keys / "ours"), Signers(tmp_path / "none"))


def test_without_openssh_it_says_what_to_install(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert not signatures.available()
    with pytest.raises(ConfigError, match="ssh-keygen is not here"):
        sign(MESSAGE, keys / "ours")


def test_signing_an_archive_changes_no_other_byte_of_its_content(keys: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "b.suite.zip"
    shutil.copy(MINI, bundle)
    before = {name: zipfile.ZipFile(MINI).read(name) for name in zipfile.ZipFile(MINI).namelist()}
    done = CliRunner().invoke(submit, ["sign", str(bundle), "--key", str(keys / "ours")])
    assert done.exit_code == 0, done.output
    assert "ED25519 key SHA256:" in done.output
    assert (keys / "ours.pub").read_text().strip() in done.output
    with zipfile.ZipFile(bundle) as signed:
        after = {name: signed.read(name) for name in signed.namelist()}
    check(after[SUBMISSION], after.pop(SIGNATURE))
    assert after == before
    again = CliRunner().invoke(submit, ["sign", str(bundle), "--key", str(keys / "ours")])
    assert again.exit_code != 0
    assert "signed already" in str(again.exception)
    sign_bundle(bundle, keys / "theirs", replace=True)
    assert list(tmp_path.iterdir()) == [bundle]


def test_signing_a_folder(keys: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    with zipfile.ZipFile(MINI) as archive:
        archive.extractall(folder)
    found = sign_bundle(folder, keys / "ours")
    assert check((folder / SUBMISSION).read_bytes(), (folder / SIGNATURE).read_bytes()) == found


@pytest.mark.parametrize("kind", ["none", "text", "folder"])
def test_what_is_no_bundle_is_not_signed(keys: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    if kind == "text":
        path.write_text("no ZIP")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(BundleError):
        sign_bundle(path, keys / "ours")


@pytest.fixture
def signed(keys: Path, tmp_path: Path) -> Path:
    bundle = tmp_path / "signed.suite.zip"
    shutil.copy(MINI, bundle)
    sign_bundle(bundle, keys / "ours")
    return bundle


def test_a_known_signer_lifts_trust_and_an_unknown_one_does_no_harm(
    keys: Path, signed: Path, tmp_path: Path
) -> None:
    known = Signers(signers(tmp_path / "signers", keys, "ada@lab.org {ours}"))
    found = verify(signed, signers=known)
    rung = found.findings.rungs["R10"]
    assert (rung.status, rung.remark) == ("passed", "signed by ada@lab.org")
    assert rung.seconds > 0
    assert found.trust == "L2"
    assert as_values(found)["signature"]["identities"] == ("ada@lab.org",)
    jsonschema.validate(json.loads(json.dumps(as_values(found))), SCHEMA)

    sign_bundle(signed, keys / "theirs", replace=True)
    for asked, why in ((known, "no line of the file of signers"), (None, "no file of signers was given")):
        found = verify(signed, signers=asked)
        rung = found.findings.rungs["R10"]
        assert rung.status == "not_run"
        assert why in rung.reason
        assert (found.trust, found.exit_code()) == ("L1", 0)
    assert verify(MINI, signers=known).findings.rungs["R10"].reason == "it is not signed"


def test_a_signature_of_another_manifest_is_an_error(keys: Path, signed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    with zipfile.ZipFile(signed) as archive:
        archive.extractall(folder)
    (folder / SIGNATURE).write_bytes(sign(MESSAGE, keys / "ours"))
    found = verify(folder, signers=Signers(signers(tmp_path / "signers", keys, "ada@lab.org {ours}")))
    assert [one.code for one in found.findings.kept if one.severity == "error"] == ["R10.signature"]
    assert (found.verdict, found.trust) == ("rejected", "L0")


def test_the_command_says_who_signed(keys: Path, signed: Path, tmp_path: Path) -> None:
    file = signers(tmp_path / "signers", keys, "ada@lab.org {ours}")
    done = CliRunner().invoke(submit, ["verify", str(signed), "--signers", str(file)])
    assert "signed by ada@lab.org" in done.output
    for bundle in (signed, MINI):  # said before the work, and of what is not signed, too
        lost = CliRunner().invoke(submit, ["verify", str(bundle), "--signers", str(file.with_name("none"))])
        assert "no file of signers none" in str(lost.exception)
        assert lost.output == ""
