"""Responses kept in memory for a while: to be read again, gone on from, or cancelled."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:  # the body's fields need the services, and these hold the store
    from slipform.runtime.server.chat_fields import Message

MAX_ENTRIES = 1024
MAX_BYTES = 64 * 2**20


@dataclass(slots=True)
class StoredResponse:
    """One response.

    Attributes:
        owner: salt of the key that made it; nobody else finds it. messages: the chat that it answers. items: its own
            input, as it is shown.
        task: what still works on it in the background, or None.
    """

    response: dict[str, Any]
    owner: str
    messages: "list[Message]"
    items: list[dict[str, Any]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    num_bytes: int = field(default=0)


class ResponseStore:
    """The newest responses, within bounds of count and size; the oldest are forgotten first. Used on one event loop."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._entries: OrderedDict[str, StoredResponse] = OrderedDict()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self.num_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: StoredResponse) -> None:
        """Keep a new response, or one that has changed; forgets what no longer fits, but nothing that is under way."""
        response_id = entry.response["id"]
        self.remove(response_id)
        messages = [message.model_dump(exclude_none=True) for message in entry.messages]
        entry.num_bytes = len(msgspec.json.encode([entry.response, messages, entry.items]))
        self._entries[response_id] = entry
        self.num_bytes += entry.num_bytes
        for known in list(self._entries):
            if len(self._entries) <= self._max_entries and self.num_bytes <= self._max_bytes:
                break
            if self._entries[known].task is None:
                self.remove(known)

    def get(self, response_id: str, owner: str) -> StoredResponse | None:
        entry = self._entries.get(response_id)
        return entry if entry is not None and entry.owner == owner else None

    def remove(self, response_id: str) -> None:
        entry = self._entries.pop(response_id, None)
        if entry is not None:
            self.num_bytes -= entry.num_bytes
