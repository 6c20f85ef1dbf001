"""What programs written for SGLang's frontend rely on, beside what the other files of this folder test."""

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import slipform as sgl
from slipform.lang import ir
from slipform.lang.backend import Backend
from slipform.lang.config import GlobalConfig, as_backend
from tests.fakes import scripted_engine

ANSWERS = {"a": "A1", "b": "B2", "c": "C3"}


@pytest.fixture(scope="module")
def engine() -> Iterator[Backend]:
    with scripted_engine(seed=5) as made:
        yield as_backend(made)


@sgl.function
def chat(s: sgl.ProgramState, question: str) -> None:
    s += sgl.system("Be brief.") + sgl.user(question) + sgl.assistant(sgl.gen("a"))
    s += sgl.user("More.") + sgl.assistant(sgl.gen("b"))


# Running


def test_run_takes_every_sampling_default_by_sglangs_names() -> None:
    backend = sgl.ScriptedBackend(ANSWERS)
    options: dict[str, Any] = {
        "max_new_tokens": 9,
        "stop": ["!"],
        "stop_token_ids": [3],
        "stop_regex": "x+",
        "temperature": 0.3,
        "top_p": 0.9,
        "top_k": 5,
        "min_p": 0.1,
        "frequency_penalty": 0.2,
        "presence_penalty": 0.4,
        "ignore_eos": True,
        "return_logprob": True,
        "logprob_start_len": -1,
        "top_logprobs_num": 2,
        "return_text_in_logprobs": True,
    }
    state = chat.run(question="?", backend=backend, use_thread=True, **options)
    fills = [part for request in backend.requests for part in request.segments if hasattr(part, "sampling")]
    for fill in fills:
        sampling = fill.sampling
        assert (sampling.max_tokens, sampling.temperature, sampling.top_k) == (9, 0.3, 5)
        assert (sampling.top_p, sampling.min_p, sampling.ignore_eos) == (0.9, 0.1, True)
        assert (sampling.frequency_penalty, sampling.presence_penalty) == (0.2, 0.4)
        assert set(sampling.stop) >= {"!"}
        assert set(sampling.stop_token_ids) >= {3}
        assert sampling.stop_regex == ("x+",)
        assert (sampling.logprobs, sampling.top_logprobs) == (True, 2)
    text = state.get_meta_info("a")["output_token_logprobs"][0][2]
    assert text == "A1"


def test_stream_returns_before_the_end_and_the_pieces_make_the_text() -> None:
    release = threading.Event()

    def slow(name: str, before: str) -> str:
        assert release.wait(60)
        return ANSWERS[name]

    state = chat.run(question="?", stream=True, backend=sgl.ScriptedBackend(slow))
    assert state.error() is None
    release.set()
    assert "".join(state.text_iter()) == state.text()
    assert [message["role"] for message in state.messages()] == ["system", "user", "assistant", "user", "assistant"]


def test_a_batch_in_generator_style_with_positional_rows() -> None:
    states = chat.run_batch([("one",), ("two",)], generator_style=True, backend=sgl.ScriptedBackend(ANSWERS))
    assert not isinstance(states, list)
    assert [state.messages()[1]["content"] for state in states] == ["one", "two"]


def test_bind_keeps_the_speculative_tokens_and_earlier_arguments() -> None:
    program = sgl.function(num_api_spec_tokens=7)(chat.func)
    bound = program.bind(question="?")
    assert bound.num_api_spec_tokens == 7
    assert bound.run(backend=sgl.ScriptedBackend(ANSWERS))["a"] == "A1"


def test_a_program_calls_and_awaits_async_programs() -> None:
    @sgl.function
    async def inner(s: sgl.ProgramState, what: str) -> None:
        s += what + sgl.gen("a")

    @sgl.function
    async def outer(s: sgl.ProgramState) -> str:
        await inner(s, "1: ")
        found = await s.aget("a")
        forks = s.fork(2)
        forks += lambda i: f" {i} " + sgl.gen("b")
        await forks.ajoin()
        assert await s.aget("b") == ["B2", "B2"]
        assert s.get_var("b") == ["B2", "B2"]  # an immediate look is allowed
        return str(found)

    state = asyncio.run(outer.arun(backend=sgl.ScriptedBackend(ANSWERS)))
    assert state.result == "A1"
    assert threading.active_count() < 20


# Expressions


def test_the_wrapped_function_must_call_its_state_s() -> None:
    with pytest.raises(sgl.ProgramError, match="must be the state, named s; found state"):
        sgl.function(lambda state: None)


def test_gen_takes_sglangs_parameters_in_their_order() -> None:
    node = sgl.gen("x", 5, 1, 2, ["."], [7], "y+", 0.5, 0.9, 3, 0.2, 0.1, 0.3, True, True, 0, 2, True)
    assert isinstance(node, ir.Gen)
    o = node.options
    assert (o.max_tokens, o.min_tokens, o.n, o.stop, o.stop_token_ids, o.stop_regex) == (5, 1, 2, (".",), (7,), ("y+",))
    assert (o.temperature, o.top_p, o.top_k, o.min_p, o.frequency_penalty, o.presence_penalty) == (
        0.5, 0.9, 3, 0.2, 0.1, 0.3,
    )  # fmt: skip
    assert (o.ignore_eos, o.return_logprob, o.logprob_start_len, o.top_logprobs_num) == (True, True, 0, 2)


def test_a_gen_without_a_name_only_appends() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "x" + sgl.gen() + sgl.gen("a")

    state = program.run(backend=sgl.ScriptedBackend(ANSWERS, default="D"))
    assert state.text() == "xDA1"
    assert state.variables() == ["a"]


@pytest.mark.parametrize(
    ("dtype", "pattern"), [(int, r"[-+]?[0-9]+[ \n]*"), (float, r"[-+]?[0-9]*\.?[0-9]+[ \n]*"), (bool, "(True|False)")]
)
def test_dtypes_are_sglangs_patterns_and_give_castable_text(engine: Backend, dtype: type, pattern: str) -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "Value: " + sgl.gen("x", dtype=dtype, max_tokens=8)

    for seed in range(4):
        state = program.run(backend=engine, seed=seed)
        assert re.fullmatch(pattern, state["x"])
        dtype(state["x"])


def test_min_tokens_and_a_terminal_constraint_do_not_empty_the_mask(engine: Backend) -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "Value: " + sgl.gen("x", regex="[0-9]{2}", min_tokens=6, max_tokens=8)

    assert re.fullmatch("[0-9]{2}", program.run(backend=engine)["x"])


def test_images_and_videos_are_nodes_that_text_backends_refuse_by_name() -> None:
    for node in (sgl.image("cat.png"), sgl.video("cat.mp4", num_frames=3)):

        @sgl.function
        def program(s: sgl.ProgramState, node: Any = node) -> None:
            s += sgl.user(node + "What is this?")

        with pytest.raises(sgl.BackendError, match="the scripted backend reads text only"):
            program.run(backend=sgl.ScriptedBackend(ANSWERS))


def test_reasoning_and_several_completions_go_together() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += sgl.separate_reasoning(sgl.gen("a", n=2), "qwen3") + "."

    state = program.run(backend=sgl.ScriptedBackend({"a": ["<think>x</think>1", "<think>y</think>2"]}))
    assert state["a"] == ["1", "2"]
    assert state["a_reasoning_content"] == ["x", "y"]
    assert state.text() == "1."


# Interpreter


def test_select_scores_all_choices_in_one_go_and_refuses_a_temperature(engine: Backend) -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "The answer is " + sgl.select("x", choices=["yes", "no"], temperature=0.0)

    meta = program.run(backend=engine).get_meta_info("x")
    assert len(meta["normalized_prompt_logprobs"]) == len(meta["input_token_logprobs"]) == 2
    assert meta["output_token_logprobs"] == [[], []]
    with pytest.raises(sgl.ArgumentError, match="temperature must be 0"):
        sgl.select("x", choices=["a", "b"], temperature=0.5)


def test_scopes_can_be_traced_and_nested() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        with s.var_scope("all"):
            s += "x" + sgl.gen("a")
            with s.var_scope("inner"):
                s += "y" + sgl.gen("b")

    assert [node.describe() for node in program.trace().nodes if isinstance(node, ir.Gen)] == ["gen('a')", "gen('b')"]
    state = program.run(backend=sgl.ScriptedBackend(ANSWERS))
    assert (state["all"], state["inner"]) == ("xA1yB2", "yB2")


def test_position_offsets_are_refused_and_a_fork_may_come_first(engine: Backend) -> None:
    @sgl.function
    def program(s: sgl.ProgramState, offsets: list[int] | None = None) -> None:
        forks = s.fork(2, position_ids_offset=offsets)
        forks += lambda i: f"Branch {i}: " + sgl.gen("a", max_tokens=2)
        forks.join()

    assert len(program.run(backend=engine)["a"]) == 2
    with pytest.raises(sgl.ProgramError, match="position_ids_offset=\\[0, 4\\] cannot be applied"):
        program.run([0, 4], backend=engine)


def test_errors_are_raised_and_not_only_stored() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "x" + sgl.gen("missing")

    with pytest.raises(sgl.FillError):
        program.run(backend=sgl.ScriptedBackend(ANSWERS))
    (state,) = program.run_batch([{}], backend=sgl.ScriptedBackend(ANSWERS))
    assert isinstance(state.error(), sgl.FillError)
    with pytest.raises(sgl.FillError):
        state["missing"]


def test_async_streams_with_metadata_grow_their_logprobs(engine: Backend) -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "Say: " + sgl.gen("a", max_tokens=6, return_logprob=True, ignore_eos=True)

    async def read() -> list[tuple[str, dict[str, Any]]]:
        state = program.run(backend=engine, stream=True, seed=1)
        return [pair async for pair in state.text_async_iter("a", return_meta_data=True)]

    pairs = asyncio.run(read())
    grown = [len(meta.get("output_token_logprobs", ())) for _, meta in pairs]
    assert grown == sorted(grown)
    assert grown[-1] >= 6
    assert "finish_reason" in pairs[-1][1]


def test_a_trace_stops_at_an_image_a_fork_and_text_that_depends_on_data() -> None:
    for step in (sgl.image("x.png"), None, sgl.gen("a")):

        @sgl.function
        def program(s: sgl.ProgramState, step: Any = step) -> None:
            s += "constant"
            if step is None:
                s.fork(2)
            else:
                s += step
            s += "later"

        assert program.trace().constant_prefix() == (ir.Constant("constant"),)


# Settings


def test_settings_are_checked_and_do_something(engine: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    config = GlobalConfig()
    config.enable_parallel_encoding = False  # type: ignore[attr-defined]
    for name, value in (
        ("enable_parallel_encoding", True),
        ("spaces_between_special_tokens_in_out", True),
        ("typo", 1),
    ):
        with pytest.raises(sgl.ConfigError, match=f"global_config.{name}"):
            setattr(config, name, value)


def test_verbosity_prints_finished_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sgl.global_config, "verbosity", 2)
    state = chat.run(question="?", backend=sgl.ScriptedBackend(ANSWERS))
    assert state.text() in capsys.readouterr().err


def test_special_tokens_can_be_kept_in_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sgl.global_config, "skip_special_tokens_in_output", False)
    backend = sgl.ScriptedBackend(ANSWERS)
    chat.run(question="?", backend=backend)
    fills = [part for request in backend.requests for part in request.segments if hasattr(part, "sampling")]
    assert all(not fill.sampling.skip_special_tokens for fill in fills)


def test_helpers_ask_the_default_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = sgl.ScriptedBackend(ANSWERS)
    monkeypatch.setattr(sgl.global_config, "default_backend", backend)
    chat.run(question="?")
    assert sgl.get_server_info()["num_requests"] == 1
    sgl.flush_cache()
    chat.run(question="?")
    state = chat.run(question="?")
    assert state.get_meta_info("a")["cached_tokens"] > 0


def test_an_endpoint_goes_by_sglangs_name_and_arguments(tmp_path: Path) -> None:
    backend = sgl.RuntimeEndpoint("http://127.0.0.1:9/v1", api_key="k", verify=False)
    assert isinstance(backend, sgl.Endpoint)
    assert backend.url == "http://127.0.0.1:9"
    backend.close()
    with pytest.raises(sgl.ConfigError, match="chat_template_name: 'chatml' cannot be chosen here"):
        sgl.RuntimeEndpoint("http://127.0.0.1:9", chat_template_name="chatml")
    with pytest.raises(OSError, match=r"No such file|no certificate"):
        sgl.RuntimeEndpoint("http://127.0.0.1:9", verify=str(tmp_path / "none.pem"))


def test_the_returned_value_goes_by_both_names() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> str:
        s += "x" + sgl.gen("a")
        return str(s["a"]).lower()

    state = program.run(backend=sgl.ScriptedBackend(ANSWERS))
    assert state.ret_value == state.result == "a1"


def test_a_compiled_program_runs_batches_and_prints_its_graph(capsys: pytest.CaptureFixture[str]) -> None:
    compiled = chat.compile(backend=sgl.ScriptedBackend(ANSWERS))
    assert compiled.run(question="?")["b"] == "B2"
    assert [state["a"] for state in compiled.run_batch([{"question": "1"}, {"question": "2"}])] == ["A1", "A1"]
    compiled.print_graph()
    shown = capsys.readouterr().out
    assert shown == f"{compiled}\n"
    assert shown.index("fill a:") < shown.index("fill b:")


def test_reasoning_can_be_streamed_and_its_pieces_are_the_answers() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "Q" + sgl.separate_reasoning(sgl.gen("a"), "qwen3") + "!"

    backend = sgl.ScriptedBackend({"a": "<think>hm hm</think>four"})
    state = program.run(stream=True, backend=backend)
    assert "".join(state.text_iter("a")) == "four"
    assert "".join(program.run(stream=True, backend=backend).text_iter()) == "Qfour!"
    assert state["a_reasoning_content"] == "hm hm"


def test_a_fork_may_come_before_any_text() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        forks = s.fork(3)
        forks += sgl.gen("a")
        forks.join("concate_and_append")

    assert program.run(backend=sgl.ScriptedBackend(ANSWERS)).text() == "A1A1A1"


def test_a_scope_in_a_trace_names_its_text_before_and_after_its_end() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        with s.var_scope("span"):
            s += "x" + sgl.gen("a")
        s += " again: " + s["span"]

    trace = program.trace()
    assert [node.describe() for node in trace.nodes][-1] == "s['span']"
    assert program.run(backend=sgl.ScriptedBackend(ANSWERS)).text() == "xA1 again: xA1"
