"""The output of a response while it grows: its items, and the events that tell a stream of it."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from slipform.runtime.server.chat import call_id
from slipform.runtime.server.pieces import (
    ContentPiece,
    CustomCallInput,
    CustomCallStart,
    Piece,
    ReasoningPiece,
    ToolCallArguments,
    ToolCallStart,
)

Event = dict[str, Any]


class Output:
    """Items in the order in which they were written: reasoning, messages, calls of tools.

    Attributes:
        items: as they stand; the last one may still be open.
    """

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._is_open = False

    def push(self, pieces: Sequence[Piece], logprobs: Sequence[dict[str, Any]] = ()) -> Iterator[Event]:
        """Take pieces; yields their events. `logprobs`: of the tokens behind them, for the first text among them."""
        for piece in pieces:
            match piece:
                case ReasoningPiece(text):
                    yield from self._opened("reasoning")
                    self._item["content"][0]["text"] += text
                    yield self._event("response.reasoning_text.delta", content_index=0, delta=text)
                case ContentPiece(text):
                    yield from self._opened("message")
                    part = self._item["content"][0]
                    part["text"] += text
                    part["logprobs"] += logprobs
                    shown = [_without_bytes(entry) for entry in logprobs]
                    yield self._event("response.output_text.delta", content_index=0, delta=text, logprobs=shown)
                    logprobs = ()
                case ToolCallStart(_, name):
                    yield from self._closed()
                    yield from self._begun(_function_call(name))
                case ToolCallArguments(_, text):
                    self._item["arguments"] += text
                    yield self._event("response.function_call_arguments.delta", delta=text)
                case CustomCallStart(_, name):
                    yield from self._closed()
                    yield from self._begun(_custom_tool_call(name))
                case CustomCallInput(_, text):
                    self._item["input"] += text
                    yield self._event("response.custom_tool_call_input.delta", delta=text)

    def finish(self, *, complete: bool) -> Iterator[Event]:
        """Close the last item; an answer that was cut leaves it incomplete."""
        yield from self._closed("completed" if complete else "incomplete")

    @property
    def _item(self) -> dict[str, Any]:
        return self.items[-1]

    def _opened(self, kind: str) -> Iterator[Event]:
        """Nothing if the open item is of this kind already."""
        if self._is_open and self._item["type"] == kind:
            return
        yield from self._closed()
        item = _reasoning() if kind == "reasoning" else _message()
        part = item["content"][0]
        yield from self._begun({**item, "content": []})
        self._item["content"].append(part)
        yield self._event("response.content_part.added", content_index=0, part=dict(part))

    def _begun(self, item: dict[str, Any]) -> Iterator[Event]:
        self.items.append(item)
        self._is_open = True
        shown = {**item, "content": []} if "content" in item else dict(item)
        yield {"type": "response.output_item.added", "output_index": len(self.items) - 1, "item": shown}

    def _closed(self, status: str = "completed") -> Iterator[Event]:
        if not self._is_open:
            return
        self._is_open = False
        item = self._item
        item["status"] = status
        if item["type"] == "function_call":
            yield self._event("response.function_call_arguments.done", arguments=item["arguments"], name=item["name"])
        elif item["type"] == "custom_tool_call":
            yield self._event("response.custom_tool_call_input.done", input=item["input"])
        else:
            part = item["content"][0]
            if item["type"] == "message":
                shown = [_without_bytes(entry) for entry in part["logprobs"]]
                yield self._event("response.output_text.done", content_index=0, text=part["text"], logprobs=shown)
            else:
                yield self._event("response.reasoning_text.done", content_index=0, text=part["text"])
            yield self._event("response.content_part.done", content_index=0, part=part)
        yield {"type": "response.output_item.done", "output_index": len(self.items) - 1, "item": item}

    def _event(self, kind: str, **values: Any) -> Event:
        return {"type": kind, "item_id": self._item["id"], "output_index": len(self.items) - 1, **values}


def _message() -> dict[str, Any]:
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    return {"id": _id("msg"), "type": "message", "role": "assistant", "status": "in_progress", "content": [part]}


def _reasoning() -> dict[str, Any]:
    part = {"type": "reasoning_text", "text": ""}
    return {"id": _id("rs"), "type": "reasoning", "status": "in_progress", "summary": [], "content": [part]}


def _function_call(name: str) -> dict[str, Any]:
    return {
        "id": _id("fc"),
        "type": "function_call",
        "status": "in_progress",
        "call_id": call_id(),
        "name": name,
        "arguments": "",
    }


def _custom_tool_call(name: str) -> dict[str, Any]:
    return {
        "id": _id("ctc"),
        "type": "custom_tool_call",
        "status": "in_progress",
        "call_id": call_id(),
        "name": name,
        "input": "",
    }


def _id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(16)}"


def _without_bytes(entry: dict[str, Any]) -> dict[str, Any]:
    """A log-probability as the events of a stream show it."""
    tops = [{"token": top["token"], "logprob": top["logprob"]} for top in entry["top_logprobs"]]
    return {"token": entry["token"], "logprob": entry["logprob"], "top_logprobs": tops}
