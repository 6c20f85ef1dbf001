"""The engine's side of the connection: requests in, batched frames of events out.

A reader thread takes frames from the server and submits. The engine thread writes a frame behind a step that left
something to tell: a switch of threads at each step would cost more than the writing, beside a model that uses all
cores.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from slipform.errors import InvalidRequest, SlipformError
from slipform.grammars.compiler import CompiledGrammar
from slipform.runtime.engine import Engine
from slipform.runtime.faults import as_slipform_error
from slipform.runtime.request import Event, GenerateRequest, RequestFailed, RequestFinished, Text
from slipform.runtime.server.frame_writer import FrameWriter
from slipform.runtime.server.frames import (
    Abort,
    Ask,
    EngineInfo,
    Hello,
    Reply,
    Submit,
    ToEngine,
    ToServer,
    encode,
    read_frames,
)
from slipform.runtime.server.pending_messages import PendingMessages, end_message
from slipform.runtime.wire import error_to_plain, request_from_plain, spec_from_plain

_log = logging.getLogger(__name__)

# Texts longer than this are encoded on another thread, so that the requests behind them need not wait.
_LONG_TEXT = 65536


class EngineHost:
    """Serves one engine to one server over a connected socket, until the server closes it."""

    def __init__(self, engine: Engine, connection: socket.socket) -> None:
        self._engine = engine
        self._connection = connection
        self._writer = FrameWriter(connection)
        self._pending = PendingMessages()  # the engine thread's
        self._helpers = ThreadPoolExecutor(2, thread_name_prefix="slipform-host")
        self._embedding = ThreadPoolExecutor(1, thread_name_prefix="slipform-embed")  # others must not wait for it
        self._lock = threading.Lock()
        self._preparing: dict[int, bool] = {}  # long requests being encoded; True: aborted meanwhile
        self._longest_token = max(map(len, engine.tokenizer.vocabulary.token_bytes))

    def run(self) -> None:
        """Serve. Returns when the server is gone; requests in flight are aborted then."""
        self._engine.on_delivered = self._send_due
        self._send([Hello(describe(self._engine))])
        try:
            for messages in read_frames(self._connection):
                for message in messages:
                    self._handle(message)
        except OSError as error:  # the connection broke: the same as closed
            _log.info("the server's connection broke: %s", error)
        finally:
            self._helpers.shutdown(wait=False, cancel_futures=True)
            self._embedding.shutdown(wait=False, cancel_futures=True)
            self._writer.close()

    # From the server

    def _handle(self, message: ToEngine) -> None:
        match message:
            case Submit():
                self._receive(message)
            case Abort(number):
                self._abort(number)
            case Ask(number, what, argument):
                helpers = self._embedding if what == "embed" else self._helpers
                helpers.submit(self._answer, number, what, argument)

    def _receive(self, message: Submit) -> None:
        """Submit a request, on another thread if its text is long."""
        try:
            request = request_from_plain(message.request)
            deltas = message.stream and request.deltas
            request = replace(request, request_id=str(message.number), deltas=deltas)
            length = sum(len(part.text) for part in request.segments if isinstance(part, Text))
            limit = self._engine.limits.max_context
            if length > limit * self._longest_token:  # whatever its tokens are
                raise InvalidRequest(f"{length} characters are more than {limit} tokens can spell", field="prompt")
        except InvalidRequest as error:
            self._refuse(message.number, error)
            return
        if length <= _LONG_TEXT:
            self._submit(message.number, request, message.stream)
            return
        with self._lock:
            self._preparing[message.number] = False
        self._helpers.submit(self._submit_long, message.number, request, message.stream)

    def _submit(self, number: int, request: GenerateRequest, stream: bool) -> None:
        try:
            self._engine.submit(request, self._take if stream else self._take_end)
        except Exception as error:  # whatever is wrong with this request must not end the connection
            self._refuse(number, as_slipform_error(error))

    def _submit_long(self, number: int, request: GenerateRequest, stream: bool) -> None:
        self._submit(number, request, stream)
        with self._lock:
            aborted = self._preparing.pop(number)
        if aborted:
            self._engine.abort(request.request_id)

    def _abort(self, number: int) -> None:
        with self._lock:
            if number in self._preparing:
                self._preparing[number] = True
                return
        self._engine.abort(str(number))

    def _answer(self, number: int, what: str, argument: Any) -> None:
        try:
            if what == "compile":
                future = self._engine.compile(spec_from_plain(argument))
                future.add_done_callback(lambda done: self._reply_compiled(number, done))
                return
            reply = Reply(number, self._value(what, argument))
        except Exception as error:  # the server learns of every failure; none may end this thread
            reply = Reply(number, error=error_to_plain(as_slipform_error(error)))
        self._send([reply])

    def _value(self, what: str, argument: Any) -> Any:
        engine, tokenizer = self._engine, self._engine.tokenizer
        match what:
            case "statistics":
                return asdict(engine.statistics())
            case "flush_cache":
                return engine.flush_cache()
            case "check":
                return engine.check()
            case "encode":
                text, parse_special, at_start = argument
                return tokenizer.encode(text, parse_special=parse_special, at_start=at_start)
            case "decode":
                ids, skip_special_tokens = argument
                return tokenizer.decode(ids, skip_special_tokens=skip_special_tokens)
            case "embed":
                texts, pooling = argument
                return engine.embed(texts, pooling)
            case "match":
                spec, text = argument
                return match_text(engine.compile(spec_from_plain(spec)).result(), text)
            case _:
                raise InvalidRequest(f"the engine does not know the question {what!r}")

    def _reply_compiled(self, number: int, done: "Future[CompiledGrammar]") -> None:
        error = done.exception()
        if error is None:
            self._send([Reply(number, done.result().num_bytes)])
        else:
            self._send([Reply(number, error=error_to_plain(as_slipform_error(error)))])

    # To the server

    def _take(self, event: Event) -> None:
        self._pending.add(int(event.request_id), event)

    def _take_end(self, event: Event) -> None:
        if isinstance(event, RequestFinished | RequestFailed):
            self._pending.add(int(event.request_id), event)

    def _send_due(self) -> None:
        """Behind each step of the engine: one frame with what is due of all requests."""
        if messages := self._pending.take_due(time.monotonic()):
            self._send(messages)

    def _refuse(self, number: int, error: SlipformError) -> None:
        self._send([end_message(number, RequestFailed(str(number), error))])

    def _send(self, messages: Sequence[ToServer]) -> None:
        try:
            self._writer.write(encode(messages))
        except Exception:  # a defect: somebody would never be answered, so the whole host ends
            _log.exception("messages could not be sent")
            self._connection.shutdown(socket.SHUT_RDWR)


def describe(engine: Engine) -> EngineInfo:
    """What the server must know of an engine."""
    tokenizer, config, limits = engine.tokenizer, engine.config, engine.limits
    vocabulary = tokenizer.vocabulary
    spellings = [tokenizer.token_bytes(index, skip_special_tokens=False) for index in range(len(vocabulary))]
    return EngineInfo(
        pid=os.getpid(),
        model=str(config.model),
        device=config.device or "cpu",
        dtype=config.dtype or "float32",
        chat_template=tokenizer.chat_template,
        special_tokens=dict(tokenizer.special_tokens),
        special_texts=[spellings[index].decode("utf-8", "replace") for index in vocabulary.special_ids],
        spellings=spellings,
        eos_ids=list(tokenizer.eos_ids),
        vocab_size=len(vocabulary),
        max_context=min(limits.max_context, limits.num_slots),
        max_sequences=config.max_sequences,
        max_n=limits.max_n,
        pool_slots=limits.num_slots,
    )


def match_text(grammar: CompiledGrammar, text: str) -> dict[str, Any]:
    """How far `text` matches: whole (`matches`), as a beginning (`is_prefix`), and how many bytes were accepted."""
    data = text.encode()
    matcher = grammar.matcher()
    accepted = matcher.accept_bytes(data)
    whole = accepted == len(data)
    return {"matches": whole and matcher.is_accepting, "is_prefix": whole, "accepted_bytes": accepted}
