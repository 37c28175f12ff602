"""What shapes answers stands in the manifest, and changes nothing of which run it is."""

import json
from pathlib import Path
from typing import Any

from named_server import NamedServer
from small_tasks import plan_of, run

from suite.board.bundle.documents_check import roles_identity
from suite.board.bundle.schemas import schema_errors
from suite.journal.run import Run
from suite.models.settings import NEUTRAL, SETTINGS
from suite.run.run_folder import choose_folder


async def test_a_server_that_says_it_is_vllm_is_recorded_with_what_it_was_sent(tmp_path: Path) -> None:
    async with NamedServer(card={"owned_by": "vllm", "max_model_len": 4096}) as server:
        given: dict[str, Any] = {
            "models": {"candidate": "openai/loopback", "judge": "scripted/constant?text=good"},
            "options": [("", "base_url", server.url), ("", "thinking", "low")],
            "limit": 2,
        }
        outcome = await run(plan_of(**given), tmp_path / "run")
        assert outcome.exit_code in (0, 1)
        manifest = Run(tmp_path / "run").manifest
        again = plan_of(**given)
    settings = manifest.roles["candidate"][0].settings
    assert settings == {
        "sampling": NEUTRAL,
        "context_length": 4096,
        "thinking": "low",
        "unknown": [one for one in SETTINGS if one not in ("sampling", "context_length", "thinking")],
    }
    scoring = json.loads((Run(tmp_path / "run").judged.folder / "manifest.json").read_text())
    assert "settings" not in scoring["roles"]["judge"][0]  # nothing is served
    written = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert list(schema_errors("run-manifest.v1.json", written)) == []
    assert roles_identity(manifest.roles) == manifest.plan["roles"]
    assert (manifest.plan_sha256, choose_folder(again, tmp_path / "run", False)) == (
        again.sha256,
        tmp_path / "run",
    )
