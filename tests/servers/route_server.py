"""A server on loopback that has what it is given at each route, and remembers what was asked.

    async with RouteServer({"/v1/models": {"data": []}}) as server:
        server.url       # http://127.0.0.1:PORT
        server.asked     # [(path with query, headers, body), ...]

At a route stands JSON; (status, JSON); (status, JSON, headers); or a function from the body to one of these.
"""

from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web


class RouteServer:
    """The server. routes may be changed at any time; a route with a query counts before one without."""

    def __init__(self, routes: Mapping[str, Any]) -> None:
        self.routes = dict(routes)
        self.asked: list[tuple[str, Mapping[str, str], Any]] = []
        self.url = ""
        app = web.Application()
        app.router.add_route("*", "/{any:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.path_qs, request.headers, body))
        found = self.routes.get(request.path_qs, self.routes.get(request.path, (404, {"error": "not found"})))
        found = found(body) if callable(found) else found
        status, value, *headers = found if isinstance(found, tuple) else (200, found)
        return web.json_response(value, status=status, headers=headers[0] if headers else None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
