"""A site on the loopback, asked over real sockets; and folders that are replaced as a whole."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.errors import ConfigError
from suite.report.local_site import SiteServer, folder_files, put_files, replaced_folder

TOKEN = "a-token"
PAGE = "<p>Zwölf</p>".encode()


def files(path: str) -> bytes | None:
    if path == "broken.html":
        raise ValueError("no such <b>")
    return {"index.html": PAGE, "sub/index.html": b"sub", "a.js": b"1"}.get(path)


@pytest.fixture(scope="module")
def server() -> Iterator[SiteServer]:
    with SiteServer(files, 0, TOKEN) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(
    server: SiteServer, path: str, method: str = "GET", host: str = "127.0.0.1"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def test_a_page_comes_with_the_policy_and_nothing_is_guessed_kept_or_told(server: SiteServer) -> None:
    status, headers, body = ask(server, f"/{TOKEN}/")
    assert (status, body) == (200, PAGE)
    told = {name: text for name, text in headers.items() if name not in ("Date", "Content-Security-Policy")}
    assert told == {
        "Server": "suite ",
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(PAGE)),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/a-toke/", "/a-token", "/A-TOKEN/", "/%00/", "/%C3%A4/"]
)
def test_without_the_token_nothing_is_shown(server: SiteServer, path: str) -> None:
    status, _, body = ask(server, path)
    assert (status, body[:40]) == (403, b"The address lacks its token, or has an o")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "", "localhost."]
)
def test_another_host_name_is_refused(server: SiteServer, host: str) -> None:
    status, _, body = ask(server, f"/{TOKEN}/", host=host)
    assert (status, body) == (403, b"Use the address that was printed.")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "[::1]:9"])
def test_the_loopback_s_names_are_answered_at_any_port(server: SiteServer, host: str) -> None:
    assert ask(server, f"/{TOKEN}/", host=host)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_reading_is_taken(server: SiteServer, method: str) -> None:
    assert ask(server, f"/{TOKEN}/", method)[0] == 501


def test_a_head_is_asked_without_a_body(server: SiteServer) -> None:
    status, headers, body = ask(server, f"/{TOKEN}/sub/", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "3", b"")


@pytest.mark.parametrize("path", ["nothing.html", "a.js%00.html", "../a.js", "sub"])
def test_what_is_not_there_is_said(server: SiteServer, path: str) -> None:
    status, headers, body = ask(server, f"/{TOKEN}/{path}")
    assert (status, body) == (404, b"There is no such page here.")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_page_that_cannot_be_made_costs_no_other(server: SiteServer) -> None:
    status, headers, body = ask(server, f"/{TOKEN}/broken.html")
    assert (status, body) == (500, b"ValueError: no such <b>")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert ask(server, f"/{TOKEN}/a.js")[2] == b"1"


def test_a_port_in_use_is_named(server: SiteServer) -> None:
    with pytest.raises(ConfigError, match=f"port {server.server_port} is not to be had"):
        SiteServer(files, server.server_port)


def test_a_folder_shows_nothing_outside_it(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.txt").write_text("a")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "site" / "link.txt").symlink_to(tmp_path / "secret.txt")
    read = folder_files(tmp_path / "site")
    assert read("a.txt") == b"a"
    for path in ("../secret.txt", "link.txt", str(tmp_path / "secret.txt"), "..", ""):
        assert read(path) is None


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for text in (b"old", b"new"):
        with replaced_folder(tmp_path / "out", ".mark") as part:
            assert put_files(part, [("sub/a.txt", text), (f"{text.decode()}.txt", text)]) == 2
    assert {path.name for path in (tmp_path / "out").rglob("*")} == {".mark", "sub", "a.txt", "new.txt"}
    assert (tmp_path / "out" / "sub" / "a.txt").read_bytes() == b"new"


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    with replaced_folder(tmp_path / "out", ".mark") as part:
        put_files(part, [("a.txt", b"old")])
    with pytest.raises(KeyError), replaced_folder(tmp_path / "out", ".mark"):
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"old"


def test_what_somebody_else_put_there_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for name, told in (("out", "did not put there"), ("file", "no folder"), ("link", "no folder")):
        with pytest.raises(ConfigError, match=told), replaced_folder(tmp_path / name, ".mark"):
            pass
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"
