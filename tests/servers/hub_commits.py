"""The loopback Hub with the two routes by which a client opens a pull request: nothing is ever merged.

`requests` holds what came: repository, whether a pull request was asked for, its title, the files by path.
Not here: large files (LFS), which the Hub takes by another way.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from local_hub import Handler, LocalHub

WRITE = re.compile(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/([^/]+)$")


class WritingHandler(Handler):
    """Answers `preupload` and `commit`; everything else as its base does."""

    hub: "WritingHub"

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        url = urlsplit(self.path)
        match = WRITE.match(unquote(url.path))
        if match is None:
            return self.do_GET()
        repo, verb, _ = match.groups()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self.refuse(401, "Unauthorized", "Invalid credentials in Authorization header")
        if not (self.hub.root / "models" / repo).is_dir():
            return self.refuse(404, "RepoNotFound", "Repository not found")
        if verb == "preupload":
            paths = [one["path"] for one in json.loads(body)["files"]]
            kept = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]
            return self.reply(200, {"files": kept})
        return self.commit(repo, parse_qs(url.query), body)

    def commit(self, repo: str, query: dict[str, list[str]], body: str) -> None:
        lines = [json.loads(line) for line in body.splitlines() if line]
        files = {
            one["value"]["path"]: base64.b64decode(one["value"]["content"]).decode()
            for one in lines
            if one["key"] == "file"
        }
        (header,) = [one["value"] for one in lines if one["key"] == "header"]
        asked = query.get("create_pr") == ["1"]
        self.hub.requests.append({"repo": repo, "pull": asked, "title": header["summary"], "files": files})
        number = len(self.hub.requests)
        told = {"success": True, "commitOid": f"{number:040x}", "hookOutput": ""}
        told["commitUrl"] = f"{self.hub.url}/{repo}/commit/{told['commitOid']}"
        if asked:
            told["pullRequestUrl"] = f"{self.hub.url}/{repo}/discussions/{number}"
        return self.reply(200, told)


@dataclass
class WritingHub(LocalHub):
    """A Hub whose models take pull requests from whoever has the token."""

    token: str = "hf_test"
    requests: list[dict[str, Any]] = field(default_factory=list)
    handler: ClassVar[type[Handler]] = WritingHandler
