"""What a program sees of its run: looks, fusion, forks, scopes, streams, errors."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import slipform as sf
from slipform.errors import FillError, ProgramError, VariableError
from slipform.lang.backend import Call, Listener
from slipform.runtime.request import Fill, GenerateRequest, RequestFailed, Text, TokenIds

ANSWERS = {"a": "A1", "b": "B2", "c": "C3"}


@sf.function
def straight(s: sf.ProgramState, question: str) -> None:
    s += "Q: " + question + "\n"
    s += "a=" + sf.gen("a") + ", b=" + sf.gen("b")
    s += ", c=" + sf.gen("c", stop="\n") + "!"


def test_a_straight_line_is_one_request() -> None:
    backend = sf.ScriptedBackend(ANSWERS)
    state = straight.run(question="x", backend=backend)
    assert len(backend.requests) == 1
    assert state.text() == "Q: x\na=A1, b=B2, c=C3!"
    assert (state["a"], state["b"], state["c"]) == ("A1", "B2", "C3")


def test_unfused_sends_one_request_a_fill_and_gives_the_same() -> None:
    fused, unfused = sf.ScriptedBackend(ANSWERS), sf.ScriptedBackend(ANSWERS)
    first = straight.run(question="x", backend=fused)
    second = straight.run(question="x", backend=unfused, fuse=False)
    assert first.text() == second.text()
    assert len(unfused.requests) == 3
    # The context is continued as token ids, so nothing is encoded twice.
    assert [type(segment) for segment in unfused.requests[1].segments] == [TokenIds, Text, Fill]


def test_fewer_prompt_tokens_than_step_by_step() -> None:
    def prompt_tokens(backend: sf.ScriptedBackend) -> int:
        return sum(
            len(segment.ids if isinstance(segment, TokenIds) else backend.encode(segment.text))
            for request in backend.requests
            for segment in request.segments
            if not isinstance(segment, Fill)
        )

    fused, unfused = sf.ScriptedBackend(ANSWERS), sf.ScriptedBackend(ANSWERS)
    straight.run(question="x", backend=fused)
    straight.run(question="x", backend=unfused, fuse=False)
    assert prompt_tokens(fused) < prompt_tokens(unfused)


def test_a_look_executes_what_was_appended_and_no_more() -> None:
    seen: list[int] = []
    backend = sf.ScriptedBackend({"tool": "calculator", "sum": "4", "page": "P"})

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "I need a " + sf.gen("tool") + ". "
        seen.append(len(backend.requests))
        if s["tool"] == "calculator":
            seen.append(len(backend.requests))
            s += "2+2=" + sf.gen("sum")
        else:
            s += "See " + sf.gen("page")

    state = program.run(backend=backend)
    assert seen == [0, 1]
    assert state.text() == "I need a calculator. 2+2=4"
    assert "page" not in state
    assert state.variables() == ["tool", "sum"]


def test_results_feed_python_and_come_back() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> str:
        s += "2+2=" + sf.gen("expression")
        s += " is " + str(int(s["expression"]) * 2)
        return s["expression"]

    state = program.run(backend=sf.ScriptedBackend({"expression": "4"}))
    assert state.text() == "2+2=4 is 8"
    assert state.result == "4"
    assert str(state) == state.text()


def test_variables_can_be_set_and_tested() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")
        s.set_var("n", 3)
        s["m"] = 4

    state = program.run(backend=sf.ScriptedBackend(ANSWERS))
    assert (state["n"], state.get_var("m"), state.get_var("a")) == (3, 4, "A1")
    assert "n" in state
    assert "zzz" not in state
    with pytest.raises(VariableError, match="no hole was filled for it"):
        state.get_meta_info("n")


def test_var_scope_names_the_text_inside() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "before "
        with s.var_scope("whole"):
            s += "[" + sf.gen("a") + "]"
            with s.var_scope("inner"):
                s += "-" + sf.gen("b")
        s += " after"

    state = program.run(backend=sf.ScriptedBackend(ANSWERS))
    assert state["whole"] == "[A1]-B2"
    assert state["inner"] == "-B2"


def test_fork_branches_share_the_context_and_run_together() -> None:
    prefix = "Tips for staying healthy, at length and in detail: sleep, food, movement, friends. "

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += prefix
        forks = s.fork(3)
        for index, branch in enumerate(forks):
            branch += f"Tip {index}: " + sf.gen("tip", stop="\n")
        s += "First " + forks[0]["tip"] + ", last " + forks[2]["tip"]

    backend = sf.ScriptedBackend({"tip": ["t0", "t1", "t2"]})
    state = program.run(backend=backend)
    assert state.text() == prefix + "First t0, last t2"
    warm, *branches = backend.requests
    assert [type(segment) for segment in warm.segments] == [Text]  # the prefix, computed once
    assert len(branches) == 3


def test_looking_at_one_branch_starts_the_others() -> None:
    backend = sf.ScriptedBackend({"x": "1"})
    counts: list[int] = []

    @sf.function
    def program(s: sf.ProgramState) -> None:
        forks = s.fork(4)
        forks += "x" + sf.gen("x")
        forks[0]["x"]
        counts.append(len(backend.requests))

    program.run(backend=backend)
    assert counts == [4]


def test_fork_before_any_text_works() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        forks = s.fork(2)
        forks += sf.gen("a")
        forks.join()

    assert program.run(backend=sf.ScriptedBackend(ANSWERS))["a"] == ["A1", "A1"]


def test_groups_take_functions_lists_and_expressions() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        forks = s.fork(2)
        forks += lambda index: f"[{index}]"
        forks += ["x", "y"]
        forks += "-" + sf.gen("a")
        s["texts"] = [branch.text() for branch in forks]
        assert len(forks) == 2
        assert forks[1] is list(forks)[1]
        with pytest.raises(ProgramError, match=r"forks \+=: 3 values for 2 branches"):
            forks += ["1", "2", "3"]

    assert program.run(backend=sf.ScriptedBackend(ANSWERS))["texts"] == ["[0]x-A1", "[1]y-A1"]


def test_join_gathers_new_variables_as_lists() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")
        forks = s.fork(2)
        forks += lambda index: "b" + sf.gen("b") + (sf.gen("c") if index else "")
        forks.join()
        s += " done " + s["b"][0]

    state = program.run(backend=sf.ScriptedBackend(ANSWERS))
    assert state["a"] == "A1"
    assert state["b"] == ["B2", "B2"]
    assert state["c"] == ["C3"]
    assert state.text() == "A1 done B2"
    assert [meta["completion_tokens"] for meta in state.get_meta_info("b")] == [1, 1]


def test_join_appends_the_text_of_the_branches() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.user("Two facts.")
        with s.assistant():
            forks = s.fork(2)
            forks += lambda index: f"{index}: " + sf.gen("a") + "; "
            forks.join("concate_and_append")
            s += "so " + sf.gen("b")

    backend = sf.ScriptedBackend(ANSWERS)
    state = program.run(backend=backend)
    assert state.messages()[-1]["content"] == "0: A1; 1: A1; so B2"
    assert "0: A1; 1: A1; so " in backend.decode(backend._encode_all(backend.requests[-1].segments[:-1]))


def test_unknown_join_mode_is_refused() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s.fork(2).join("merge")  # type: ignore[arg-type]

    with pytest.raises(ProgramError, match="unknown mode 'merge'"):
        program.run(backend=sf.ScriptedBackend())


def test_fork_refuses_what_it_cannot_do() -> None:
    @sf.function
    def none(s: sf.ProgramState) -> None:
        s.fork(0)

    @sf.function
    def offset(s: sf.ProgramState) -> None:
        s.fork(2, position_ids_offset=[0, 5])

    with pytest.raises(ProgramError, match="at least one branch, got 0"):
        none.run(backend=sf.ScriptedBackend())
    with pytest.raises(ProgramError, match=r"position_ids_offset=\[0, 5\] cannot be applied"):
        offset.run(backend=sf.ScriptedBackend())


def test_copy_leaves_the_state_as_it_is() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "x" + sf.gen("a")
        with s.copy() as trial:
            trial += " try " + sf.gen("b")
            s["tried"] = trial["b"]
        s += " end"

    state = program.run(backend=sf.ScriptedBackend(ANSWERS))
    assert state.text() == "xA1 end"
    assert state["tried"] == "B2"
    assert "b" not in state


def test_branches_nobody_looked_at_run_all_the_same() -> None:
    kept: list[Any] = []

    @sf.function
    def program(s: sf.ProgramState) -> None:
        forks = s.fork(2)
        forks += sf.gen("a")
        kept.append(forks)

    backend = sf.ScriptedBackend(ANSWERS)
    program.run(backend=backend)
    assert len(backend.requests) == 2
    assert kept[0][1]["a"] == "A1"


def test_programs_call_programs_in_the_same_state() -> None:
    @sf.function
    def ask(s: sf.ProgramState, name: str) -> str:
        s += f"{name}=" + sf.gen(name) + ";"
        return name

    @sf.function
    def outer(s: sf.ProgramState) -> None:
        assert ask(s, "a") == "a"
        ask(s, name="b")

    backend = sf.ScriptedBackend(ANSWERS)
    assert outer.run(backend=backend).text() == "a=A1;b=B2;"
    assert len(backend.requests) == 1


def test_programs_run_programs_of_their_own() -> None:
    backend = sf.ScriptedBackend(ANSWERS)

    @sf.function
    def helper(s: sf.ProgramState) -> None:
        s += "h" + sf.gen("a")

    @sf.function
    def outer(s: sf.ProgramState) -> None:
        s += "got " + helper(backend=backend)["a"] + " " + sf.gen("b")

    assert outer.run(backend=backend).text() == "got A1 B2"


def test_bind_fixes_arguments() -> None:
    bound = straight.bind(question="bound")
    assert bound.run(backend=sf.ScriptedBackend(ANSWERS)).text().startswith("Q: bound\n")


# Streams


@sf.function
def chat(s: sf.ProgramState) -> None:
    s += sf.user("hello")
    s += sf.assistant(sf.gen("greeting") + " and " + sf.select("mood", ["good", "bad"]))
    s += sf.user("more") + sf.assistant(sf.gen("rest"))


SCRIPT = {"greeting": "one two three four", "mood": "good", "rest": "five six"}


def test_stream_concatenates_to_the_text() -> None:
    state = chat.run(stream=True, backend=sf.ScriptedBackend(SCRIPT))
    assert "".join(state.text_iter()) == state.text() == chat.run(backend=sf.ScriptedBackend(SCRIPT)).text()
    assert "".join(chat.stream(backend=sf.ScriptedBackend(SCRIPT))) == state.text()


def test_stream_of_one_variable() -> None:
    state = chat.run(stream=True, backend=sf.ScriptedBackend(SCRIPT))
    assert "".join(state.text_iter("greeting")) == "one two three four"
    assert "".join(state.text_iter("mood")) == "good"
    assert "".join(chat.stream(var="rest", backend=sf.ScriptedBackend(SCRIPT))) == "five six"


def test_stream_of_a_finished_run() -> None:
    state = chat.run(backend=sf.ScriptedBackend(SCRIPT))
    assert "".join(state.text_iter()) == state.text()
    assert list(state.text_iter("rest")) == ["five six"]
    with pytest.raises(VariableError, match="no such variable"):
        list(state.text_iter("nothing"))


def test_async_stream_and_metadata() -> None:
    async def read() -> None:
        state = chat.run(stream=True, backend=sf.ScriptedBackend(SCRIPT))
        text = "".join([piece async for piece in state.text_async_iter()])
        assert text == state.text()
        pairs = [pair async for pair in state.text_async_iter("greeting", return_meta_data=True)]
        assert "".join(piece for piece, _ in pairs) == "one two three four"
        assert pairs[-1][1]["completion_tokens"] == 4
        assert pairs[-1][1]["finish_reason"]["type"] == "stop"
        pieces = [piece async for piece in chat.astream(backend=sf.ScriptedBackend(SCRIPT))]
        assert "".join(pieces) == state.text()

    asyncio.run(read())


class StepwiseBackend(sf.ScriptedBackend):
    """Holds every event back until `release` is called, from another thread."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(answers)
        self.gate = threading.Semaphore(0)
        self.aborted = False

    def submit(self, request: GenerateRequest, listener: Listener) -> Call:
        events: list[Any] = []
        super().submit(request, events.append)

        def play() -> None:
            for event in events:
                self.gate.acquire()
                if self.aborted:
                    listener(RequestFailed(request.request_id, sf.RequestAborted(request.request_id)))
                    return
                listener(event)

        threading.Thread(target=play, daemon=True).start()
        backend = self

        class Running:
            def abort(self) -> None:
                backend.aborted = True
                backend.gate.release(1000)

        return Running()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_text_arrives_token_by_token() -> None:
    backend = StepwiseBackend({"a": "one two three"})

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "> " + sf.gen("a") + " <"

    pieces = program.stream(backend=backend)
    assert next(pieces) == "> "
    backend.gate.release()
    assert next(pieces) == "one"
    backend.gate.release()
    assert next(pieces) == " two"
    backend.gate.release(10)
    assert "".join(pieces) == " three <"


def test_a_look_ends_its_wait_with_its_own_fill() -> None:
    backend = StepwiseBackend({"a": "one", "b": "two"})

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("a") + sf.gen("b")
        backend.gate.release(2)  # the delta of a, and its end; b is still on its way
        s["seen"] = s["a"]
        backend.gate.release(10)

    assert program.run(backend=backend)["seen"] == "one"


def test_closing_a_stream_ends_the_run() -> None:
    backend = StepwiseBackend({"a": "one two three"})

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "> " + sf.gen("a")

    pieces = program.stream(backend=backend)
    next(pieces)
    wait_until(lambda: bool(backend.requests))
    pieces.close()  # type: ignore[attr-defined]
    wait_until(lambda: backend.aborted)


def test_meta_info_timeout() -> None:
    backend = StepwiseBackend({"a": "one"})

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")
        with pytest.raises(TimeoutError, match=r"s.get_meta_info\('a'\) was not ready after 0.01 s"):
            s.get_meta_info("a", timeout=0.01)
        backend.gate.release(10)

    program.run(backend=backend)


# Errors


def test_a_failing_fill_names_program_primitive_value_and_line() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "x" + sf.gen("year", regex="[0-9]{4}")

    with pytest.raises(FillError, match=r"program: gen\('year'\): BackendError: .*'abcd'.*test_states\.py:\d+"):
        program.run(backend=sf.ScriptedBackend({"year": "abcd"}))


def test_the_programs_own_exception_propagates_unchanged() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")
        raise KeyError(s["a"])

    with pytest.raises(KeyError, match="A1"):
        program.run(backend=sf.ScriptedBackend(ANSWERS))


def test_a_streamed_failure_reaches_the_reader() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "x" + sf.gen("a")
        raise ValueError(s["a"])

    state = program.run(stream=True, backend=sf.ScriptedBackend(ANSWERS))
    with pytest.raises(ProgramError, match="program: the program failed with ValueError: A1"):
        list(state.text_iter())
    assert isinstance(state.error(), ValueError)
    assert state["a"] == "A1"  # what was filled before stays readable
    with pytest.raises(ProgramError, match="ValueError"):
        state["b"]


def test_a_cut_json_says_why() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("numbers", schema=list[int], max_tokens=3, finish="cut")

    state = program.run(backend=sf.ScriptedBackend({"numbers": "[1, 2, 3, 4]"}))
    with pytest.raises(FillError, match=r"gen\('numbers'\): .*is no list\[int\].*cut after 3 tokens.*max_tokens="):
        state["numbers"]
    assert state.get_text("numbers") == "[1,"


def test_later_looks_at_a_failed_state_raise_too() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "x" + sf.gen("missing")
        with pytest.raises(FillError):
            s["missing"]
        s += sf.gen("a")
        with pytest.raises(FillError, match="missing"):
            s["a"]

    with pytest.raises(FillError, match="missing"):
        program.run(backend=sf.ScriptedBackend(ANSWERS))


# Async programs


@sf.function
async def async_program(s: sf.ProgramState, question: str) -> str:
    s += "Q " + question + sf.gen("a")
    first = await s.aget("a")
    forks = s.fork(2)
    forks += "f" + sf.gen("b")
    await forks.ajoin()
    s += first + str(await s.aget("b"))
    assert await s.atext() == f"Q {question}A1A1['B2', 'B2']"
    return await s.aget_text("a")


def test_async_programs_run_every_way() -> None:
    backend = sf.ScriptedBackend(ANSWERS)
    assert async_program.run(question="?", backend=backend).result == "A1"

    async def main() -> None:
        state = await async_program.arun(question="?", backend=backend)
        assert state.text() == "Q ?A1A1['B2', 'B2']"
        assert (await straight.arun(question="x", backend=backend))["c"] == "C3"
        pieces = [piece async for piece in async_program.astream(question="?", backend=backend)]
        assert "".join(pieces) == state.text()

    asyncio.run(main())


def test_async_programs_hold_no_thread_while_they_wait() -> None:
    backend = StepwiseBackend({"a": "one"})

    @sf.function
    async def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")
        await s.async_all()

    async def main() -> None:
        before = threading.active_count()
        runs = [asyncio.create_task(program.arun(backend=backend)) for _ in range(20)]
        await asyncio.sleep(0.05)
        waiting = threading.active_count() - before - len(backend.requests)  # the backend's own player threads
        backend.gate.release(1000)
        await asyncio.gather(*runs)
        assert waiting <= 0

    asyncio.run(main())


def test_a_blocking_look_in_an_async_program_is_refused() -> None:
    backend = StepwiseBackend({"a": "one"})

    @sf.function
    async def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")
        try:
            s["a"]
        finally:
            backend.gate.release(10)

    with pytest.raises(ProgramError, match=r"would block the event loop; write `await s.aget\('a'\)`"):
        program.run(backend=backend)


def test_run_of_an_async_program_inside_a_loop_says_what_to_write() -> None:
    async def main() -> None:
        with pytest.raises(ProgramError, match=r"async_program: run: .*write `await program.arun\(…\)`"):
            async_program.run(question="?", backend=sf.ScriptedBackend(ANSWERS))

    asyncio.run(main())


def test_cancelling_arun_aborts_its_requests() -> None:
    backend = StepwiseBackend({"a": "one"})

    @sf.function
    async def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")

    async def main() -> None:
        task = asyncio.create_task(program.arun(backend=backend))
        await asyncio.to_thread(wait_until, lambda: bool(backend.requests))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(wait_until, lambda: backend.aborted)

    asyncio.run(main())
