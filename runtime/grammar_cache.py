"""Constraints compiled off the engine thread, and kept."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from slipform.errors import GrammarTimeout
from slipform.grammars.compiler import CompiledGrammar, compile_grammar
from slipform.grammars.compiler import GrammarCache as CompiledCache
from slipform.grammars.limits import CancelToken, Limits
from slipform.grammars.spec import GrammarSpec
from slipform.grammars.vocabulary import Vocabulary
from slipform.runtime.compile_pace import CompilePace, PacedCompilation


@dataclass(slots=True, eq=False)
class _Compilation:
    """One that is under way. `num_waiting`: requests that wait for it; `is_kept`: somebody wants it in any case."""

    num_waiting: int = 0
    is_kept: bool = False
    is_abandoned: bool = False
    token: CancelToken | None = None
    future: "Future[CompiledGrammar]" = field(default_factory=Future)


class GrammarCache:
    """Compiles constraints on its own threads and keeps the results, least recently used ones first to go.

    Args:
        capacity: results kept. is_busy: whether sequences run, which compiling must not hold up (see `CompilePace`).
    """

    def __init__(
        self, vocabulary: Vocabulary, *, threads: int, capacity: int, is_busy: Callable[[], bool] = lambda: False
    ) -> None:
        self._vocabulary = vocabulary
        self._capacity = capacity
        # Its own cache and not the process's, so that the bound holds for what this engine keeps.
        self._compiled = CompiledCache(capacity)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="slipform-compile")
        self._pace = CompilePace(is_busy)
        self._lock = threading.Lock()
        self._futures: OrderedDict[GrammarSpec, Future[CompiledGrammar]] = OrderedDict()
        self._under_way: dict[GrammarSpec, _Compilation] = {}
        self.num_hits = 0
        self.num_misses = 0
        self.num_cancelled = 0
        self.compile_s = 0.0

    @property
    def num_bytes(self) -> int:
        """Memory of the automata that are kept."""
        return self._compiled.num_bytes

    def compile(self, spec: GrammarSpec, *, for_request: bool = False) -> "Future[CompiledGrammar]":
        """The compiled constraint, now or later. Its exception is a GrammarError saying why it cannot be honoured.

        Args:
            for_request: only one request wants it, which may `abandon` it.
        """
        with self._lock:
            future = self._futures.get(spec)
            if future is None:
                self.num_misses += 1
                compilation = self._under_way[spec] = _Compilation()
                future = self._futures[spec] = compilation.future
                self._executor.submit(self._compile, spec, compilation)
                if len(self._futures) > self._capacity:
                    self._futures.popitem(last=False)
            else:
                self.num_hits += 1
                self._futures.move_to_end(spec)
            waited_for = self._under_way.get(spec)
            if waited_for is not None:
                waited_for.num_waiting += for_request
                waited_for.is_kept = waited_for.is_kept or not for_request
            return future

    def abandon(self, spec: GrammarSpec) -> None:
        """A request that asked `for_request` waits no longer; the compilation ends if nobody else wants it."""
        with self._lock:
            compilation = self._under_way.get(spec)
            if compilation is None:
                return
            compilation.num_waiting -= 1
            if compilation.num_waiting or compilation.is_kept:
                return
            compilation.is_abandoned = True
            if compilation.token is not None:
                compilation.token.cancel()
            del self._under_way[spec]
            if self._futures.get(spec) is compilation.future:
                del self._futures[spec]
            self.num_cancelled += 1

    def close(self) -> None:
        """Drop what waits for compilation, and end what is being compiled."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for compilation in self._under_way.values():
                compilation.is_abandoned = True
                if compilation.token is not None:
                    compilation.token.cancel()

    def _compile(self, spec: GrammarSpec, compilation: _Compilation) -> None:
        with self._lock:
            token = compilation.token = PacedCompilation(self._pace)
            if compilation.is_abandoned:
                token.cancel()
        begin_s = time.perf_counter()
        result: CompiledGrammar | BaseException
        try:
            if token.cancelled:
                raise GrammarTimeout(Limits().seconds, cancelled=True)
            result = compile_grammar(spec, self._vocabulary, cancel=token, cache=self._compiled)
        except BaseException as error:  # whatever it is, it is the answer to those who wait
            result = error
        with self._lock:
            self.compile_s += time.perf_counter() - begin_s
            if self._under_way.get(spec) is compilation:
                del self._under_way[spec]
        if isinstance(result, BaseException):
            compilation.future.set_exception(result)
        else:
            compilation.future.set_result(result)
