"""A context made of template markers and words, and the messages that an API wants in its place.

APIs take messages and return text; programs append text between markers. So this backend's template writes markers that
only it knows, its tokens are words, and a context is read back into messages when it is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slipform.errors import BackendError
from slipform.lang.backends.scripted import CHATML, WordTokens
from slipform.lang.chat_template import ChatTemplate
from slipform.runtime.request import Fill, Segment, TokenIds

BEGIN, END = "<|im_start|>", "<|im_end|>"


@dataclass(frozen=True, slots=True)
class Messages:
    """A context with roles. `begun`: what the open assistant message holds already."""

    closed: tuple[dict[str, str], ...]
    begun: str


class Contexts:
    """Encodes contexts and reads them back. Thread-safe."""

    def __init__(self) -> None:
        self.tokens = WordTokens((BEGIN, END))
        self.template = ChatTemplate(CHATML, special_tokens=(BEGIN, END))

    def encode(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        """Ids of everything but the fills."""
        ids: list[int] = []
        for segment in segments:
            if isinstance(segment, TokenIds):
                ids.extend(segment.ids)
            elif not isinstance(segment, Fill):
                ids.extend(self.tokens.encode(segment.text, parse_special=segment.parse_special))
        return tuple(ids)

    def messages(self, ids: Sequence[int]) -> Messages | None:
        """None for a context without roles.

        Raises: BackendError for text outside messages, or a hole in another message than the assistant's.
        """
        parts = self._parts(ids)
        if len(parts) == 1 and not parts[0][0]:
            return None
        closed: list[dict[str, str]] = []
        role = None
        for marker, text in parts:
            if marker == BEGIN:
                role, _, text = text.partition("\n")
                closed.append({"role": role, "content": text})
            elif text.strip():
                raise BackendError(f"text outside roles cannot be sent as messages: {text.strip()[:40]!r}")
            else:
                role = None
        if role != "assistant":
            raise BackendError("an API of messages fills holes in assistant messages only")
        return Messages(tuple(closed[:-1]), closed[-1]["content"])

    def _parts(self, ids: Sequence[int]) -> list[tuple[str, str]]:
        """Pairs of a marker and the text behind it; the first marker is empty."""
        parts: list[tuple[str, list[int]]] = [("", [])]
        for token_id in ids:
            if self.tokens.is_special(token_id):
                parts.append((self.tokens.decode((token_id,)), []))
            else:
                parts[-1][1].append(token_id)
        return [(marker, self.tokens.decode(words)) for marker, words in parts]
