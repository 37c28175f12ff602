"""Who runs the sandbox: the user of the tests, and an ordinary user where the tests run as root."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))
import trying
from ordinary import as_ordinary_user, open_folder

from suite.sandbox import Sandbox, open_sandbox, probe

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def contained() -> None:
    report = probe()
    if not report["works"]:
        pytest.skip(str(report))


@pytest.fixture
async def sandbox(contained: None) -> AsyncIterator[Sandbox]:
    opened = await open_sandbox(workers=2)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def warm(contained: None) -> AsyncIterator[Sandbox]:
    """One sandbox for many tests; they say `loop_scope="session"` too."""
    opened = await open_sandbox(workers=2)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def public_folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="session", params=["own", "ordinary"])
def outcomes(request: Any, contained: None, public_folder: Path) -> dict[str, dict[str, Any]]:
    """What came of every hostile program, for each user."""
    if request.param == "own":
        found: dict[str, dict[str, Any]] = asyncio.run(trying.try_all(public_folder))
        return found
    scripts = [HERE / name for name in ("trying.py", "hostile_programs.py", "hostile.toml")]
    tried: dict[str, dict[str, Any]] = json.loads(
        as_ordinary_user(public_folder, scripts, str(public_folder))
    )
    return tried
