"""An endpoint that speaks chat completions and nothing else: the first command of a new user reaches it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from suite.cli.main import run

REQUIRED, SAMPLING = {"model", "messages"}, {"temperature"}


class ChatOnly(ThreadingHTTPServer):
    """No key, no list of models, no log-probabilities, no seed; a field that it does not know is refused."""

    knows: frozenset[str] = frozenset(REQUIRED | SAMPLING | {"max_tokens"})
    names_it = True
    asked = 0


class Handler(BaseHTTPRequestHandler):
    """Answers every question with the same text."""

    server: ChatOnly
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802
        self._say(404, {"error": "not found"})

    def do_POST(self) -> None:  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        unknown = sorted(body.keys() - self.server.knows)
        if self.path != "/v1/chat/completions":
            self._say(404, {"error": "not found"})
        elif unknown:
            named = self.server.names_it
            self._say(400, {"error": f"unknown field {unknown[0]}" if named else "bad request"})
        else:
            self.server.asked += 1
            text = '<choice>A</choice> {"explanation": "It is so.", "answer": "Yes"}'
            message = {"role": "assistant", "content": text}
            self._say(200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    def _say(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatOnly]:
    monkeypatch.chdir(tmp_path)
    with ChatOnly(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def evaluated(server: ChatOnly, task: str, *more: str) -> int:
    url = f"base_url=http://127.0.0.1:{server.server_port}/v1"
    given = [one.replace("URL", url) for one in more]
    base = ["eval", "--task", task, "--mini", "--model", "openai/my-model", "-o", url, "--quiet"]
    return run([*base, "--limit", "1", *given])


@pytest.mark.parametrize(
    ("knows", "names_it", "more"),
    [
        (SAMPLING | {"max_tokens"}, True, ()),
        (SAMPLING | {"max_tokens"}, False, ()),
        (SAMPLING | {"max_completion_tokens"}, True, ()),
        (SAMPLING, True, ("-o", "max_tokens=null")),
        (set(), True, ("-o", "max_tokens=null", "-o", "temperature=null")),
        (set(), False, ("-o", "max_tokens=null", "-o", "temperature=null")),
    ],
)
def test_a_task_without_a_judge_runs(
    plain: ChatOnly, knows: set[str], names_it: bool, more: tuple[str, ...]
) -> None:
    plain.knows, plain.names_it = frozenset(REQUIRED | knows), names_it
    assert evaluated(plain, "prefeval/classification", "--solve-only", *more) == 0
    assert plain.asked > 0


def test_a_limit_that_is_not_taken_is_answered_with_the_option_that_helps(
    plain: ChatOnly, capsys: Any
) -> None:
    plain.knows = frozenset(REQUIRED)
    assert evaluated(plain, "prefeval/classification") == 2
    assert "-o max_tokens=null, which sends no limit, helps" in capsys.readouterr().err


def test_a_task_with_a_judge_says_what_to_add_and_runs_with_it(plain: ChatOnly, capsys: Any) -> None:
    assert evaluated(plain, "prefeval/generation") == 2
    url = f"base_url=http://127.0.0.1:{plain.server_port}/v1"
    said = capsys.readouterr().err
    assert said.startswith("error: nobody fills the role 'judge'\n  needed by prefeval/generation\n")
    assert f"--judge openai/my-model -o judge.{url}\n" in said
    assert evaluated(plain, "prefeval/generation", "--judge", "openai/my-model") == 2
    assert f"-o base_url is the candidate's alone: add -o judge.{url}" in capsys.readouterr().err
    assert plain.asked == 0


def test_a_family_names_the_benchmark_that_needs_no_judge_and_runs_with_one(
    plain: ChatOnly, capsys: Any
) -> None:
    assert evaluated(plain, "prefeval") == 2
    assert "or run alone what needs no judge: --task prefeval/classification\n" in capsys.readouterr().err
    assert evaluated(plain, "prefeval", "--judge", "openai/my-model", "-o", "judge.URL") == 0
    assert "goes on as with -o send_seed=false" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("task", "given", "fix"),
    [
        ("rag-rewardbench", ("-P", "kind=logp_mean"), "it has no prompt_logprobs\n.*\n  take -P kind=\n"),
        (
            "prefeval/classification",
            ("-P", "prefill=true"),
            "it has no continue_final\n.*\n  take -P prefill=f",
        ),
    ],
)
def test_what_it_cannot_do_is_said_with_the_parameter_that_avoids_it(
    plain: ChatOnly, task: str, given: tuple[str, ...], fix: str, capsys: Any
) -> None:
    import re

    assert evaluated(plain, task, *given) == 2
    assert re.search(fix, capsys.readouterr().err)
    assert plain.asked == 0
