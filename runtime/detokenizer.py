"""Token bytes to text as they come: right where a character is split over tokens, byte fallback included."""

import codecs


class IncrementalDetokenizer:
    """Decodes one stream of token bytes. Bytes that begin a character are kept until it is whole.

    Ill-formed bytes become U+FFFD, as `bytes.decode("utf-8", "replace")` of the whole would have it.
    """

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token_bytes: bytes) -> str:
        """The characters that `token_bytes` completes, maybe none."""
        return self._decoder.decode(token_bytes)

    @property
    def at_border(self) -> bool:
        """True if no character is half read."""
        return not self._decoder.getstate()[0]

    def finish(self) -> str:
        """What is left at the end of the stream: U+FFFD for a half-read character, else nothing."""
        text = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return text
