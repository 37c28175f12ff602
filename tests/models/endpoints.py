"""The engine of an endpoint, and one question put to it."""

import json
from typing import Any

from suite.chat import Options, Request, user
from suite.models.engine import Asking, Engine, Surroundings
from suite.models.openai import provider
from suite.models.spec import parse_spec

ASKING = Asking(seed=11)


def engine(url: str, name: str = "loopback", /, **options: object) -> Engine:
    pairs = [("base_url", url), *((key, json.dumps(value)) for key, value in options.items())]
    return provider.engine(parse_spec(f"openai/{name}", pairs))


async def asked(url: str, request: Request, **options: object) -> Any:
    one = engine(url, **options)
    await one.start(Surroundings())
    try:
        return await one.call(request, ASKING)
    finally:
        await one.close()


def chat(text: str, **options: object) -> Request:
    return Request("chat", (user(text),), options=Options(**options))  # type: ignore[arg-type]
