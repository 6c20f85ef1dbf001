"""A program: a decorated function, and the ways to run it."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Literal, overload

from slipform.errors import ArgumentError, InvalidRequest, ProgramError, RowError
from slipform.lang import batch
from slipform.lang.arguments import misfit, unknown_keyword
from slipform.lang.backend import Backend
from slipform.lang.compiled import CompiledProgram
from slipform.lang.config import global_config, resolve_backend
from slipform.lang.faults import as_fill_error
from slipform.lang.ids import RequestIds
from slipform.lang.interpreter import Interpreter
from slipform.lang.ir import Concat, at, caller_origin, function_origin
from slipform.lang.options import RUN_OPTIONS, SamplingOptions
from slipform.lang.plan import Plan, make_plan
from slipform.lang.rows import Row, UnreadableRow
from slipform.lang.run import Run, Stream
from slipform.lang.session import Session
from slipform.lang.state import ProgramState
from slipform.lang.tool_styles import call_style
from slipform.lang.tracer import Trace, active_trace, trace_program


class Program:
    """A function with holes. Make one with `@sf.function`.

    Every way to run it takes the function's own arguments, and beside them:

        max_new_tokens, stop, temperature, top_p, seed …   defaults that each `gen` may override; a parameter of the
                        function that has such a name is the function's
        backend         what runs it; without one, the default backend, and without that the embedded model
        fuse            False sends one request a fill; the text is the same
        trace           True notes when and how each token came to be, "full" also how likely it was and what else might
                        have stood there; see `state.trace`

    Attributes:
        func: the function. name: its name, which errors and requests bear. parameters: of the function, without s.
        bound_args, bound_kwargs: arguments fixed by `bind`.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        *,
        num_api_spec_tokens: int | None = None,
        bound_args: tuple[Any, ...] = (),
        bound_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        parameters = list(inspect.signature(func).parameters)
        if not parameters or parameters[0] != "s":
            raise ProgramError(
                f"the first parameter must be the state, named s; found {parameters[0] if parameters else 'none'}",
                program=func.__name__,
            )
        functools.update_wrapper(self, func)
        self.func = func
        self.parameters = tuple(parameters[1:])
        # A parameter of the function's own wins over a run option of that name.
        self._run_options = RUN_OPTIONS.difference(parameters)
        self.name = func.__name__
        self.is_async = inspect.iscoroutinefunction(func)
        self.num_api_spec_tokens = num_api_spec_tokens
        self.bound_args = bound_args
        self.bound_kwargs = dict(bound_kwargs or {})

    def __repr__(self) -> str:
        return f"<Program {self.name}>"

    def bind(self, *args: Any, **kwargs: Any) -> "Program":
        """The same program with some arguments fixed."""
        return Program(
            self.func,
            num_api_spec_tokens=self.num_api_spec_tokens,
            bound_args=(*self.bound_args, *args),
            bound_kwargs={**self.bound_kwargs, **kwargs},
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """With a state as first argument: go on in that state, as part of its program (an async program gives an
        awaitable). Otherwise `run`; inside a trace, a trace of this program."""
        if args and isinstance(args[0], ProgramState):
            return self.func(args[0], *self.bound_args, *args[1:], **{**self.bound_kwargs, **kwargs})
        recorder = active_trace()
        if recorder is not None:
            state = ProgramState(recorder)
            values = {key: value for key, value in kwargs.items() if key not in self._run_options}
            state.result = self.func(state, *self.bound_args, *args, **{**self.bound_kwargs, **values})
            return state
        return self.run(*args, **kwargs)

    # Running one

    def run(
        self,
        *args: Any,
        stream: bool = False,
        backend: object | None = None,
        use_thread: bool = True,
        fuse: bool = True,
        **kwargs: Any,
    ) -> ProgramState:
        """Run once and wait. With `stream=True` return at once; read the state's `text_iter`.

        Raises: what the program raises; FillError, RoleError, VariableError and others of `ProgramError` naming the
        program, the primitive and the value. With `stream=True` the reads raise them.
        `use_thread` is accepted for programs written for SGLang; no thread is used either way.
        """
        run = self._make_run(args, kwargs, backend, fuse)
        if stream:
            return run.run_in_background()
        if self.is_async:
            self._refuse_inside_a_loop("run", "arun")
            return asyncio.run(run.arun())
        return run.run()

    async def arun(self, *args: Any, backend: object | None = None, fuse: bool = True, **kwargs: Any) -> ProgramState:
        """`run` on an event loop. An `async def` program runs on the loop itself; another one's body on a thread."""
        return await self._make_run(args, kwargs, backend, fuse).arun()

    def stream(
        self, *args: Any, var: str | None = None, backend: object | None = None, fuse: bool = True, **kwargs: Any
    ) -> Stream:
        """Run once, and yield what arrives, with `for` or `async for`.

        Without `var`, the whole text in pieces. With it, the text of that variable in pieces; or, for a hole with
        `schema=`, `Partial`s: the typed value as far as it has been written, and the parts that were just finished.
        Leaving the loop, or closing the stream, ends the run; `stream.state` is its state.
        """
        return Stream(self._make_run(args, kwargs, backend, fuse), var)

    def astream(
        self, *args: Any, var: str | None = None, backend: object | None = None, fuse: bool = True, **kwargs: Any
    ) -> Stream:
        """`stream`, by another name."""
        return self.stream(*args, var=var, backend=backend, fuse=fuse, **kwargs)

    # Running many

    @overload
    def run_batch(
        self,
        batch_kwargs: Sequence[Mapping[str, Any] | Sequence[Any]],
        *,
        num_threads: int | Literal["auto"] = "auto",
        progress_bar: bool = False,
        generator_style: Literal[False] = False,
        retries: int = 0,
        backend: object | None = None,
        fuse: bool = True,
        **options: Any,
    ) -> list[ProgramState]: ...
    @overload
    def run_batch(
        self,
        batch_kwargs: Sequence[Mapping[str, Any] | Sequence[Any]],
        *,
        num_threads: int | Literal["auto"] = "auto",
        progress_bar: bool = False,
        generator_style: bool,
        retries: int = 0,
        backend: object | None = None,
        fuse: bool = True,
        **options: Any,
    ) -> Any: ...
    def run_batch(
        self,
        batch_kwargs: Sequence[Mapping[str, Any] | Sequence[Any]],
        *,
        num_threads: int | Literal["auto"] = "auto",
        progress_bar: bool = False,
        generator_style: bool = False,
        retries: int = 0,
        backend: object | None = None,
        fuse: bool = True,
        **options: Any,
    ) -> Any:
        """Run once for each row and return the states in the order of the rows.

        A row is a dict of arguments, or a tuple of them. The constant beginning of the program is computed once, ahead;
        the constraints are compiled before the first row. A row that fails harms no other: its state's `error()` is
        what it failed with, and looking at what it did not get to raises that.

        Args:
            num_threads: rows in flight at once; "auto" is 128. A row whose program only waits for the model holds no
                thread.
            progress_bar: show progress on the terminal. generator_style: return an iterator, which runs rows as it is
                read.
            retries: how often a row is begun anew that fails for a passing reason, after growing pauses.
            options: sampling defaults, as for `run`.
        """
        rows = list(batch.check_rows(batch_kwargs, self.name))
        policy = batch.policy_of(num_threads, retries=retries)
        sampling = self.check_options(options, "run_batch")
        finished = self._iterate(rows, rows, policy, resolve_backend(backend), sampling, fuse)
        if progress_bar:
            finished = batch.with_progress(finished, len(rows), self.name)
        states = (state for _, state in finished)
        return states if generator_style else list(states)

    def iter_batch(
        self,
        rows: Iterable[Row],
        *,
        num_threads: int | Literal["auto"] = "auto",
        ordered: bool = True,
        retries: int = 0,
        backend: object | None = None,
        fuse: bool = True,
        **options: Any,
    ) -> Iterator[tuple[int, ProgramState]]:
        """`run_batch` for any number of rows: takes rows one by one as the iterator is read, and yields pairs of a
        row's index and its state.

        Args:
            ordered: in the order of the rows; otherwise as they finish.
            retries: how often a row is begun anew that fails for a passing reason (no room, a deadline, a server that
                is away), after growing pauses.
        """
        policy = batch.policy_of(num_threads, ordered=ordered, retries=retries)
        sampling = self.check_options(options, "iter_batch")
        resolved = resolve_backend(backend)
        checked = batch.check_rows(rows, self.name)
        first = list(islice(checked, 2))
        # What two rows share may differ in the third, so that no argument counts as constant.
        return self._iterate(chain(first, checked), [{}] * len(first), policy, resolved, sampling, fuse)

    def _iterate(
        self,
        rows: Iterable[Row],
        alike: Sequence[Row],
        policy: batch.Policy,
        backend: Backend,
        options: SamplingOptions,
        fuse: bool,
    ) -> Iterator[tuple[int, ProgramState]]:
        """`alike`: rows whose shared arguments count as constant."""
        self._warm(backend, alike)
        runs = (functools.partial(self._row_run, row, backend, options, fuse) for row in rows)
        return batch.iterate_on_loop(runs, policy) if self.is_async else batch.iterate(runs, policy)

    async def arun_batch(
        self,
        batch_kwargs: Sequence[Mapping[str, Any] | Sequence[Any]],
        *,
        num_threads: int | Literal["auto"] = "auto",
        retries: int = 0,
        backend: object | None = None,
        fuse: bool = True,
        **options: Any,
    ) -> list[ProgramState]:
        """`run_batch` on an event loop."""
        rows = list(batch.check_rows(batch_kwargs, self.name))
        sampling = self.check_options(options, "arun_batch")
        resolved = resolve_backend(backend)
        await asyncio.to_thread(self._warm, resolved, rows)
        runs = (functools.partial(self._row_run, row, resolved, sampling, fuse) for row in rows)
        policy = batch.policy_of(num_threads, retries=retries)
        return [state async for _, state in batch.iterate_async(runs, policy)]

    # Looking at it

    def trace(self, *args: Any, backend: object | None = None, **kwargs: Any) -> Trace:
        """The program's nodes, learnt by running it on placeholders for all arguments that are not given.

        The trace ends where the program decides by a value. `backend` is accepted for programs written for SGLang.
        Raises: what the program raises, for example PlaceholderError (a TypeError) for an f-string of an argument.
        """
        values = {key: value for key, value in kwargs.items() if key not in self._run_options}
        given = (*self.bound_args, *args), {**self.bound_kwargs, **values}
        message = misfit(self._optional_signature(), (None, *given[0]), given[1])
        if message is not None:
            raise ArgumentError(f"{message}{at(caller_origin())}", program=self.name, primitive="arguments")
        return trace_program(self.func, self.name, *given, strict=True)

    def plan(self, *args: Any, fuse: bool = True, **kwargs: Any) -> Plan:
        """What a run will send and where Python decides; `print` it."""
        return make_plan(self.trace(*args, **kwargs), fuse=fuse)

    def compile(self, *args: Any, backend: object | None = None, fuse: bool = True, **kwargs: Any) -> "CompiledProgram":
        """Make the program ready to run on a backend: its plan, all its constraints compiled, its prefix warm.

        Arguments given here are bound, so that text made of them counts as constant. Where the program decides by a
        value, the plan ends and says so; runs go on from there as always.

        Raises: ConstraintError and its kinds, naming the hole and its line; what the program raises on placeholders.
        """
        bound = self.bind(*args, **kwargs)
        return CompiledProgram(bound, resolve_backend(backend), bound.trace(), fuse=fuse)

    def cache(self, backend: object | None = None) -> None:
        """Compute the constant beginning of the program, so that later runs find it in the prefix cache."""
        self.warm_prefix(resolve_backend(backend), self._loose_trace({}))

    # Inside

    def _optional_signature(self) -> inspect.Signature:
        """The function's, with a default for each parameter: what is not given is a placeholder."""
        parameters = [
            parameter.replace(default=None)
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY, parameter.POSITIONAL_ONLY)
            else parameter
            for parameter in inspect.signature(self.func).parameters.values()
        ]
        return inspect.Signature(parameters)

    def _refuse_inside_a_loop(self, method: str, instead: str) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        raise ProgramError(
            f"an async program cannot start a second event loop here; write `await program.{instead}(…)`",
            program=self.name,
            primitive=method,
        )

    def refusal(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ArgumentError | None:
        """What a run with these arguments fails with: the error names one that is missing or unknown beside the bound
        ones, and the line of the call. None if they fit."""
        known = self._run_options | {"backend", "fuse"}
        whole = {**self.bound_kwargs, **kwargs}
        message = misfit(inspect.signature(self.func), (None, *self.bound_args, *args), whole, options=known)
        if message is None:
            return None
        where = at(caller_origin() or function_origin(self.func))
        return ArgumentError(f"{message}{where}", program=self.name, primitive="arguments")

    def check_options(self, options: Mapping[str, Any], method: str) -> SamplingOptions:
        """The sampling options of a batch, whose rows hold the arguments. Raises: ArgumentError naming one that is
        wrong, or that neither `method` nor a run has."""
        rest = dict(options)
        sampling = self._options(rest)
        if rest:
            known = {*self._run_options, *inspect.signature(getattr(self, method)).parameters} - {"options"}
            message = unknown_keyword(next(iter(rest)), known, dict.fromkeys(self.parameters, "a key of each row"))
            raise ArgumentError(f"{message}{at(caller_origin())}", program=self.name, primitive=method)
        return sampling

    def _options(self, kwargs: dict[str, Any]) -> SamplingOptions:
        """Take the run's sampling options out of `kwargs`. Raises: FillError naming one that is wrong."""
        values = {key: kwargs.pop(key) for key in list(kwargs) if key in self._run_options}
        new_tokens = values.pop("max_new_tokens", None)
        if new_tokens is not None:
            values["max_tokens"] = new_tokens
        try:
            return SamplingOptions.of(values)
        except (InvalidRequest, TypeError, ValueError) as error:
            raise ArgumentError(f"{error}{at(caller_origin())}", program=self.name, primitive="run") from error

    def _make_run(self, args: Sequence[Any], kwargs: dict[str, Any], backend: object | None, fuse: bool) -> Run:
        options = self._options(kwargs)
        # Before a model is loaded for a call that cannot run.
        refused = self.refusal(args, kwargs)
        if refused is not None:
            raise refused
        return Run(self, args, kwargs, backend=resolve_backend(backend), options=options, fuse=fuse)

    def _row_run(self, row: Row, backend: Backend, options: SamplingOptions, fuse: bool) -> Run:
        """A row of a batch. Nobody reads its text as it is written, unless its body does."""
        args: tuple[Any, ...] = ()
        kwargs: Mapping[str, Any] = {}
        refused: ProgramError | None = None
        if isinstance(row, UnreadableRow):
            refused = RowError(row.reason, program=self.name, primitive="rows")
        else:
            args, kwargs = ((), row) if isinstance(row, Mapping) else (tuple(row), {})
            refused = self.refusal(args, kwargs)
        run = Run(self, args, kwargs, backend=backend, options=options, fuse=fuse, refused=refused)
        run.session.shows_text = False
        return run

    def _warm(self, backend: Backend, rows: Sequence[Row]) -> None:
        """Compile the constraints and compute the constant prefix ahead of a batch. Raises: FillError for a constraint
        that cannot be honoured, before any row runs."""
        if len(rows) < 2 or not global_config.enable_precache_with_tracing:
            return
        trace = self._loose_trace(_shared_arguments(rows))
        try:
            backend.prepare(make_plan(trace, style=call_style(backend.chat_template)).constraints)
        except InvalidRequest as error:
            raise as_fill_error(error, program=self.name, primitive="constraint") from error
        self.warm_prefix(backend, trace)

    def _loose_trace(self, values: Mapping[str, Any]) -> Trace:
        return trace_program(self.func, self.name, self.bound_args, {**self.bound_kwargs, **values}, strict=False)

    def warm_prefix(self, backend: Backend, trace: Trace) -> tuple[int, ...]:
        """Compute the constant beginning of the program, if it is worth a request; returns its tokens, or none."""
        session = Session(backend, self.name, ids=RequestIds(f"{self.name}-prefix"))
        machine = Interpreter(session, SamplingOptions())
        machine.append(Concat(trace.constant_prefix()))
        machine.warm().result()
        return machine.strand.warmed_ids


def _shared_arguments(rows: Sequence[Row]) -> dict[str, Any]:
    """Arguments that all rows give the same object or an equal text for."""
    first = rows[0]
    if not isinstance(first, Mapping):
        return {}
    return {
        name: value
        for name, value in first.items()
        if all(
            isinstance(row, Mapping)
            and name in row
            and (row[name] is value or (isinstance(value, str) and row[name] == value))
            for row in rows
        )
    }
