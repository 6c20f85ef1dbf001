"""Several holes of one message on an API that cannot go on inside a message: the model writes all of it, and it is read
against what the program has for it. Messages that do not fit are asked for again, as SGLang's frontend does."""

import json
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from slipform.errors import BackendError
from slipform.lang.backends.openai_answers import Answer
from slipform.lang.backends.openai_context import Contexts, Messages
from slipform.lang.speculation import cut_message
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, FillResult, Segment, Text

Ask = Callable[[list[dict[str, str]], SamplingParams], Awaitable[Answer]]
"""Asks for the message that follows others."""

_NUM_KEPT = 256


@dataclass(frozen=True, slots=True)
class _Written:
    """A message that a model wrote: `begun` is in the program, `rest` is not yet. `is_whole`: the model ended it."""

    begun: str
    rest: str
    is_whole: bool


class MessageFiller:
    """Fills the holes of messages. Thread-safe.

    Args:
        ask: gets a message. attempts: how often a message is asked for that does not fit.
    """

    def __init__(self, contexts: Contexts, ask: Ask, attempts: int) -> None:
        self._contexts = contexts
        self._ask = ask
        self._attempts = attempts
        self._written: OrderedDict[str, _Written] = OrderedDict()
        self._lock = threading.Lock()

    async def fill(self, segments: Sequence[Segment], num_tokens: int) -> tuple[list[FillResult], Answer]:
        """The fills of a request in order, and an answer that holds the tokens they took.

        Args:
            num_tokens: how long a message may become at least.

        Raises: BackendError for a message that did not fit any time.
        """
        context: list[Segment] = []
        results: list[FillResult] = []
        total = Answer()
        position = 0
        while position < len(segments):
            if not isinstance(segments[position], Fill):
                context.append(segments[position])
                position += 1
                continue
            parts = _parts_of_message(segments[position:])
            found = await self._message(context, parts, num_tokens, total)
            filled = iter(found)
            context.extend(part if isinstance(part, Text) else Text(next(filled).text) for part in parts)
            results.extend(found)
            position += len(parts)
        return results, total

    async def _message(
        self, context: Sequence[Segment], parts: Sequence[Text | Fill], num_tokens: int, total: Answer
    ) -> list[FillResult]:
        messages = self._contexts.messages(self._contexts.encode(context))
        if messages is None:
            raise BackendError("takes messages: put the program's text into roles, or use chat=False")
        written = self._kept(messages)
        if written is not None:
            try:
                return self._cut(messages, written, parts)
            except BackendError:
                pass  # the program goes on in another way than the model did
        first = next(part for part in parts if isinstance(part, Fill)).sampling
        sampling = first.replace(stop=(), stop_regex=(), max_tokens=max(first.max_tokens, num_tokens))
        failure = BackendError("attempts must be at least 1")
        for _ in range(self._attempts):
            answer = await self._ask(list(messages.closed), sampling)
            total.prompt_tokens += answer.prompt_tokens
            total.completion_tokens += answer.completion_tokens
            total.cached_tokens += answer.cached_tokens
            try:
                return self._cut(messages, _Written("", answer.text, answer.finish_reason != "length"), parts)
            except BackendError as error:
                failure = error
        raise BackendError(f"{failure}; asked {self._attempts} times for the whole message")

    def _cut(self, messages: Messages, written: _Written, parts: Sequence[Text | Fill]) -> list[FillResult]:
        known = Text(messages.begun.removeprefix(written.begun))
        results, rest = cut_message(written.rest, (known, *parts), self._num_words, is_whole=written.is_whole)
        filled = iter(results)
        more = "".join(part.text if isinstance(part, Text) else next(filled).text for part in parts)
        with self._lock:
            key = _key(messages)
            self._written[key] = _Written(messages.begun + more, rest, written.is_whole)
            self._written.move_to_end(key)
            if len(self._written) > _NUM_KEPT:
                self._written.popitem(last=False)
        return [
            replace(result, token_ids=ids, num_sampled=len(ids))
            for result in results
            for ids in [self._contexts.tokens.encode(result.text)]
        ]

    def _kept(self, messages: Messages) -> _Written | None:
        """What was written of this message earlier, as far as the program agrees with it."""
        with self._lock:
            written = self._written.get(_key(messages))
        return written if written is not None and messages.begun.startswith(written.begun) else None

    def _num_words(self, text: str) -> int:
        return len(self._contexts.tokens.encode(text))


def _parts_of_message(segments: Sequence[Segment]) -> list[Text | Fill]:
    """The text and the holes up to the end of the message, or to the last hole in it."""
    parts: list[Text | Fill] = []
    for segment in segments:
        if not isinstance(segment, Text | Fill) or (isinstance(segment, Text) and segment.parse_special):
            break
        parts.append(segment)
    while isinstance(parts[-1], Text):
        parts.pop()
    return parts


def _key(messages: Messages) -> str:
    return json.dumps(messages.closed)
