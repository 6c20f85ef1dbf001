"""What a program sees of its run: the state `s`, and the group of states that `fork` gives.

    s += "Q: " + question            append text and holes
    s["answer"]                      the value of a hole: text, or the typed object of `schema=`
    s.get_text("answer")             the text behind that value
    s.text(), s.messages()           everything so far

Appending is free of cost and of effects; the first look at a value executes what was appended (see strand.py). A look
in an `async def` program is awaited: `await s.aget("answer")`, `await s.atext()`, `await s.async_all()`.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, Protocol, cast, overload

from slipform.errors import ProgramError, VariableError
from slipform.lang import ir, streams
from slipform.lang.arguments import checked
from slipform.lang.branches import ProgramStateGroup
from slipform.lang.calls import make_call, run_calls, run_calls_async
from slipform.lang.choices import TOKEN_LENGTH_NORMALIZED, check_choices
from slipform.lang.distribution import Distribution
from slipform.lang.roles import OPEN, check_content
from slipform.lang.run_trace import RunTrace
from slipform.lang.steps import wait_async
from slipform.lang.tool_styles import CallStyle
from slipform.lang.trace_notebook import notebook_html
from slipform.runtime.request import FillResult


class Machine(Protocol):
    """What stands behind a state: the interpreter, or the recorder of a trace. `*_waits` return what to wait for."""

    failure: BaseException | None
    runs_calls: bool

    def append(self, value: object) -> None: ...
    def contains(self, name: str) -> bool: ...
    def value_waits(self, name: str) -> "list[Future[Any]]": ...
    def value(self, name: str) -> Any: ...
    def variable_text(self, name: str) -> str: ...
    def set_value(self, name: str, value: Any) -> None: ...
    def meta_waits(self, name: str) -> "list[Future[Any]]": ...
    def meta(self, name: str) -> Any: ...
    def fill_results(self, name: str) -> tuple[FillResult, ...]: ...
    def text_waits(self) -> "list[Future[Any]]": ...
    def text(self) -> str: ...
    def message_list(self) -> list[dict[str, str]]: ...
    def run_trace(self) -> RunTrace: ...
    def finish(self) -> "Future[Any]": ...
    def fork(self, size: int) -> "Sequence[Machine]": ...
    def gather(self, branches: Sequence[Any]) -> None: ...
    def concatenate(self, branches: Sequence[Any]) -> None: ...
    def names(self) -> list[str]: ...
    def must_await(self) -> bool: ...
    def call_style(self) -> CallStyle: ...
    def abort(self) -> None: ...


class ProgramState:
    """The state of one program run; the first argument of every program."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.result: Any = None
        """What the program returned."""

    @property
    def machine(self) -> Machine:
        """The interpreter or recorder behind this state."""
        return self._machine

    @property
    def ret_value(self) -> Any:
        """`result`, by SGLang's name."""
        return self.result

    @property
    def call_style(self) -> CallStyle:
        """How the model writes calls of tools here."""
        return self._machine.call_style()

    # Appending

    def __iadd__(self, other: object) -> "ProgramState":
        if isinstance(other, ir.Call) and self._machine.runs_calls:
            if self._machine.must_await():
                raise ProgramError(
                    f"would block the event loop; write `await s.acall({other.name!r}, …)`", primitive="call"
                )
            run_calls(self, other)
        else:
            self._machine.append(other)
        return self

    def _role(self, name: str, expr: object) -> "RoleScope":
        if expr is OPEN:
            return RoleScope(self, name)
        check_content(name, expr)
        origin = ir.caller_origin()
        self._machine.append(ir.concat(ir.RoleBegin(name, origin), expr, ir.RoleEnd(name, origin)))
        return RoleScope(self, name)

    @checked()
    def system(self, expr: object = OPEN) -> "RoleScope":
        """A system message: `s.system(text)`, or `with s.system(): …`."""
        return self._role("system", expr)

    @checked()
    def user(self, expr: object = OPEN) -> "RoleScope":
        """A user message: `s.user(text)`, or `with s.user(): …`."""
        return self._role("user", expr)

    @checked()
    def assistant(self, expr: object = OPEN) -> "RoleScope":
        """An assistant message: `s.assistant(sf.gen("answer"))`, or `with s.assistant(): …`."""
        return self._role("assistant", expr)

    @checked()
    @contextmanager
    def var_scope(self, name: str) -> Iterator["ProgramState"]:
        """The text appended inside the block becomes variable `name`."""
        self._machine.append(ir.ScopeBegin(name))
        yield self
        self._machine.append(ir.ScopeEnd(name))

    # Looking

    def __getitem__(self, name: str) -> Any:
        """The value of variable `name`; waits for it.

        Raises: VariableError when there is no such variable, FillError when its fill failed or cannot be read as its
            type.
        """
        self._wait(self._machine.value_waits(name), f"s[{name!r}]", f"await s.aget({name!r})")
        return self._machine.value(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._machine.set_value(name, value)

    def __contains__(self, name: str) -> bool:
        return self._machine.contains(name)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<ProgramState with {', '.join(self._machine.names()) or 'no variables'}>"

    def get_var(self, name: str) -> Any:
        return self[name]

    def set_var(self, name: str, value: Any) -> None:
        self[name] = value

    def variables(self) -> list[str]:
        """The names of all variables, in the order they were appended."""
        return self._machine.names()

    @checked()
    def get_text(self, name: str) -> str:
        """The text behind a variable, before it became a typed value; the first one where a fill has n > 1."""
        self._wait(self._machine.value_waits(name), f"s.get_text({name!r})", f"await s.aget_text({name!r})")
        return self._machine.variable_text(name)

    @checked()
    def get_meta_info(self, name: str, timeout: float | None = None) -> Any:
        """How a variable was made: a dict with token counts, the finish reason, log-probabilities when asked for, and
        for `select` the distribution over the choices. A list of dicts where the fill has n > 1.

        Raises: TimeoutError after `timeout` seconds.
        """
        self._wait(self._machine.meta_waits(name), f"s.get_meta_info({name!r})", "await s.async_all()", timeout)
        return self._machine.meta(name)

    @checked()
    def get_fills(self, name: str) -> tuple[FillResult, ...]:
        """The fills behind a variable with each token's trace, as the backend returned them."""
        self._wait(self._machine.meta_waits(name), f"s.get_fills({name!r})", "await s.async_all()")
        return self._machine.fill_results(name)

    @property
    def trace(self) -> RunTrace:
        """How the run's text came to be, so far: every segment, every token, the requests and their times. A run with
        `trace=True` notes more of it, one with `trace="full"` all of it. Waits for nothing."""
        return self._machine.run_trace()

    def _repr_html_(self) -> str:
        """For notebooks: the text so far, coloured by where it came from."""
        return notebook_html(self.trace)

    @checked()
    def score(self, choices: "str | Sequence[str]") -> Distribution:
        """How likely the model finds each of `choices` here; nothing is appended. One batch shares what stands before.

        Raises: ArgumentError for choices that are not texts, empty or repeated.
        """
        trial = self._scored(choices)
        return _distribution(trial.get_meta_info(_SCORED))

    async def ascore(self, choices: "str | Sequence[str]") -> Distribution:
        """`score` for async programs."""
        trial = self._scored(choices)
        await trial.async_all()
        return _distribution(trial.get_meta_info(_SCORED))

    def _scored(self, choices: "str | Sequence[str]") -> "ProgramState":
        origin = ir.caller_origin()
        texts = check_choices(
            (choices,) if isinstance(choices, str) else choices, primitive="score", where=ir.at(origin)
        )
        trial = self.copy()
        trial += ir.Select(_SCORED, texts, TOKEN_LENGTH_NORMALIZED, origin=origin)
        return trial

    @checked()
    def text(self) -> str:
        """All text so far, the chat template's included; waits for the holes in it."""
        self._wait(self._machine.text_waits(), "s.text()", "await s.atext()")
        return self._machine.text()

    def messages(self) -> list[dict[str, str]]:
        """The chat messages so far, as `{"role": …, "content": …}`."""
        self._wait(self._machine.text_waits(), "s.messages()", "await s.async_all()")
        return self._machine.message_list()

    def sync(self) -> None:
        """Execute everything appended so far, branches included, and wait for it."""
        self._wait([self._machine.finish()], "s.sync()", "await s.async_all()")

    def error(self) -> BaseException | None:
        """What ended this state early, or None. Looking at a variable of a failed state raises it."""
        return self._machine.failure

    def abort(self) -> None:
        """End what is still running."""
        self._machine.abort()

    # Awaiting

    async def aget(self, name: str) -> Any:
        """`s[name]` for async programs."""
        await _all(self._machine.value_waits(name))
        return self._machine.value(name)

    async def aget_text(self, name: str) -> str:
        await _all(self._machine.value_waits(name))
        return self._machine.variable_text(name)

    async def atext(self) -> str:
        """`s.text()` for async programs."""
        await _all(self._machine.text_waits())
        return self._machine.text()

    async def acall(self, name: str, tools: Sequence[Any], **options: Any) -> Any:
        """`s += sf.call(name, tools, …)` for async programs; returns the answer."""
        node = make_call(name, tools, **options)
        if self._machine.runs_calls:
            await run_calls_async(self, node)
        else:
            self._machine.append(node)
        return await self.aget(name)

    async def async_all(self) -> "ProgramState":
        """`s.sync()` for async programs; afterwards every look at what was appended is immediate."""
        await wait_async(self._machine.finish())
        return self

    # Streaming

    @checked(elsewhere={"var": "var_name"})
    def text_iter(self, var_name: str | None = None) -> Iterator[str]:
        """Text as it arrives: all of it, or one variable's. The pieces concatenate to `text()` or to
        `get_text(var_name)`."""
        return streams.iterate(self._machine, var_name)

    @overload
    def text_async_iter(
        self, var_name: str | None = None, return_meta_data: Literal[False] = False
    ) -> AsyncIterator[str]: ...
    @overload
    def text_async_iter(
        self, var_name: str | None = None, *, return_meta_data: Literal[True]
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]: ...
    def text_async_iter(self, var_name: str | None = None, return_meta_data: bool = False) -> AsyncIterator[Any]:
        """Text as it arrives, on an event loop; with `return_meta_data` (needs a variable) pairs of text and metadata,
        whose `token_ids`, `completion_tokens` and (if asked for) `output_token_logprobs` grow, and whose last entry
        holds all that `get_meta_info` gives."""
        if return_meta_data:
            if var_name is None:
                raise VariableError("return_meta_data needs a variable", primitive="text_async_iter")
            return streams.iterate_with_meta(self._machine, var_name)
        return streams.iterate_async(self._machine, var_name)

    # Branching

    @checked(elsewhere={"n": "size", "num_branches": "size"})
    def fork(self, size: int = 1, position_ids_offset: list[int] | None = None) -> "ProgramStateGroup":
        """`size` states that go on from here and run together; they share the KV of everything before.

        Raises: ProgramError for a size below 1, or for position offsets, which no backend here can apply.
        """
        if not isinstance(size, int) or size < 1:
            raise ProgramError(f"needs at least one branch, got {size!r}{ir.at(ir.caller_origin())}", primitive="fork")
        if position_ids_offset is not None and any(position_ids_offset):
            raise ProgramError(
                f"position_ids_offset={position_ids_offset!r} cannot be applied: branches share the prefix's positions",
                primitive="fork",
            )
        return ProgramStateGroup([ProgramState(machine) for machine in self._machine.fork(size)], self)

    def copy(self) -> "ProgramState":
        """One branch to try something in; this state stays as it is. Also `with s.copy() as trial: …`."""
        return self.fork(1)[0]

    def __enter__(self) -> "ProgramState":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def _wait(self, futures: "list[Future[Any]]", primitive: str, instead: str, timeout: float | None = None) -> None:
        waiting = [future for future in futures if not future.done()]
        if waiting and self._machine.must_await():
            raise ProgramError(f"would block the event loop; write `{instead}`", primitive=primitive)
        for future in futures:
            try:
                future.result(timeout)
            except FutureTimeoutError:
                raise TimeoutError(f"{primitive} was not ready after {timeout} s") from None


class RoleScope:
    """`with s.user(): …` opens a message and closes it."""

    def __init__(self, state: ProgramState, role: str) -> None:
        self._state = state
        self._role = role
        self._origin = ir.caller_origin()

    def __enter__(self) -> ProgramState:
        self._state.machine.append(ir.RoleBegin(self._role, self._origin))
        return self._state

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._state.machine.append(ir.RoleEnd(self._role, self._origin))


_SCORED = "scored"


def _distribution(meta: Any) -> Distribution:
    """In a trace the metadata is a placeholder, and stands for the distribution too."""
    return Distribution.of(meta) if isinstance(meta, dict) else cast("Distribution", meta)


async def _all(futures: "list[Future[Any]]") -> None:
    for future in futures:
        await wait_async(future)
