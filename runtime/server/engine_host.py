"""The engine's side of the connection: requests in, batched frames of events out.

Three threads share the work. The reader takes frames from the server and submits. The engine thread appends events to
a queue and goes on. The writer turns them into frames: at once where a client waits for them (a first text, an end),
else at intervals that grow with the number of streams, so that many streams cost few frames and few messages.
"""

import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from slipform.errors import InvalidRequest, SlipformError
from slipform.grammars.compiler import CompiledGrammar
from slipform.runtime.embedder import Embedder
from slipform.runtime.engine import Engine
from slipform.runtime.faults import as_slipform_error
from slipform.runtime.request import (
    Event,
    FillFinished,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    Text,
    TextDelta,
)
from slipform.runtime.server.frames import (
    Abort,
    Ask,
    Delta,
    EngineInfo,
    Failed,
    Filled,
    Finished,
    Hello,
    Reply,
    Submit,
    ToEngine,
    ToServer,
    encode,
    read_frames,
)
from slipform.runtime.wire import error_to_plain, request_from_plain, spec_from_plain

_log = logging.getLogger(__name__)

# Between two texts of one stream: this much for each stream, and at most so much.
_INTERVAL_PER_STREAM_S = 0.0003
_MAX_INTERVAL_S = 0.04
# Texts longer than this are encoded on another thread, so that the requests behind them need not wait.
_LONG_TEXT = 65536


class EngineHost:
    """Serves one engine to one server over a connected socket, until the server closes it."""

    def __init__(self, engine: Engine, connection: socket.socket) -> None:
        self._engine = engine
        self._connection = connection
        self._outbox: deque[tuple[int, Event | Reply]] = deque()
        self._wakeup = threading.Event()
        self._helpers = ThreadPoolExecutor(2, thread_name_prefix="slipform-host")
        self._embedder = Embedder(engine.config.model)
        self._embedding = ThreadPoolExecutor(1, thread_name_prefix="slipform-embed")  # others must not wait for it
        self._lock = threading.Lock()
        self._preparing: dict[int, bool] = {}  # long requests being encoded; True: aborted meanwhile
        self._longest_token = max(map(len, engine.tokenizer.vocabulary.token_bytes))
        self._closing = False

    def run(self) -> None:
        """Serve. Returns when the server is gone; requests in flight are aborted then."""
        self._send([Hello(describe(self._engine))])
        writer = threading.Thread(target=self._write, name="slipform-writer", daemon=True)
        writer.start()
        try:
            for messages in read_frames(self._connection):
                for message in messages:
                    self._handle(message)
        except OSError as error:  # the connection broke: the same as closed
            _log.info("the server's connection broke: %s", error)
        finally:
            self._closing = True
            self._wakeup.set()
            self._helpers.shutdown(wait=False, cancel_futures=True)
            self._embedding.shutdown(wait=False, cancel_futures=True)
            writer.join(5)

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
            request = replace(request_from_plain(message.request), request_id=str(message.number))
            length = sum(len(part.text) for part in request.segments if isinstance(part, Text))
            limit = self._engine.limits.max_context
            if length > limit * self._longest_token:  # whatever its tokens are
                raise InvalidRequest(f"{length} characters are more than {limit} tokens can spell", field="prompt")
        except InvalidRequest as error:
            self._put(message.number, RequestFailed(str(message.number), error))
            return
        if length <= _LONG_TEXT:
            self._submit(message.number, request, message.stream)
            return
        with self._lock:
            self._preparing[message.number] = False
        self._helpers.submit(self._submit_long, message.number, request, message.stream)

    def _submit(self, number: int, request: GenerateRequest, stream: bool) -> None:
        deliver = self._put if stream else self._put_end
        try:
            self._engine.submit(request, lambda event: deliver(number, event))
        except Exception as error:  # whatever is wrong with this request must not end the connection
            self._put(number, RequestFailed(request.request_id, as_slipform_error(error)))

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
        self._put(number, reply)

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
                return self._embedder.embed(texts, pooling)
            case "match":
                spec, text = argument
                return match_text(engine.compile(spec_from_plain(spec)).result(), text)
            case _:
                raise InvalidRequest(f"the engine does not know the question {what!r}")

    def _reply_compiled(self, number: int, done: "Future[CompiledGrammar]") -> None:
        error = done.exception()
        if error is None:
            self._put(number, Reply(number, done.result().num_bytes))
        else:
            self._put(number, Reply(number, error=error_to_plain(as_slipform_error(error))))

    # To the server

    def _put(self, number: int, event: "Event | Reply") -> None:
        self._outbox.append((number, event))
        if not self._wakeup.is_set():
            self._wakeup.set()

    def _put_end(self, number: int, event: Event) -> None:
        if isinstance(event, RequestFinished | RequestFailed):
            self._put(number, event)

    def _write(self) -> None:
        pending = _Pending()
        next_flush_s = 0.0
        try:
            while not self._closing:
                self._wakeup.wait(max(0.0, next_flush_s - time.monotonic()) if pending.has_texts else None)
                self._wakeup.clear()
                while self._outbox:
                    pending.add(*self._outbox.popleft())
                messages = pending.take_urgent()
                now = time.monotonic()
                if pending.has_texts and now >= next_flush_s:
                    messages += pending.take_all()
                    next_flush_s = now + min(_MAX_INTERVAL_S, _INTERVAL_PER_STREAM_S * pending.num_streams)
                if messages:
                    self._send(messages)
        except OSError as error:  # the reader notices the same and ends the host
            _log.info("the server's connection broke: %s", error)
        except Exception:  # a defect: without a writer nobody would be answered, so the whole host ends
            _log.exception("the writer failed")
            self._connection.shutdown(socket.SHUT_RDWR)

    def _send(self, messages: Sequence[ToServer]) -> None:
        self._connection.sendall(encode(messages))


class _Pending:
    """Messages on their way out: neighbouring texts of a stream joined, ends and first texts to the front."""

    def __init__(self) -> None:
        self._by_stream: dict[int, list[ToServer]] = {}
        self._streams: set[int] = set()
        self._urgent: set[int] = set()

    @property
    def has_texts(self) -> bool:
        """Whether something waits that is not urgent."""
        return bool(self._by_stream)

    @property
    def num_streams(self) -> int:
        """Streams that have begun and not ended."""
        return len(self._streams)

    def add(self, number: int, event: "Event | Reply") -> None:
        messages = self._by_stream.setdefault(number, [])
        match event:
            case TextDelta():
                if number not in self._streams:
                    self._streams.add(number)
                    self._urgent.add(number)
                last = messages[-1] if messages else None
                place = (event.sequence_index, event.fill_index)
                text, ids, logprobs = event.text, event.token_ids, event.logprobs
                if isinstance(last, Delta) and (last.sequence_index, last.fill_index) == place:
                    messages.pop()
                    text, ids, logprobs = last.text + text, last.token_ids + ids, last.logprobs + logprobs
                messages.append(Delta(number, *place, text, ids, logprobs, event.prompt_len, event.seam_len))
            case FillFinished():
                place = (event.sequence_index, event.fill_index)
                messages.append(Filled(number, *place, event.result, event.prompt_len))
            case RequestFinished():
                self._end(number, messages, Finished(number, event))
            case RequestFailed():
                if type(event.error) is SlipformError:  # a defect, which the client is told nothing of
                    _log.error("request %s failed", event.request_id, exc_info=event.error)
                self._end(number, messages, Failed(number, error_to_plain(event.error), event.sequences))
            case Reply():
                self._end(number, messages, event)

    def take_urgent(self) -> list[ToServer]:
        taken = [message for number in self._urgent for message in self._by_stream.pop(number)]
        self._urgent.clear()
        return taken

    def take_all(self) -> list[ToServer]:
        taken = [message for messages in self._by_stream.values() for message in messages]
        self._by_stream.clear()
        return taken

    def _end(self, number: int, messages: list[ToServer], message: ToServer) -> None:
        messages.append(message)
        self._streams.discard(number)
        self._urgent.add(number)


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
