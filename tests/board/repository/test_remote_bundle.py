"""Bundles that lie elsewhere: which addresses are asked at all, and which bytes are taken."""

import hashlib
import http.client
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from suite.board.entry import read_model
from suite.board.repository.remote_bundle import MOST_REDIRECTS, Reference, fetch, write_reference
from suite.errors import ConfigError, DataError, SourceUnreachable, SuiteError

DATA = b"a bundle" * 1000
PUBLIC = "93.184.216.34"
HOSTS = ("good.example", "also.example")


class Answer:
    """What a host says."""

    def __init__(self, data: bytes = DATA, status: int = 200, location: str = "") -> None:
        self.status, self._data, self._location, self.read_bytes = status, data, location, 0

    def getheader(self, name: str) -> str | None:
        return self._location if name == "Location" else None

    def read(self, amount: int) -> bytes:
        part, self._data = self._data[:amount], self._data[amount:]
        self.read_bytes += len(part)
        return part


class Net:
    """Hosts with their addresses, pages with their answers; remembers who was asked."""

    def __init__(
        self, pages: Mapping[str, Answer], addresses: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.pages, self.addresses = pages, addresses or {}
        self.asked: list[tuple[str, str]] = []

    def resolve(self, host: str) -> Sequence[str]:
        return self.addresses.get(host, [PUBLIC])

    def ask(self, host: str, address: str, path: str) -> Any:  # as much of an HTTPResponse as is read
        self.asked.append((host, address))
        if (host + path) not in self.pages:
            raise http.client.RemoteDisconnected("gone")
        return self.pages[host + path]


def reference(*urls: str, data: bytes = DATA) -> Reference:
    return Reference(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), urls=urls)


def get(net: Net, told: Reference, to: Path, most: int = 10**6) -> Path:
    return fetch(told, HOSTS, to, most, resolve=net.resolve, ask=net.ask)


def test_the_accepted_bytes_are_taken(tmp_path: Path) -> None:
    net = Net({"good.example/b.zip?x=1": Answer()})
    path = get(net, reference("https://good.example/b.zip?x=1"), tmp_path / "b.zip")
    assert path.read_bytes() == DATA
    assert [one.name for one in tmp_path.iterdir()] == ["b.zip"]


def test_the_next_address_is_tried(tmp_path: Path) -> None:
    net = Net({"also.example/b": Answer()})
    get(net, reference("https://good.example/b", "https://also.example/b"), tmp_path / "b")
    assert [host for host, _ in net.asked] == ["good.example", "also.example"]


def test_a_redirect_within_the_list_is_followed_to_its_end_only(tmp_path: Path) -> None:
    pages = {f"good.example/{i}": Answer(status=302, location=f"/{i + 1}") for i in range(20)}
    pages["good.example/2"] = Answer()
    get(Net(pages), reference("https://good.example/0"), tmp_path / "b")
    pages["good.example/2"] = Answer(status=302, location="/3")
    net = Net(pages)
    with pytest.raises(SourceUnreachable):
        get(net, reference("https://good.example/0"), tmp_path / "c")
    assert len(net.asked) == MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/b", "http://good.example/b", "https://good.example:8443/b", "https://127.0.0.1/b",
        "file:///etc/passwd", "https://user@good.example/b", "//evil.example/b", "ftp://good.example/b",
    ],
)  # fmt: skip
def test_a_redirect_off_the_list_is_never_asked(to: str, tmp_path: Path) -> None:
    net = Net({"good.example/b": Answer(status=301, location=to)})
    with pytest.raises(ConfigError):
        get(net, reference("https://good.example/b"), tmp_path / "b")
    assert [host for host, _ in net.asked] == ["good.example"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1", "fc00::1", "0.0.0.0",
        "::ffff:127.0.0.1", "100.64.0.1", "224.0.0.1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("after_redirect", [False, True])
def test_a_name_that_leads_to_a_private_address_is_never_asked(
    address: str, after_redirect: bool, tmp_path: Path
) -> None:
    pages = {
        "good.example/b": Answer(status=302, location="https://also.example/b"),
        "also.example/b": Answer(),
    }
    net = Net(pages, {"also.example": [PUBLIC, address]})
    start = "good" if after_redirect else "also"
    with pytest.raises(ConfigError, match="not public"):
        get(net, reference(f"https://{start}.example/b"), tmp_path / "b")
    assert all(host != "also.example" for host, _ in net.asked)


def test_the_address_that_was_checked_is_the_one_that_is_asked(tmp_path: Path) -> None:
    net = Net({"good.example/b": Answer()}, {"good.example": ["93.184.216.35"]})
    get(net, reference("https://good.example/b"), tmp_path / "b")
    assert net.asked == [("good.example", "93.184.216.35")]


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b"other" + DATA[5:], b""])
def test_other_bytes_than_were_accepted_are_thrown_away(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        get(Net({"good.example/b": Answer(data)}), reference("https://good.example/b"), tmp_path / "b")
    assert not list(tmp_path.iterdir())


def test_no_more_is_read_than_was_declared(tmp_path: Path) -> None:
    endless = Answer(bytes(10**7))
    with pytest.raises(DataError, match="more than"):
        get(Net({"good.example/b": endless}), reference("https://good.example/b"), tmp_path / "b")
    assert endless.read_bytes < 200_000


def test_a_bundle_larger_than_the_board_takes_is_not_asked_for(tmp_path: Path) -> None:
    net = Net({"good.example/b": Answer()})
    with pytest.raises(ConfigError, match="the board takes"):
        get(net, reference("https://good.example/b"), tmp_path / "b", most=10)
    assert net.asked == []


@pytest.mark.parametrize(
    "text",
    [
        "sha256: abc\nbytes: 1\n",
        f"sha256: {'0' * 64}\nbytes: 0\n",
        f"sha256: {'0' * 64}\nbytes: 1\nurls: ['http://x']\n",
        f"sha256: {'0' * 64}\nbytes: 1\nurls: ['https://u@x/']\n",
        f"sha256: {'0' * 64}\nbytes: 1\nmore: 1\n",
        "- 1\n",
        "\x00",
    ],
)
def test_a_reference_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle.ref.yaml"
    path.write_text(text)
    with pytest.raises(SuiteError, match=r"bundle\.ref\.yaml"):
        read_model(path, Reference)


def test_a_reference_reads_back(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(DATA)
    write_reference(tmp_path, tmp_path / "b", ["https://good.example/b"])
    assert read_model(tmp_path / "bundle.ref.yaml", Reference) == reference("https://good.example/b")
