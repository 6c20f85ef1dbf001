"""Messages between the server and the engine process: msgpack in frames of a four-byte length and a body.

Requests and constraints travel as the plain values of `slipform.runtime.wire`, results as the dataclasses of
`slipform.runtime.request`, which msgspec writes and reads by itself. Nothing that arrives can name code to run.
"""

import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from slipform.runtime.request import FillResult, RequestFinished, SequenceResult, TokenLogprob

_LENGTH = struct.Struct(">I")


class _Message(msgspec.Struct, array_like=True, gc=False):
    pass


# To the engine


class Submit(_Message, tag=1):
    """Start a request under `number`. `stream`: send its text as it comes, not only its end."""

    number: int
    stream: bool
    request: dict[str, Any]


class Abort(_Message, tag=2):
    """End request `number`; unknown numbers are left alone."""

    number: int


class Ask(_Message, tag=3):
    """Answer question `what` in a `Reply`."""

    number: int
    what: str
    argument: Any


# To the server


class EngineInfo(msgspec.Struct, frozen=True):
    """What the server must know of a loaded engine (lengths in tokens).

    Attributes:
        special_tokens: `bos_token`, `eos_token` … as chat templates see them. special_texts: of all special tokens.
        spellings: bytes of each token id; special tokens by their names.
        max_context: longest sequence, prompt and answer together.
    """

    pid: int
    model: str
    device: str
    dtype: str
    chat_template: str | None
    special_tokens: dict[str, str]
    special_texts: list[str]
    spellings: list[bytes]
    eos_ids: list[int]
    vocab_size: int
    max_context: int
    max_sequences: int
    max_n: int
    pool_slots: int


class Hello(_Message, tag=10):
    """The engine is loaded and takes requests."""

    info: EngineInfo


class Refused(_Message, tag=11):
    """The engine cannot be started, now or later: the options or the checkpoint are wrong."""

    error: dict[str, Any]


class Delta(_Message, tag=12):
    """New text of one fill of one sequence."""

    number: int
    sequence_index: int
    fill_index: int
    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[TokenLogprob, ...]
    prompt_len: int
    seam_len: int


class Filled(_Message, tag=13):
    """One fill of one sequence is complete."""

    number: int
    sequence_index: int
    fill_index: int
    result: FillResult
    prompt_len: int


class Finished(_Message, tag=14):
    """The request is over."""

    number: int
    result: RequestFinished


class Failed(_Message, tag=15):
    """The request is over with an error; `sequences` were complete by then."""

    number: int
    error: dict[str, Any]
    sequences: tuple[SequenceResult, ...]


class Reply(_Message, tag=16):
    """The answer to an `Ask`: its value or its error."""

    number: int
    value: Any = None
    error: dict[str, Any] | None = None


ToEngine = Submit | Abort | Ask
ToServer = Hello | Refused | Delta | Filled | Finished | Failed | Reply

_encoder = msgspec.msgpack.Encoder()
_to_engine = msgspec.msgpack.Decoder(list[ToEngine])
_to_server = msgspec.msgpack.Decoder(list[ToServer])


def encode(messages: Sequence[ToEngine] | Sequence[ToServer]) -> bytes:
    """One frame."""
    body = _encoder.encode(messages)
    return _LENGTH.pack(len(body)) + body


def read_frames(connection: socket.socket) -> Iterator[list[ToEngine]]:
    """The engine's side: the messages of each frame, until the server closes the connection."""
    stream = connection.makefile("rb")
    while len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        body = stream.read(length)
        if len(body) < length:
            return
        yield _to_engine.decode(body)


class FrameReader:
    """The server's side: bytes as they come in, messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[ToServer]:
        """The messages of the frames that `data` completes."""
        self._buffer += data
        messages: list[ToServer] = []
        at = 0
        while len(self._buffer) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, at)
            end = at + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            with memoryview(self._buffer) as view:
                messages += _to_server.decode(view[at + _LENGTH.size : end])
            at = end
        del self._buffer[:at]
        return messages
