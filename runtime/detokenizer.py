"""Token bytes to text as they come: right where a character is split over tokens, byte fallback included."""

import codecs

_Decoder = codecs.getincrementaldecoder("utf-8")


class IncrementalDetokenizer:
    """Decodes one stream of token bytes. Bytes that begin a character are kept until it is whole.

    Ill-formed bytes become U+FFFD, as `bytes.decode("utf-8", "replace")` of the whole would have it.
    """

    __slots__ = ("_decoder", "at_border")

    def __init__(self) -> None:
        self._decoder = _Decoder(errors="replace")
        self.at_border = True  # no character is half read

    def push(self, token_bytes: bytes) -> str:
        """The characters that `token_bytes` completes, maybe none."""
        if self.at_border and token_bytes.isascii():
            return token_bytes.decode("ascii")
        text = self._decoder.decode(token_bytes)
        self.at_border = not self._decoder.getstate()[0]
        return text

    def finish(self) -> str:
        """What is left at the end of the stream: U+FFFD for a half-read character, else nothing."""
        text = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        self.at_border = True
        return text
