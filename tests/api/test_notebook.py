"""The notebook of the documentation runs from top to bottom, and a cell can be stopped."""

from pathlib import Path
from queue import Empty
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs/first_hour.ipynb"
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of the kernel's own transport

STOPPED = """
import suite
from tests.api.asking import ROWS, Asking
# 30 calls of 3 seconds: more than a slow machine lets pass before a cell is stopped
given = dict(data={"rows": ROWS}, trials=10, options={"delay_s": 3})
"""
LONG = "suite.evaluate(Asking, model='scripted/constant?text=yes', concurrency=1, **given)"


def test_the_notebook_runs_with_its_cells_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbclient
    import nbformat

    monkeypatch.setenv("FIRST_HOUR_MODEL", "scripted/constant?text=<b>B</b>")
    notebook = nbformat.reads(NOTEBOOK.read_text("utf-8"), 4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in notebook.cells)
    place = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place).execute()
    (shown, frame, samples, compared, own, pending) = (
        cell.outputs[-1].data for cell in notebook.cells[2:] if cell.cell_type == "code" and cell.outputs
    )
    assert "Evaluation prefeval-classification-" in shown["text/plain"] and "<table>" in shown["text/html"]
    assert "correct_official" in frame["text/plain"]
    assert "&lt;b&gt;B&lt;/b&gt;" in samples["text/html"]
    assert "No difference shown does not mean equal" in compared["text/html"]
    assert "capitals" in own["text/plain"]
    assert pending["text/plain"] == "0"


def test_a_stopped_cell_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        root = str(NOTEBOOK.parents[1])
        assert said(client, client.execute(f"import sys; sys.path.insert(0, {root!r})\n{STOPPED}"))[0] == "ok"
        for call, error, words in (
            (LONG, "KeyboardInterrupt", "the same call continues this run in runs/asking-plain"),
            (f"await {LONG.replace('evaluate', 'aevaluate')}", "CancelledError", ""),
        ):
            asked = client.execute(call)
            progress_of(client, asked)
            manager.interrupt_kernel()
            status, told = said(client, asked)
            assert (status, told["ename"]) == ("error", error)
            assert words in told["evalue"]
        status, _ = said(
            client, client.execute(f"run = {LONG.replace('=1', '=30')}\nassert run.pending == 0")
        )
        assert status == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def progress_of(client: Any, asked: str) -> None:
    """Wait until a cell shows how far its run is."""
    while True:
        message = client.get_iopub_msg(timeout=150)
        if message["parent_header"].get("msg_id") != asked:
            continue
        assert message["msg_type"] != "error", message["content"]["evalue"]
        if "/30" in str(message["content"].get("data")):
            return


def said(client: Any, asked: str) -> tuple[str, dict[str, Any]]:
    """The status of a cell, and its reply."""
    while True:
        try:
            reply = client.get_shell_msg(timeout=150)
        except Empty:
            pytest.fail("the kernel does not answer")
        if reply["parent_header"].get("msg_id") == asked:
            return reply["content"]["status"], reply["content"]
