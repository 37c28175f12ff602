"""A key that an endpoint gives back wherever it can reaches no file and no terminal."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

KEY = "cAnArY9xQ2/7vBz1Lk0JmWq8Tr5"
OTHER = "0tHeRcAnArY6uNm3Pz8Wd4Ks1Yh"
TRACES = [
    *(key[at : at + 13] for key in (KEY, OTHER) for at in range(len(key) - 12)),
    *(base64.b64encode(b"\0" * n + KEY.encode()).decode()[6:26] for n in range(3)),
    quote(KEY, safe="")[-16:],
    KEY.encode().hex()[:30],
]
COMMANDS = [
    "eval --task prefeval/classification --mini --limit 4 --model openai/m -o base_url={url} "
    "-o api_key_env=CANARY_API_KEY -o check=false --output run --no-cache",
    "eval --task prefeval/classification --mini --model openai/m -o base_url={url} "
    "-o api_key_env={key} --dry-run",
    'eval --task prefeval/classification --mini --model openai/m -o extra_body={{"api_key":"{key}"}}',
    "eval --task prefeval/classification --mini --model openai/m -o base_url={url}?key={key} --dry-run",
    "eval --task prefeval/classification --mini --model openai/m -o {key}",
    "eval --task prefeval/classification --mini --model openai/m -o base_url={url} --dry-run "
    "-o api_key_env=CANARY_API_KEY",
    "runs list --dir . --json",
    "tasks show prefeval/classification",
    "runs show run --json",
    "report show run --samples 3",
    "report show run --html page.html",
    "report export run --to csv -O samples.csv --allow-partial",
    "report export run --to lm-eval -O lm --allow-partial",
    "doctor --json",
    "submit pack run -O bundle.suite.zip",
]
SCRIPT = """
import json, sys
from suite.__main__ import main
for command in json.loads(sys.stdin.read()):
    sys.argv = ["suite", *command]
    try:
        main()
    except SystemExit:
        pass
raise ValueError(f"a fault of ours tells {sys.argv[0]} __KEY__")
"""


class Echo(BaseHTTPRequestHandler):
    """Gives the key back in errors, names, headers, texts and addresses, whole, in parts and encoded."""

    turn = 0

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        self.rfile.read(int(self.headers["Content-Length"]))
        kind = type(self)
        kind.turn += 1
        key = self.headers["Authorization"].removeprefix("Bearer ")
        encoded = base64.b64encode(key.encode()).decode()
        body = json.dumps({
            "id": key, "model": key, "system_fingerprint": encoded, "object": quote(key, safe=""),
            "choices": [{"finish_reason": "stop", "message": {
                "content": f"A {key[:15]} {encoded}", "reasoning_content": key[12:]}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 9},
        }).replace("nAr", "\\u006eAr")  # fmt: skip
        status = 200
        if kind.turn % 4 == 1:
            status, body = (
                400,
                json.dumps({"error": {"message": "x" * 280 + key, "code": key, "type": encoded}}),
            )
        elif kind.turn % 4 == 2:
            body = "y" * 100 + key + " is no JSON"
        elif kind.turn % 4 == 3:
            status, body = 302, key
        self.send_response(status)
        self.send_header("X-Request-Id", key)
        self.send_header("Location", f"https://elsewhere.example/?key={key}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_a_key_leaves_no_trace(tmp_path: Path, url: str) -> None:
    (tmp_path / "suite.toml").write_text(f'[tasks.show]\njson = "{OTHER}"\n')
    commands = [one.format(url=url, key=KEY).split() for one in COMMANDS]
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("__KEY__", KEY)],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "CANARY_API_KEY": KEY,
            "SOME_TOKEN": OTHER,
            "SUITE_CACHE": str(tmp_path / "cache"),
        },
        timeout=120,
        check=False,
    )
    (tmp_path / "suite.toml").unlink()
    texts = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    texts |= {"stdout": found.stdout.encode(), "stderr": found.stderr.encode()}
    assert "a fault of ours tells" in found.stderr
    assert (tmp_path / "run" / "calls.jsonl").stat().st_size
    assert all((tmp_path / name).exists() for name in ("page.html", "samples.csv", "lm"))
    traces = {(name, one) for name, text in texts.items() for one in TRACES if one.encode() in text}
    assert traces == set()
