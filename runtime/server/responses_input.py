"""The input of a response as it is shown again: GET /v1/responses/{id}/input_items."""

import secrets
from collections.abc import Sequence
from typing import Any, Literal

from slipform.runtime.server.chat_fields import ContentPart
from slipform.runtime.server.http_errors import bad_request
from slipform.runtime.server.responses_fields import InputItem

_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
}


def shown_items(given: str | Sequence[InputItem]) -> list[dict[str, Any]]:
    """The items of an input in their order, each with an id."""
    items = [InputItem(role="user", content=given)] if isinstance(given, str) else given
    return [{"id": f"{_PREFIXES[item.type]}_{secrets.token_hex(16)}", **_shown(item)} for item in items]


def page(
    items: Sequence[dict[str, Any]], limit: int, order: Literal["asc", "desc"], after: str | None
) -> dict[str, Any]:
    """At most `limit` items behind the one called `after`, the newest first unless `order` is "asc".

    Raises: ApiError 400 naming `after` if there is no such item.
    """
    ordered = list(items) if order == "asc" else list(reversed(items))
    if after is not None:
        places = [index for index, item in enumerate(ordered) if item["id"] == after]
        if not places:
            raise bad_request("no item of this response is called so", "after")
        ordered = ordered[places[0] + 1 :]
    shown = ordered[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(ordered) > limit,
    }


def _shown(item: InputItem) -> dict[str, Any]:
    match item.type:
        case "message":
            content = _parts(item.content, "output_text" if item.role == "assistant" else "input_text")
            return {"type": "message", "role": item.role, "status": "completed", "content": content}
        case "function_call":
            call = {"call_id": item.call_id, "name": item.name, "arguments": item.arguments or "{}"}
            return {"type": "function_call", **call, "status": "completed"}
        case "custom_tool_call":
            return {"type": item.type, "call_id": item.call_id, "name": item.name, "input": item.input or ""}
        case "function_call_output" | "custom_tool_call_output":
            output = item.output if isinstance(item.output, str) else _parts(item.output, "input_text")
            return {"type": item.type, "call_id": item.call_id, "output": output, "status": "completed"}
        case "reasoning":
            return {"type": "reasoning", "summary": [], "content": _parts(item.content, "reasoning_text")}


def _parts(content: str | list[ContentPart] | None, kind: str) -> list[dict[str, Any]]:
    parts = [content] if isinstance(content, str) else [part.text or part.refusal or "" for part in content or ()]
    own: dict[str, Any] = {"annotations": []} if kind == "output_text" else {}
    return [{"type": kind, "text": text, **own} for text in parts]
