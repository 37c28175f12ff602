"""An endpoint on loopback for tests of what talks to one."""

from collections.abc import AsyncIterator

import pytest
from openai_server import OpenAIServer


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer(keep_bodies=True, slow_s=60.0) as one:
        yield one
