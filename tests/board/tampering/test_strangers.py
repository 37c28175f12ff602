"""What a stranger with the source at hand tried: each once went through, or ran something of the bundle."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import good_bundles
import pytest
from forge_records import replaced
from tamper import Forged

from suite.board.define.board import load_board
from suite.board.pack.wish import reasons
from suite.board.verify import VerifiedBundle, verify
from suite.chat import Usage
from suite.cli.main import run as command
from suite.comparisons.runs import scored_runs
from suite.journal import pairs
from suite.sandbox import probe
from suite.task import Part
from tests.board.making import as_values, edit_json

needs_sandbox = pytest.mark.skipif(not probe()["works"], reason="no sandbox on this machine")
CODE = good_bundles.Recipe("vibechecker/live", (("", "k", "0"),), board="parameters: {k: 0}")


@pytest.fixture(scope="module")
def code_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs, scored in the sandbox. Do not change it."""
    folder = tmp_path_factory.mktemp("code")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_CACHE", str(folder / "cache"))
        return good_bundles.run(CODE, folder / "run")


def errors(found: VerifiedBundle) -> set[str]:
    return {one.code for one in found.findings if one.severity == "error"}


@needs_sandbox
class TestSomethingOfTheMachine:
    """A parameter that names a program: it would be run here, outside the sandbox."""

    @pytest.mark.parametrize("place", ["score_parameters", "parameters"])
    def test_an_interpreter_of_the_bundles_choice(self, place: str, code_run: Path, tmp_path: Path) -> None:
        ran = tmp_path / "ran"
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\ntouch {ran}\necho 3.11.0\n")
        program.chmod(0o755)
        board = good_bundles.board("live", CODE, tmp_path)
        made = Forged(good_bundles.bundle([code_run], board, tmp_path / "bundle"))
        for cell in (*made.manifest["cells"], *made.scoring["cells"]):
            if place in cell:
                cell[place]["interpreter"] = str(program)
                if place == "parameters":
                    del cell["score_parameters"]["interpreter"]
        for cell in made.scoring["cells"] if place == "parameters" else ():
            del cell["score_parameters"]["interpreter"]
        made.reseal()
        found = verify(made.bundle, board=board)
        assert not ran.exists()
        assert "R3.local-parameter" in errors(found)
        assert found.findings.rungs["R6"].status == "not_run"

    def test_such_a_run_is_not_packed(self, code_run: Path, tmp_path: Path) -> None:
        mine = Path(shutil.copytree(code_run, tmp_path / "mine"))
        (scoring,) = (mine / "scorings").iterdir()

        def named(manifest: dict[str, Any]) -> None:
            manifest["cells"][0]["score_parameters"]["interpreter"] = "/opt/py/bin/python"

        assert reasons(scored_runs([str(mine)]), None) == []
        edit_json(scoring / "manifest.json", named)
        (found,) = reasons(scored_runs([str(mine)]), None)
        assert "interpreter=/opt/py/bin/python, which only this machine has" in found

    def test_scoring_a_strangers_run_again_does_not_run_it(
        self, code_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = Path(shutil.copytree(code_run, tmp_path / "run"))
        ran, program = tmp_path / "ran", tmp_path / "python"
        program.write_text(f"#!/bin/sh\ntouch {ran}\necho 3.11.0\n")
        program.chmod(0o755)

        def named(manifest: dict[str, Any]) -> None:
            manifest["cells"][0]["score_parameters"]["interpreter"] = str(program)

        edit_json(run / "manifest.json", named)
        assert command(["score", str(run)]) == 2
        assert "interpreter" in (told := capsys.readouterr().err)
        assert "-P interpreter=" in told
        assert command(["score", str(run), "-P", "interpreter=", "--quiet"]) == 0
        assert not ran.exists()


class TestOtherKindsOfOne:
    """Python holds true, 1 and 1.0 for equal."""

    @pytest.mark.parametrize(("recipe", "code"), [("choice", "R6.score"), ("judged", "R7.score")])
    def test_numbers_for_truth_values(self, recipe: str, code: str, forged: Callable[..., Any]) -> None:
        made, board = forged(recipe)
        for score in made.scores:
            score.values = {k: int(v) if isinstance(v, bool) else v for k, v in score.values.items()}
        made.reseal()
        assert code in errors(verify(made.bundle, board=board))

    def test_numbers_for_truth_values_in_parts(self, forged: Callable[..., Any]) -> None:
        made, board = forged("judged")
        for score in made.scores:
            score.parts = [
                Part(
                    one.id, {k: int(v) if isinstance(v, bool) else v for k, v in one.values.items()}, one.tags
                )
                for one in score.parts
            ]
        made.reseal()
        assert "R7.score" in errors(verify(made.bundle, board=board))

    @pytest.mark.parametrize("seed", [0.0, -0.0])
    def test_a_seed_that_draws_other_groups(
        self, seed: float, good: Callable[..., Any], tmp_path: Path
    ) -> None:
        """The groups of a limited run are drawn with the seed as text; 0.0 would pass for the board's 0."""
        board = good("choice")[1]
        path = tmp_path / "limited.yaml"
        path.write_text(board.path.read_text().replace("data: mini", "data: mini\n    limit: 5"))
        limited = load_board(path)
        run = good_bundles.run(good_bundles.RECIPES["choice"], tmp_path / "run", limit=5)
        made = Forged(good_bundles.bundle([run], limited, tmp_path / "bundle"))
        assert verify(made.bundle, board=limited).exit_code() == 0
        made.manifest["seed"] = seed
        made.reseal()
        assert "R1.schema" in errors(verify(made.bundle, board=limited))

    def test_a_count_as_a_float(self, forged: Callable[..., Any]) -> None:
        made, board = forged("choice")
        made.reseal()
        made.results["cells"][0]["metrics"][0]["n"] *= 1.0
        made.save()
        assert "R1.schema" in errors(verify(made.bundle, board=board))


class TestCalls:
    @pytest.mark.parametrize("recipe", ["judged", "pairs"])
    def test_a_judges_calls_among_the_candidates(self, recipe: str, forged: Callable[..., Any]) -> None:
        """Where nobody looks at a judge's replies."""
        made, board = forged(recipe)
        known = {one.sha256 for one in made.files["blocks"]}
        made.files["calls"] += made.files["scoring/calls"]
        made.files["blocks"] += [one for one in made.files["scoring/blocks"] if one.sha256 not in known]
        made.files["scoring/calls"], made.files["scoring/blocks"] = [], []
        made.reseal()
        assert "R9.no-member" in errors(verify(made.bundle, board=board))

    def test_all_of_it_from_a_cache(self, forged: Callable[..., Any]) -> None:
        """Times of replies from a cache are not looked at; but such a reply takes none, and no try."""
        made, board = forged("choice")
        for call in made.calls:
            call.cached = True
        made.reseal()
        assert {"R9.times", "R9.attempts"} <= errors(verify(made.bundle, board=board))

    def test_one_rationale_whose_tokens_are_not_told(self, good: Callable[..., Any], tmp_path: Path) -> None:
        board = good("judged")[1]
        said = f"{'It keeps to what was asked for. ' * 10}<answer>Yes</answer>"
        run = good_bundles.run(good_bundles.RECIPES["judged"], tmp_path / "run", judge=said)
        made = Forged(good_bundles.bundle([run], board, tmp_path / "bundle"))
        for call in made.judged:
            call.reply = replaced(call.reply, usage=Usage())
        made.reseal()
        found = verify(made.bundle, board=board)
        assert "R9.rationales" in {one.code for one in found.findings}

    def test_a_reply_without_a_try(self, forged: Callable[..., Any]) -> None:
        made, board = forged("choice")
        made.calls[0].attempt = 0
        made.reseal()
        assert "R9.attempts" in errors(verify(made.bundle, board=board))

    @pytest.mark.parametrize("recipe", ["choice", "judged"])
    def test_records_in_the_worst_order(
        self,
        recipe: str,
        forged: Callable[..., Any],
        good: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Whatever waits for its partner longer than memory lasts is read again from where it stands."""
        monkeypatch.setattr(pairs, "MOST", 0)
        made, board = forged(recipe)
        made.files["outputs"].reverse()
        made.save()
        found = verify(made.bundle, board=board)
        honest = verify(good(recipe)[0], board=board)
        assert errors(found) == set()
        assert as_values(found)["columns"] == as_values(honest)["columns"]
        made.scores.append(made.scores[0])
        made.save()
        assert "R4.repeated-score" in errors(verify(made.bundle, board=board))

    def test_one_call_named_many_times(self, forged: Callable[..., Any]) -> None:
        made, board = forged("choice")
        for output in made.outputs:
            output.calls = output.calls * 3
        made.reseal()
        assert "R6.calls" in errors(verify(made.bundle, board=board))

    def test_parts_of_one_name(self, forged: Callable[..., Any]) -> None:
        """Two parts under one id: each is held against its own."""
        made, board = forged("judged")
        score = next(one for one in made.scores if one.parts)
        score.parts = [*score.parts, copy.deepcopy(score.parts[0])]
        made.reseal()
        assert "R7.parts" in errors(verify(made.bundle, board=board))


@needs_sandbox
@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "import os, time\nwhile True:\n try:\n  os.fork()\n except OSError:\n  time.sleep(0.01)",
        "print('x' * 10**9)",
        "import os\nos.kill(1, 9)\nos.kill(os.getppid(), 9)",
        "import socket\nsocket.create_connection(('127.0.0.1', 80))",
        "open('/tmp/x', 'wb').truncate(10**15)\nopen('/etc/x', 'w')",
        "x = [0] * 10**10",
    ],
    ids=["loop", "fork", "output", "kill", "network", "files", "memory"],
)
def test_programs_that_attack_who_verifies(program: str, tmp_path: Path) -> None:
    """They fail as they failed when they were scored, and the bundle verifies."""
    recipe = replace(CODE, parameters=(("", "k", "0"), ("", "test_seconds", "0.5")))
    run = good_bundles.run(recipe, tmp_path / "run", constant=f"```python\n{program}\n```")
    found = verify(good_bundles.bundle([run], None, tmp_path / "bundle"))
    assert errors(found) <= {"R9.copies"}
    assert [one["value"] for one in as_values(found)["columns"]] == [0.0]
