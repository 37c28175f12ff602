"""How much is in flight at once: servers that queue, that go on with what was abandoned, that have room."""

import heapq
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.run.limits import MOST_GHOST_S, Limit


class Clients:
    """Requests against `slots` servers with one queue, on a clock of their own.

    keeps: whether what was abandoned is served all the same.
    """

    def __init__(self, limit: Limit, slots: int, service: float, timeout: float, keeps: bool) -> None:
        self.limit, self.slots, self.service, self.timeout, self.keeps = limit, slots, service, timeout, keeps
        self.now = 1.0
        limit._clock = lambda: self.now
        self.served = self.timeouts = self.top = self.in_flight = 0
        self.events: list[tuple[float, int, str, tuple[float, bool, list[bool]]]] = []
        self.queue: list[tuple[float, bool, list[bool]]] = []
        self.busy = 0
        self.ticket = count()

    def at(self, when: float, what: str, request: tuple[float, bool, list[bool]]) -> None:
        heapq.heappush(self.events, (when, next(self.ticket), what, request))

    def serve(self) -> None:
        while self.queue and self.busy < self.slots:
            request = self.queue.pop(0)
            if request[2][0] or self.keeps:
                self.busy += 1
                self.at(self.now + self.service, "served", request)

    def run(self, wanted: int) -> None:
        while self.served < wanted:
            while self.in_flight < self.limit.current and self.served + self.in_flight < wanted + 300:
                self.in_flight += 1
                self.top = max(self.top, self.in_flight)
                request = (self.now, self.in_flight >= self.limit.current, [True])
                self.queue.append(request)
                self.at(self.now + self.timeout, "timeout", request)
            self.serve()
            self.now, _, what, request = heapq.heappop(self.events)
            started, full, alive = request
            if what == "left":
                self.in_flight -= 1
            elif what == "served":
                self.busy -= 1
                if alive[0]:
                    alive[0] = False
                    self.served += 1
                    self.in_flight -= 1
                    self.limit.good(full, started)
            elif alive[0]:
                alive[0] = False
                self.timeouts += 1
                self.at(self.now + self.limit.timed_out(started), "left", request)


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize(
    ("service", "timeout", "repeats"), [(0.25, 5.0, 0), (1.0, 5.0, 10), (2.0, 5.0, 12), (0.05, 5.0, 0)]
)
def test_a_server_with_one_slot_is_not_overrun(
    keeps: bool, service: float, timeout: float, repeats: int
) -> None:
    clients = Clients(Limit(), 1, service, timeout, keeps)
    clients.run(300)
    assert clients.timeouts <= repeats
    assert clients.top <= 16
    assert clients.now < 1.15 * 300 * service + 60


def test_a_number_fixed_by_hand_is_cut_where_its_requests_time_out() -> None:
    clients = Clients(Limit(8), 1, 1.0, 3.0, keeps=True)
    clients.run(100)
    assert clients.timeouts < 20


@pytest.mark.parametrize("slots", [1, 8, 64, 256, 1000])
def test_the_limit_grows_to_what_the_server_answers_at_once(slots: int) -> None:
    clients = Clients(Limit(), slots, 1.0, 600.0, keeps=False)
    clients.run(4000)
    assert min(slots, 256) <= clients.top <= max(16, 5 * slots)


def test_an_overloaded_server_is_asked_for_half_and_then_for_one_more_a_round() -> None:
    now = [1.0]
    limit = Limit(start=8, clock=lambda: now[0])
    now[0] = 2.0
    for _ in range(8):
        limit.overloaded(1.5, 3.0)
    assert (limit.current, limit.pause()) == (4, 3.0)
    for _ in range(4):
        limit.good(True, 2.0)
    assert limit.current == 5


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["good", "full", "slow", "busy"]), st.floats(0, 100)), max_size=200)
)
def test_the_limit_stays_within_its_bounds(steps: list[tuple[str, float]]) -> None:
    now = [1.0]
    limit = Limit(most=64, clock=lambda: now[0])
    for step, seconds in steps:
        started, now[0] = now[0], now[0] + seconds
        if step == "slow":
            assert 0.0 <= limit.timed_out(started) <= MOST_GHOST_S
        elif step == "busy":
            limit.overloaded(started, 1.0)
        else:
            limit.good(step == "full", started)
        assert 1 <= limit.current <= 64
