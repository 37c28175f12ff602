"""Whatever an endpoint writes beside its answers: the run of it is packed and verified like any other."""

import asyncio
import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import good_bundles
import pytest

from suite.board.verify import verify
from suite.board.verify.verification import as_text
from suite.journal.run import Run
from suite.run.outcome import RunSettings
from suite.run.plan import make_plan
from suite.run.request import EvalRequest
from suite.run.session import run_plan

SAYS = "<choice>A</choice>"


def body(**more: Any) -> bytes:
    message = {"role": "assistant", "content": SAYS, **more.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": "stop", **more.pop("choice", {})}
    return json.dumps({"model": "m", "choices": [choice], **more}).encode()


def usage(prompt: Any, new: Any, **more: Any) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": prompt, "completion_tokens": new, **more}}


ODD = [
    body(**usage(-4, 3)),
    body(**usage(12, 10**40)),
    body(**usage(12, 99_999)),
    body(**usage(12.0, 3.0)),
    body(**usage(12, 0)),
    body(**usage(12, 3, prompt_tokens_details={"cached_tokens": 700})),
    body(usage=[1, 2], system_fingerprint={"a": 1}, extra={"deep": [[[1]]]}),
    body(message={"reasoning": {"text": "hm"}, "refusal": [], "tool_calls": ""}),
    body(message={"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": SAYS}]}),
    body(message={"content": f"<think>\nIs it <choice>B</choice>?\n</think>\n\n{SAYS}"}),
    body(choice={"finish_reason": 2, "logprobs": {"content": [{"token": 7, "logprob": None}]}}),
    body(error={}, model=["x"]),
    b"\xef\xbb\xbf" + body(),
    body().replace(SAYS.encode(), SAYS.encode() + rb" \ud835"),
    body().replace(SAYS.encode(), SAYS.encode() + b" \xf0\x9f\x98"),
    body().replace(b'"index": 0', b'"index": NaN'),
]
NO_SEED = json.dumps({"error": {"message": "Unsupported parameter: 'seed'", "param": "seed"}}).encode()


@pytest.fixture
def odd() -> Iterator[str]:
    """The URL of a server that takes no seed, and answers oddly, in turn."""
    turns = itertools.cycle(ODD)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # noqa: N802
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = NO_SEED if "seed" in asked else next(turns)
            self.send_response(400 if said is NO_SEED else 200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_a_run_of_odd_replies_is_packed_and_verified(odd: str, tmp_path: Path) -> None:
    request = EvalRequest(
        ("prefeval/classification",),
        parameters=(("", "inter_turns", "0"), ("", "max_tokens", "50")),
        mini=True,
        models={"candidate": ["openai/m"]},
        options=[("", "base_url", odd), ("", "check", "false"), ("", "concurrency", "1")],
    )
    settings = RunSettings(cache=False, quiet=True, signals=False, backoff_s=0.0)
    outcome = asyncio.run(run_plan(make_plan(request), tmp_path / "run", settings=settings))
    assert outcome.exit_code == 0, outcome.reasons
    assert "adapted" in {one.event for one in Run(tmp_path / "run").journal.attempts}
    calls = list(Run(tmp_path / "run").journal.calls)
    assert len(calls) >= len(ODD)
    assert {call.attempt for call in calls} == {1}
    assert {call.reply.text.split()[0] for call in calls} == {SAYS}
    assert {call.reply.reasoning for call in calls} == {"", "hm", "Is it <choice>B</choice>?"}
    found = verify(good_bundles.bundle([tmp_path / "run"], None, tmp_path / "bundle"))
    odd_times = [one for one in found.findings if one.code == "R9.regular"]
    assert odd_times == []  # a clock gave them
    errors = [one for one in found.findings if one.severity == "error"]
    assert [one for one in errors if one.code not in ("R9.latency", "R9.speed")] == [], as_text(found)
