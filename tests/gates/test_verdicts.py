"""A gate from runs to verdict, exit code and files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from suite.cli.main import run

Gated = Callable[..., str]


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A factory of policies: claims as YAML, and lines before them."""
    monkeypatch.chdir(tmp_path)

    def make(*claims: str, head: str = "") -> str:
        Path("policy.yaml").write_text(head + "claims:\n" + "".join(f"- {{{one}}}\n" for one in claims))
        return "policy.yaml"

    return make


NO_WORSE = "task: tiny/one, no-worse-than: {margin: 0.01}"


@pytest.mark.parametrize(("lost", "code"), [(range(90), 1), (range(10), 0), (range(40, 70), 3)])
def test_the_exit_code_is_the_verdict(
    policy: Callable[..., str], gated: Gated, lost: range, code: int
) -> None:
    base, tonight = gated("base", range(20), n=1000), gated("tonight", lost, n=1000)
    assert run(["gate", policy(NO_WORSE), "--candidate", tonight, "--baseline", base]) == code


def test_the_json_names_the_number_that_decides(
    policy: Callable[..., str], gated: Gated, capsys: pytest.CaptureFixture[str]
) -> None:
    base, tonight = gated("base", range(10)), gated("tonight", range(50))
    run(["gate", policy(NO_WORSE), "--candidate", tonight, "--baseline", base, "--json"])
    (claim,) = json.loads(capsys.readouterr().out)["claims"]
    assert (claim["verdict"], claim["side"], claim["d"]) == ("fail", "upper", pytest.approx(-0.1))
    assert claim["d"] < claim["bound"] < claim["threshold"] == -0.01
