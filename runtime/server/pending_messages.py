"""What the engine has to tell the server, between two frames."""

import logging

from slipform.errors import SlipformError
from slipform.runtime.request import Event, FillFinished, RequestFailed, RequestFinished, TextDelta
from slipform.runtime.server.frames import Delta, Failed, Filled, Finished, ToServer
from slipform.runtime.wire import error_to_plain

_log = logging.getLogger(__name__)

# Between two texts of one stream: this much for each stream, and at most so much.
_INTERVAL_PER_STREAM_S = 0.0006
_MAX_INTERVAL_S = 0.08


class _Stream:
    """Messages of one request. `open`: the last one of each sequence, if it is a text that more can be joined to."""

    __slots__ = ("messages", "open")

    def __init__(self) -> None:
        self.messages: list[ToServer] = []
        self.open: dict[int, Delta] = {}


class PendingMessages:
    """Events become messages here and wait for the next frame.

    First texts and ends are due at once. Other texts are due at intervals that grow with the number of streams, and
    until then neighbouring ones of a sequence are joined: many streams cost few frames and few messages.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, _Stream] = {}
        self._begun: set[int] = set()  # streams that have begun and not ended
        self._urgent: set[int] = set()
        self._next_due_s = 0.0

    def add(self, number: int, event: Event) -> None:
        """Note an event of request `number`."""
        stream = self._waiting.get(number)
        if stream is None:
            stream = self._waiting[number] = _Stream()
        if isinstance(event, TextDelta):
            self._add_text(number, stream, event)
        elif isinstance(event, FillFinished):
            stream.open.pop(event.sequence_index, None)
            stream.messages.append(
                Filled(number, event.sequence_index, event.fill_index, event.result, event.prompt_len)
            )
        else:
            stream.messages.append(end_message(number, event))
            self._begun.discard(number)
            self._urgent.add(number)

    def take_due(self, now_s: float) -> list[ToServer]:
        """The messages that are due (`time.monotonic`), each stream's in order."""
        if now_s < self._next_due_s:
            due = [self._waiting.pop(number) for number in self._urgent] if self._urgent else []
        else:
            due = list(self._waiting.values())
            self._waiting.clear()
            if due:
                self._next_due_s = now_s + min(_MAX_INTERVAL_S, _INTERVAL_PER_STREAM_S * len(self._begun))
        self._urgent.clear()
        return [message for stream in due for message in stream.messages]

    def _add_text(self, number: int, stream: _Stream, event: TextDelta) -> None:
        if number not in self._begun:
            self._begun.add(number)
            self._urgent.add(number)
        last = stream.open.get(event.sequence_index)
        if last is not None and last.fill_index == event.fill_index:
            last.text += event.text
            last.token_ids += event.token_ids
            last.logprobs += event.logprobs
            return
        stream.open[event.sequence_index] = delta = Delta(
            number,
            event.sequence_index,
            event.fill_index,
            event.text,
            event.token_ids,
            event.logprobs,
            event.prompt_len,
            event.seam_len,
        )
        stream.messages.append(delta)


def end_message(number: int, event: RequestFinished | RequestFailed) -> ToServer:
    """The last message of a request."""
    if isinstance(event, RequestFinished):
        return Finished(number, event)
    if type(event.error) is SlipformError:  # a defect, which the client is told nothing of
        _log.error("request %s failed", event.request_id, exc_info=event.error)
    return Failed(number, error_to_plain(event.error), event.sequences)
