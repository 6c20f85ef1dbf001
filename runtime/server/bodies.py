"""Request bodies: their common base, and JSON read with bounds."""

from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from slipform.runtime.server.http_errors import bad_request


class Body(BaseModel):
    """A request body. Fields it does not declare are kept, so that they can be named."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())


class StreamOptions(Body):
    """What a stream holds beside the text."""

    include_usage: bool | None = Field(default=None, description="A last chunk brings the usage.")
    continuous_usage_stats: bool | None = Field(
        default=None, description="With include_usage: each chunk brings the usage of its choice so far."
    )

    @property
    def wants_usage(self) -> bool:
        return bool(self.include_usage)

    @property
    def counts_on(self) -> bool:
        return bool(self.include_usage and self.continuous_usage_stats)


def parse_json(data: bytes, max_depth: int) -> Any:
    """Raises: ApiError 400 for what is not JSON, not UTF-8, or nested deeper than `max_depth`."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"the body is not JSON: {error}", code="invalid_json") from error
    except RecursionError as error:
        raise bad_request(f"the body is nested more than {max_depth} levels deep", code="too_deep") from error
    # So many brackets are needed at least; few bodies have them, and counting costs less than looking at each value.
    if data.count(b"[") + data.count(b"{") > max_depth and is_deeper(value, max_depth):
        raise bad_request(f"the body is nested more than {max_depth} levels deep", code="too_deep")
    return value


def is_deeper(value: Any, max_depth: int) -> bool:
    """Whether arrays and objects are nested more than `max_depth` levels deep."""
    level = [value]
    for _ in range(max_depth + 1):
        level = [
            item
            for container in level
            if isinstance(container, list | dict)
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, list | dict)
        ]
        if not level:
            return False
    return True
