"""A minimal Hub look-alike on loopback: huggingface_hub and datasets run their real download code on it.

ROOT/{datasets,models,spaces}/OWNER/NAME/ holds revision 'main'; a sibling folder NAME@REV is one more branch.
The commit id is a SHA-1 over a revision's paths and bytes (`--commit-of datasets/OWNER/NAME` prints it).
Files of `lfs_from` bytes or more act as LFS: SHA-256 as linked ETag and a 302 to a second port, as the real
service does; smaller ones carry the git blob SHA-1. Faults hit request paths that match `fault_match`.

In a test: `with LocalHub(root, Faults(truncate=10)) as hub: ... hub.url`. By hand:
`python local_hub.py ROOT --port-file P &`, then HF_ENDPOINT=http://127.0.0.1:PORT COMMAND
"""

import argparse
import hashlib
import json
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

API = re.compile(
    r"/api/(datasets|models|spaces)/([^/]+/[^/]+)(?:/(revision|tree|paths-info|refs)(?:/([^/]+))?(?:/(.*))?)?$"
)
RESOLVE = re.compile(r"/(?:(datasets|spaces)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)$")
DATE = "2024-01-01T00:00:00.000Z"


@dataclass
class Faults:
    """What goes wrong. May be changed while the server runs.

    fail_first: so many matching requests answer fail_status. truncate: bytes after which a body breaks off.
    slow: seconds of pause after each 64 KiB. corrupt: the last bit of a body is flipped, size and ETag kept.
    gate: pattern of paths that want `Bearer token`.
    """

    fault_match: str = r"/resolve/|^/datasets/|^/models/"
    fail_first: int = 0
    fail_status: int = 500
    fail_message: str = ""
    truncate: int = -1
    slow: float = 0.0
    corrupt: bool = False
    gate: str = ""
    token: str = ""
    failed: int = 0


def facts(path: Path) -> tuple[int, str, str]:
    """(size, git blob SHA-1, SHA-256) of a file."""
    data = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    return len(data), blob, hashlib.sha256(data).hexdigest()


def files(folder: Path) -> dict[str, Path]:
    """Every file of a revision by its path."""
    return {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}


def commit_of(folder: Path) -> str:
    """The commit id of a revision."""
    lines = "".join(f"{name}\0{facts(path)[2]}\n" for name, path in files(folder).items())
    return hashlib.sha1(lines.encode()).hexdigest()


class Server(ThreadingHTTPServer):
    """A server that takes clients hanging up as a matter of course."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers for both ports: the Hub's own and the one of its large files."""

    protocol_version = "HTTP/1.1"
    hub: "LocalHub"
    faulty = False

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        row = {"method": self.command, "path": self.path, "status": int(args[1])}
        row["range"] = self.headers.get("Range")
        with self.hub.guard:
            self.hub.log.append(row)

    def reply(self, status: int, body: Any = b"", length: int | None = None, **headers: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        told = {"Content-Type": "application/json", **headers, "Content-Length": length or len(content)}
        for name, value in told.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        for i in range(0, 0 if self.command == "HEAD" else len(content), 65536):
            self.wfile.write(content[i : i + 65536])
            time.sleep(self.hub.faults.slow if self.faulty else 0)

    def refuse(self, status: int, code: str, message: str) -> None:
        self.reply(status, {"error": message}, X_Error_Code=code, X_Error_Message=message)

    def revisions(self, kind: str, repo: str) -> dict[str, Path]:
        owner, name = self.hub.root / kind / repo.split("/")[0], repo.split("/")[1]
        branches = {p.name.split("@", 1)[1]: p for p in owner.glob(name + "@*")}
        found = {"main": owner / name, **branches}
        return {rev: folder for rev, folder in found.items() if folder.is_dir() and ".." not in repo}

    def locate(self, kind: str, repo: str, rev: str) -> tuple[Path, str] | None:
        """(folder, commit), or None once the error that the real service gives has been sent."""
        revisions = self.revisions(kind, repo)
        for name, folder in revisions.items():
            sha = commit_of(folder)
            if rev in (name, sha):
                return folder, sha
        if revisions:
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {rev}")
        else:
            self.refuse(404, "RepoNotFound", "Repository not found")
        return None

    def tree(self, folder: Path, sub: str = "", deep: bool = True) -> list[dict[str, Any]]:
        sub = sub and sub.strip("/") + "/"
        folders: dict[str, None] = {}
        out: list[dict[str, Any]] = []
        for name, path in ((n, p) for n, p in files(folder).items() if n.startswith(sub)):
            parts = name[len(sub) :].split("/")
            last = len(parts) if deep else min(len(parts), 2)
            folders.update(dict.fromkeys(sub + "/".join(parts[:i]) for i in range(1, last)))
            if deep or len(parts) == 1:
                size, git, sha256 = facts(path)
                large = {"oid": sha256, "size": size, "pointerSize": 134}
                item = {"type": "file", "path": name, "size": size, "oid": git}
                out.append({**item, "lfs": large} if size >= self.hub.lfs_from else item)
        names = sorted(folders)
        return [
            {"type": "directory", "path": d, "size": 0, "oid": hashlib.sha1(d.encode()).hexdigest()}
            for d in names
        ] + out

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        faults, url = self.hub.faults, urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.faulty = bool(re.search(faults.fault_match, path))
        with self.hub.guard:
            failing = self.faulty and faults.failed < faults.fail_first
            faults.failed += failing
        if failing:
            code = "" if faults.fail_message else "Fault"
            return self.refuse(faults.fail_status, code, faults.fail_message or "injected fault")
        bearer = self.headers.get("Authorization")
        if faults.gate and re.search(faults.gate, path) and bearer != f"Bearer {faults.token}":
            return self.refuse(401, "GatedRepo", "Access to this repository is restricted")
        address: Any = self.server.server_address
        if address[1] == self.hub.large_port:
            inside = ".." not in path
            return self.send_file(self.hub.root / path[1:]) if inside else self.refuse(404, "NotFound", "no")
        if match := API.match(url.path):
            kind, repo, verb, rev, rest = (unquote(group or "") for group in match.groups())
            return self.api(kind, repo, verb, rev, rest, query, body)
        if match := RESOLVE.match(url.path):
            return self.resolve(*(unquote(group or "") for group in match.groups()))
        return self.refuse(404, "NotFound", "no such route in the local hub")

    do_HEAD = do_POST = do_GET  # noqa: N815

    def api(self, kind: str, repo: str, verb: str, rev: str, rest: str, query: Any, body: str) -> None:
        at = self.locate(kind, repo, rev or "main")
        if at is None:
            return None
        folder, commit = at
        if verb == "tree":
            deep = query.get("recursive", [""])[0].lower() in ("true", "1")
            return self.reply(200, self.tree(folder, rest, deep))
        if verb == "paths-info":
            wanted = (json.loads(body) if body.startswith("{") else parse_qs(body)).get("paths", [])
            return self.reply(200, [item for item in self.tree(folder) if item["path"] in wanted])
        if verb == "refs":
            heads = [
                {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit_of(one)}
                for name, one in self.revisions(kind, repo).items()
            ]
            return self.reply(200, {"branches": heads, "tags": [], "converts": []})
        names = {"id": repo, "modelId": repo, "author": repo.split("/")[0], "_id": commit[:24], "sha": commit}
        times = {"lastModified": DATE, "createdAt": DATE}
        flags = {"private": False, "gated": False, "disabled": False, "downloads": 0, "likes": 0}
        siblings = [{"rfilename": name} for name in files(folder)]
        return self.reply(200, {**names, **times, **flags, "tags": [], "cardData": {}, "siblings": siblings})

    def resolve(self, kind: str, repo: str, rev: str, name: str) -> None:
        at = self.locate(kind or "models", repo, rev)
        if at is None:
            return None
        target = files(at[0]).get(name)
        if target is None:
            return self.refuse(404, "EntryNotFound", "Entry not found")
        size, git, sha256 = facts(target)
        if size < self.hub.lfs_from:
            return self.send_file(target, X_Repo_Commit=at[1], ETag=f'"{git}"')
        place = quote(target.relative_to(self.hub.root).as_posix())
        linked: dict[str, Any] = {"X_Linked_ETag": f'"{sha256}"', "X_Linked_Size": size}
        where = (
            f"http://localhost:{self.hub.large_port}/{place}"  # another host: clients must see the headers
        )
        return self.reply(302, X_Repo_Commit=at[1], ETag=f'"{git}"', Location=where, **linked)

    def send_file(self, target: Path, **headers: Any) -> None:
        data, status, start, end = target.read_bytes(), 200, 0, target.stat().st_size
        faults = self.hub.faults
        if self.faulty and faults.corrupt and data:
            data = data[:-1] + bytes([data[-1] ^ 1])
        if match := re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range", "")):
            status, start, end = 206, int(match[1]), min(int(match[2] or end) + 1, end)
            headers["Content_Range"] = f"bytes {start}-{end - 1}/{len(data)}"
            if start >= end:
                return self.reply(416, Content_Range=f"bytes */{len(data)}")
        part = data[start:end]
        if self.faulty and 0 <= faults.truncate < len(part) and self.command != "HEAD":
            self.close_connection = True
            return self.reply(status, part[: faults.truncate], len(part), Accept_Ranges="bytes", **headers)
        return self.reply(status, part, Accept_Ranges="bytes", **headers)


@dataclass
class LocalHub:
    """The server, on two free ports of loopback. `log` has every request."""

    root: Path
    faults: Faults = field(default_factory=Faults)
    lfs_from: int = 1 << 20
    port: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    large_port: int = 0
    url: str = ""
    handler: ClassVar[type[Handler]] = Handler

    def __enter__(self) -> Self:
        self.root = self.root.resolve()
        handler = type("BoundHandler", (self.handler,), {"hub": self})
        self._servers = [
            Server(("127.0.0.1", self.port), handler),
            Server(("127.0.0.1", 0), handler),
        ]
        self.large_port = self._servers[1].server_address[1]
        self.url = f"http://127.0.0.1:{self._servers[0].server_address[1]}"
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def main() -> None:
    """Serve a folder until interrupted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--lfs-from", type=int, default=1 << 20)
    for name in ("port-file", "commit-of"):
        parser.add_argument(f"--{name}")
    for name, default in (("fail-first", 0), ("fail-status", 500), ("truncate", -1), ("slow", 0.0)):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    for name, text in (
        ("fault-match", Faults.fault_match),
        ("gate", ""),
        ("token", ""),
        ("fail-message", ""),
    ):
        parser.add_argument(f"--{name}", default=text)
    parser.add_argument("--corrupt", action="store_true")
    given = parser.parse_args()
    if given.commit_of:
        print(commit_of(given.root / given.commit_of))
        return
    wrong = {name: getattr(given, name) for name in Faults.__dataclass_fields__ if name != "failed"}
    with LocalHub(given.root, Faults(**wrong), given.lfs_from, given.port) as hub:
        print(hub.url, flush=True)
        if given.port_file:
            Path(given.port_file).write_text(hub.url.rpartition(":")[2])
        threading.Event().wait()


if __name__ == "__main__":
    main()
