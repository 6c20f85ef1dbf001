"""SGLang's language by its own spelling: parameters in their order, and what no other file tests of each piece."""

import inspect
import re
from typing import Any

import pytest

import slipform as sgl
from slipform.grammars.spec import Regex
from slipform.lang import ir
from slipform.lang.config import GlobalConfig
from slipform.runtime.request import Fill, Text

ANSWERS = {"a": "A1", "b": "B2"}
VALUES: dict[str, Any] = {
    "stop": ("!",), "stop_token_ids": (3,), "stop_regex": ("x+",), "temperature": 0.3, "top_p": 0.9, "top_k": 5,
    "min_p": 0.1, "frequency_penalty": 0.2, "presence_penalty": 0.4, "ignore_eos": True, "return_logprob": True,
    "logprob_start_len": 2, "top_logprobs_num": 1, "return_text_in_logprobs": True,
}  # fmt: skip


SAMPLING = list(VALUES)  # in the order of `gen`


def names_of(func: Any) -> list[str]:
    return [name for name in inspect.signature(func).parameters if name != "self"]


def fills_of(backend: sgl.ScriptedBackend) -> list[Fill]:
    return [part for request in backend.requests for part in request.segments if isinstance(part, Fill)]


# Spelling


def test_gen_has_the_23_parameters_in_their_order() -> None:
    own = ["name", "max_tokens", "min_tokens", "n", *SAMPLING]
    assert names_of(sgl.gen)[:23] == [*own, "dtype", "choices", "choices_method", "regex", "json_schema"]


@pytest.mark.parametrize("primitive", [sgl.gen_int, sgl.gen_string])
def test_gen_int_and_gen_string_take_what_gen_takes_less_its_constraints(primitive: Any) -> None:
    node = primitive("x", 5, 2, ["."], **{name: VALUES[name] for name in SAMPLING[1:]})
    assert isinstance(node, ir.Gen)
    assert (node.name, node.options.max_tokens, node.options.n) == ("x", 5, 2)
    assert "." in (node.options.stop or ())
    assert {name: getattr(node.options, name) for name in SAMPLING[1:]} == {name: VALUES[name] for name in SAMPLING[1:]}
    for constraint in ("choices", "regex", "dtype"):
        with pytest.raises(sgl.ArgumentError, match=f"unexpected keyword argument '{constraint}'"):
            primitive("x", **{constraint: "a"})


@pytest.mark.parametrize(
    ("func", "names"),
    [
        (sgl.select, ["name", "choices", "temperature", "choices_method"]),
        (sgl.function, ["func", "num_api_spec_tokens"]),
        (sgl.system, ["expr"]),
        (sgl.user, ["expr"]),
        (sgl.assistant, ["expr"]),
        (sgl.video, ["path", "num_frames"]),
        (sgl.separate_reasoning, ["expr", "model_type"]),
        (sgl.flush_cache, ["backend"]),
        (sgl.get_server_info, ["backend"]),
        (sgl.set_default_backend, ["backend"]),
        (sgl.Program.cache, ["backend"]),
        (sgl.ProgramState.get_meta_info, ["name", "timeout"]),
        (sgl.ProgramState.get_var, ["name"]),
        (sgl.ProgramState.set_var, ["name", "value"]),
        (sgl.ProgramState.var_scope, ["name"]),
        (sgl.ProgramState.fork, ["size", "position_ids_offset"]),
        (sgl.ProgramState.text_iter, ["var_name"]),
        (sgl.ProgramState.text_async_iter, ["var_name", "return_meta_data"]),
        (sgl.ProgramStateGroup.join, ["mode"]),
    ],
)
def test_other_parameters_by_name_and_order(func: Any, names: list[str]) -> None:
    assert names_of(func) == names


# Running


def test_run_batch_takes_every_sampling_default_of_run() -> None:
    @sgl.function
    def program(s: sgl.ProgramState, q: str) -> None:
        s += q + sgl.gen("a", temperature=0.7)

    backend = sgl.ScriptedBackend(ANSWERS)
    options = {**VALUES, "logprob_start_len": -1, "max_new_tokens": 9}
    program.run_batch([{"q": "1"}, {"q": "2"}], backend=backend, num_threads=2, progress_bar=False, **options)
    for fill in fills_of(backend):
        assert (fill.sampling.max_tokens, fill.sampling.top_p, fill.sampling.top_k) == (9, 0.9, 5)
        assert fill.sampling.temperature == 0.7  # the hole's own wins
        assert (fill.sampling.stop, fill.sampling.stop_regex, fill.sampling.min_p) == (("!",), ("x+",), 0.1)
    assert len(fills_of(backend)) == 2


@pytest.mark.parametrize(("length", "requests"), [(63, 2), (65, 3)])
def test_a_batch_computes_a_prefix_of_more_than_64_characters_ahead(length: int, requests: int) -> None:
    @sgl.function
    def program(s: sgl.ProgramState, q: str) -> None:
        s += "x" * length
        s += q + sgl.gen("a")

    backend = sgl.ScriptedBackend(ANSWERS)
    program.run_batch([{"q": "1"}, {"q": "2"}], backend=backend)
    assert len(backend.requests) == requests


def test_helpers_and_cache_take_a_backend_or_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "long " * 30 + sgl.gen("a")

    default, other = sgl.ScriptedBackend(ANSWERS), sgl.ScriptedBackend(ANSWERS)
    monkeypatch.setattr(sgl.global_config, "default_backend", default)
    program.cache()
    program.cache(backend=other)
    for backend in (default, other):
        assert [type(part) for request in backend.requests for part in request.segments] == [Text]
    assert sgl.get_server_info(other)["num_requests"] == sgl.get_server_info()["num_requests"] == 1
    sgl.flush_cache(other)
    assert program.run().get_meta_info("a")["cached_tokens"] > 0
    assert program.run(backend=other).get_meta_info("a")["cached_tokens"] == 0


def test_print_graph_dfs_prints_every_node(capsys: pytest.CaptureFixture[str]) -> None:
    @sgl.function
    def program(s: sgl.ProgramState, topic: str) -> None:
        s += sgl.user("About " + topic)
        forks = s.fork(2)
        forks += sgl.gen("a")
        forks.join()
        s += sgl.select("b", ["x", "y"])

    program.trace(topic="cats").print_graph_dfs()
    shown = capsys.readouterr().out
    places = [shown.index(piece) for piece in ("cats", "branch 0", "branch 1", "select('b')")]
    assert places == sorted(places)
    assert shown.count("gen('a')") == 2


# Nodes


def test_every_kind_of_node_concatenates_from_both_sides_and_refuses_f_strings() -> None:
    nodes = [
        sgl.gen("a"), sgl.select("b", ["x"]), sgl.image(b"bytes"), sgl.video("v.mp4", 2), sgl.user_begin(),
        sgl.user_end(), sgl.separate_reasoning(sgl.gen("c"), "qwen3"), ir.Argument("x"), ir.Constant("y"),
    ]  # fmt: skip
    for node in nodes:
        parts = tuple(("<" + node + ">").children())
        assert parts == (ir.Constant("<"), node, ir.Constant(">")) or isinstance(node, ir.Constant)
        with pytest.raises(TypeError, match="f-string"):
            f"{node}"


@pytest.mark.parametrize(
    ("dtype", "pattern", "stop"),
    [
        (int, r"[-+]?[0-9]+[ \n]*", (" ", "\n")),
        (float, r"[-+]?[0-9]*\.?[0-9]+[ \n]*", (" ", "\n")),
        (bool, "(True|False)", ()),
    ],
)
def test_dtypes_become_a_pattern_and_stops(dtype: type, pattern: str, stop: tuple[str, ...]) -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += sgl.gen("x", dtype=dtype)

    backend = sgl.ScriptedBackend({"x": "True" if dtype is bool else "7"})
    program.run(backend=backend)
    (fill,) = fills_of(backend)
    assert fill.constraint == Regex(pattern)
    assert fill.sampling.stop == stop


def test_a_str_is_any_text_in_quotes_where_sglang_allows_words_only() -> None:
    spec = sgl.gen("x", dtype=str)
    assert isinstance(spec, ir.Gen)
    assert isinstance(spec.constraint, Regex)
    for text in ('"two words 2"', '"it\'s, well, fine."'):
        assert re.fullmatch(spec.constraint.pattern, text)
    assert not re.fullmatch(spec.constraint.pattern, "bare")


# Messages


DEFAULT_SYSTEM = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_a_default_system_prompt_is_the_templates_and_gives_way_to_the_programs() -> None:
    @sgl.function
    def program(s: sgl.ProgramState, system: str | None) -> None:
        if system is not None:
            s += sgl.system(system)
        s += sgl.user("hi") + sgl.assistant(sgl.gen("a"))

    backend = sgl.ScriptedBackend(ANSWERS, chat_template=DEFAULT_SYSTEM)
    rest = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n"
    assert program.run(None, backend=backend).text() == "<|im_start|>system\nYou are helpful.<|im_end|>\n" + rest
    assert program.run("Be brief.", backend=backend).text() == "<|im_start|>system\nBe brief.<|im_end|>\n" + rest


# States


def test_a_branch_has_the_text_messages_and_variables_of_its_source() -> None:
    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += sgl.user("hi") + sgl.assistant(sgl.gen("a"))
        s.set_var("n", 3)
        (one, two), copy = s.fork(2), s.copy()
        for branch in (one, two, copy):
            assert (branch["a"], branch.get_var("n"), "a" in branch) == ("A1", 3, True)
            assert branch.text() == s.text()
            assert branch.messages() == s.messages()
        one.set_var("n", 4)
        one += "more"
        assert (two["n"], s["n"]) == (3, 3)
        assert not s.text().endswith("more")

    program.run(backend=sgl.ScriptedBackend(ANSWERS))


def test_sync_executes_what_was_appended_and_error_is_none() -> None:
    counts: list[int] = []

    @sgl.function
    def program(s: sgl.ProgramState) -> None:
        s += "x" + sgl.gen("a")
        counts.append(len(backend.requests))
        s.sync()
        counts.append(len(backend.requests))
        assert s.error() is None

    backend = sgl.ScriptedBackend(ANSWERS)
    program.run(backend=backend)
    assert counts == [0, 1]


# Settings


def test_the_settings_and_their_values_at_the_start() -> None:
    config = GlobalConfig()
    assert config.default_backend is None
    assert (config.verbosity, config.skip_special_tokens_in_output, config.enable_precache_with_tracing) == (
        0, True, True,
    )  # fmt: skip
