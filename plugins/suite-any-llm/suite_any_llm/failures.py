"""What an error of the library means: whose failure it is, and how long to wait.

The library knows kinds by its own guesses at words; the suite's table of wordings reads what the service said
itself, so that status, headers and body are looked for in the error of the service's own client.
"""

import json
from collections.abc import Mapping

import suite


def failed(error: Exception, asked: int | None) -> suite.Reply:
    """The reply where the candidate failed. Raises CallFailed for everything else. asked: most new tokens."""
    from any_llm import exceptions as kinds

    if isinstance(error, kinds.UnsupportedParameterError):
        raise suite.CallFailed("unsupported", str(error), retryable=False) from error
    status, headers, body = told(error)
    if status >= 300:
        return suite.refused_reply(status, headers, body, asked=asked)
    origin = getattr(error, "original_exception", None) or error
    of_library = origin is error and isinstance(error, kinds.InvalidRequestError)
    if of_library or "unexpected keyword" in str(origin):
        raise suite.CallFailed("unsupported", str(error), retryable=False) from error  # nothing was sent
    if isinstance(error, kinds.ContentFilterError):
        return suite.refused_reply(
            400, {}, json.dumps({"error": {"message": str(error), "code": "content_filter"}}).encode()
        )
    classes = {one.__name__ for one in type(origin).__mro__}
    if "BotoCoreError" in classes and "HTTPClientError" not in classes:  # credentials, a region, parameters
        raise suite.CallFailed("setting", str(error), retryable=False) from error
    kind = "bad-shape" if status >= 200 or "valid" in type(origin).__name__.lower() else "connect"
    raise suite.CallFailed(kind, f"{type(origin).__name__}: {error}", retryable=True) from error


def told(error: Exception) -> tuple[int, Mapping[str, str], bytes]:
    """(status, headers, body) of what a service answered; status 0 where it did not."""
    origin = getattr(error, "original_exception", None) or error
    response = getattr(origin, "response", None)
    if isinstance(response, dict):  # botocore's
        about, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
        said = {"error": {"message": about.get("Message", str(error)), "code": about.get("Code", "")}}
        return (
            int(meta.get("HTTPStatusCode") or 0),
            dict(meta.get("HTTPHeaders") or {}),
            json.dumps(said).encode(),
        )
    found = [getattr(error, "status_code", None), getattr(origin, "code", None)]
    status = next((one for one in found if isinstance(one, int) and not isinstance(one, bool)), 0)
    headers = {
        str(name): str(value) for name, value in dict(getattr(response, "headers", None) or {}).items()
    }
    whole = next(
        (
            one
            for one in (getattr(origin, "body", None), getattr(origin, "details", None))
            if isinstance(one, dict)
        ),
        None,
    )
    if whole is not None:
        return (
            status,
            headers,
            json.dumps(whole if "error" in whole else {"error": whole}, default=str).encode(),
        )
    return status, headers, json.dumps({"error": {"message": str(error)}}).encode()
