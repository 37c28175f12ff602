"""The mini problems, as their rows."""

import pytest
from suite_vibechecker.rows import BigRow, LiveRow
from suite_vibechecker.task import Big, Live

from suite.testing import task_data


@pytest.fixture(scope="session")
def big_rows() -> list[BigRow]:
    return list(task_data(Big).rows("vibechecker-big", BigRow))


@pytest.fixture(scope="session")
def live_rows() -> list[LiveRow]:
    return list(task_data(Live).rows("vibechecker-live", LiveRow))
