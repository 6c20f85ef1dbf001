"""Errors as clients see them: one table from exception classes to statuses, one shape, OpenAI's."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from slipform.errors import (
    CapacityError,
    DeadlineExceeded,
    EngineStopped,
    GrammarError,
    InvalidRequest,
    OutputTooLong,
    PromptTooLong,
    QueueFull,
    RequestAborted,
    SlipformError,
    UnsupportedGrammar,
)

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_exceeded",
    500: "server_error",
    501: "not_implemented_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class ApiError(Exception):
    """An answer with an error status.

    Attributes:
        param: the field that is wrong. code: a stable word for programs. details: for grammars, where and why.
        retry_after_s: whole seconds after which the same request may succeed.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        details: list[dict[str, Any]] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.details = details
        self.retry_after_s = retry_after_s

    def in_terms(self, terms: Mapping[str, str]) -> "ApiError":
        """The same error about a body whose fields have other names: `terms` has theirs by ours."""
        for ours, theirs in terms.items():
            if self.param is not None and re.match(rf"{re.escape(ours)}\b", self.param):
                param = theirs + self.param.removeprefix(ours)
                message = self.message.replace(self.param, param)
                return ApiError(
                    self.status,
                    message,
                    param=param,
                    code=self.code,
                    details=self.details,
                    retry_after_s=self.retry_after_s,
                )
        return self

    def body(self) -> dict[str, Any]:
        """`{"error": {"message", "type", "param", "code"}}`, with `details` where there are some."""
        error: dict[str, Any] = {
            "message": self.message,
            "type": _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error"),
            "param": self.param,
            "code": self.code,
        }
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        headers = dict(headers or {})
        if self.retry_after_s is not None:
            headers["retry-after"] = str(self.retry_after_s)
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return Response(msgspec.json.encode(self.body()), self.status, headers, "application/json")


def bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """400 that names the field."""
    return ApiError(400, f"{param}: {message}" if param else message, param=param, code=code)


def unsupported(param: str, reason: str = "is not supported by this server") -> ApiError:
    """400 for a known field that cannot be honoured."""
    return bad_request(reason, param, "unsupported_parameter")


def as_api_error(error: SlipformError, *, param: str | None = None, retry_after_s: int = 1) -> ApiError:
    """The answer for an error of the engine.

    Args:
        param: the request's field to name where the error itself knows none.
        retry_after_s: for errors that go away.
    """
    message = str(error)
    match error:
        case GrammarError():
            keyword = error.feature if isinstance(error, UnsupportedGrammar) else None
            details = [{"pointer": error.path, "keyword": keyword, "reason": error.reason}]
            return ApiError(400, message, param=param, code="invalid_grammar", details=details)
        case PromptTooLong() | OutputTooLong():
            return ApiError(400, message, param=error.field, code="context_length_exceeded")
        case InvalidRequest():
            return ApiError(400, message, param=error.field or param)
        case QueueFull():
            return ApiError(429, message, code="queue_full", retry_after_s=retry_after_s)
        case CapacityError():
            return ApiError(503, message, code="no_capacity", retry_after_s=retry_after_s)
        case DeadlineExceeded():
            return ApiError(504, message, code="deadline_exceeded")
        case RequestAborted():
            return ApiError(499, message, code="request_aborted")
        case EngineStopped():
            return ApiError(503, message, code="engine_unavailable", retry_after_s=retry_after_s)
        case _:
            return ApiError(500, "internal error; the server's log has the details", code="internal_error")
