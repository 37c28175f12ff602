"""One sandbox for the tests of the harness; where there is none, they are skipped."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

import suite


@pytest.fixture(scope="session")
def contained() -> None:
    async def look() -> None:
        await (await suite.open_sandbox(workers=1)).close()

    try:
        asyncio.run(look())
    except suite.SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def warm(contained: None) -> AsyncIterator[suite.Sandbox]:
    """Tests that use it say `loop_scope="session"` too."""
    opened = await suite.open_sandbox(workers=2)
    yield opened
    await opened.close()
