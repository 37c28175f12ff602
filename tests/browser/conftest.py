"""A tab for each test of the viewer."""

from collections.abc import AsyncIterator

import pytest
from chromium import Page, tab


@pytest.fixture
async def page(chromium_port: int) -> AsyncIterator[Page]:
    """A tab in which the console has said nothing, and nothing was refused by the policy, in the end."""
    async with tab(chromium_port) as found:
        yield found
        assert found.said == []
        assert await found.violations() == []
