"""Programs on a real engine with a model whose logits depend on the whole context: the text must not depend on how the
program was cut into requests."""

import asyncio
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slipform as sf
from slipform.errors import FillError
from slipform.lang import ir
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from slipform.lang.types import json_type, type_label
from slipform.runtime.request import GenerateRequest, Text
from tests.fakes import byte_tokenizer, scripted_engine
from tests.lang.test_types import CASES


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with scripted_engine(seed=3) as engine:
        yield as_backend(engine)
        engine.check()


Small = Annotated[int, pydantic.Field(ge=0, le=999)]
TEXTS = ["Q: ", "http:", " the", "\n", "{", "naïve ", "12", ". Answer"]
SPECIFIED = [
    {},
    {"regex": "[a-z]{2,5}"},
    {"regex": "yes|no|maybe"},
    {"regex": '"[a-z ]*"', "max_tokens": 9},
    {"n": 2},
    {"stop": ["e", "1"]},
    {"choices": ["yes", "no", "maybe"]},
    {"choices": ["a", "ab", "abc"], "choices_method": "greedy_token_selection"},
    {"choices": ["red", "blue"], "choices_method": "masked_decoding"},
    {"return_logprob": True, "logprob_start_len": 0},
]
# A step of a straight-line program: text, a hole, a look at the last hole, or a look at the text.
steps = st.lists(
    st.one_of(
        st.sampled_from(TEXTS),
        st.integers(0, len(SPECIFIED) - 1),
        st.sampled_from(
            [("look", "variable"), ("look", "text"), ("fork", "2"), ("role", "user"), ("role", "assistant")]
        ),
    ),
    min_size=1,
    max_size=8,
)


def run_steps_of(plan: list[Any], backend: Backend, **options: Any) -> tuple[str, dict[str, Any]]:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "begin "  # this tokenizer has no token that begins a text, so a hole cannot come first
        last = None
        looking = options.pop("look", True)
        for index, step in enumerate(plan):
            if isinstance(step, str):
                s += step
            elif isinstance(step, int):
                last = f"v{index}"
                s += sf.gen(last, **{"max_tokens": 6, **SPECIFIED[step]})
            elif step == ("look", "variable"):
                if last is not None and looking:
                    s[last]
            elif step == ("look", "text"):
                if looking:
                    s.text()
            elif step == ("fork", "2"):
                forks = s.fork(2)
                forks += lambda branch, index=index: f"{branch}" + sf.gen(f"f{index}", max_tokens=3)
                if looking:
                    forks.join()
                    forks_seen = s[f"f{index}"]
                    assert len(forks_seen) == 2
            else:
                s += getattr(sf, step[1])("hello " + sf.gen(f"r{index}", max_tokens=3))

    state = program.run(backend=backend, temperature=0.0, **{k: v for k, v in options.items() if k != "look"})
    return state.text(), {name: state[name] for name in state.variables() if not name.startswith("f")}


@settings(max_examples=40)
@given(steps)
def test_fused_equals_unfused(backend: Backend, plan: list[Any]) -> None:
    assert run_steps_of(plan, backend) == run_steps_of(plan, backend, fuse=False)


@settings(max_examples=25)
@given(steps)
def test_looks_change_nothing(backend: Backend, plan: list[Any]) -> None:
    assert run_steps_of(plan, backend) == run_steps_of(plan, backend, look=False)


@settings(max_examples=60)
@given(steps)
def test_fused_equals_unfused_on_a_script(plan: list[Any]) -> None:
    def answer(name: str, before: str) -> str:
        index = int(name[1:])
        shape = SPECIFIED[plan[index]] if name[0] == "v" else {}
        if "choices" in shape:
            return shape["choices"][len(before) % len(shape["choices"])]  # type: ignore[no-any-return, index]
        return "yes" if shape.get("regex", "").startswith("yes") else '"ab"' if '"' in shape.get("regex", "") else "abc"

    backend = sf.ScriptedBackend(answer)
    assert run_steps_of(plan, backend) == run_steps_of(plan, backend, fuse=False)


def test_seeded_samples_do_not_depend_on_the_cut(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "Q: the" + sf.gen("a", max_tokens=8) + "\n" + sf.gen("b", max_tokens=8, temperature=0.5)

    texts = {program.run(backend=backend, seed=7, fuse=fuse).text() for fuse in (True, False, True)}
    assert len(texts) == 1
    assert program.run(backend=backend, seed=8).text() not in texts


def test_constraints_hold(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState, index: int) -> None:
        s += f"{index}. born " + sf.regex(r"(18|19)[0-9]{2}-(0[1-9]|1[0-2])", name="date", max_tokens=30)
        s += sf.gen("numbers", schema=list[Small], max_tokens=200) + sf.gen("mood", choices=["good", "bad"])

    states = program.run_batch([{"index": index} for index in range(30)], backend=backend)
    for state in states:
        assert re.fullmatch(r"(18|19)[0-9]{2}-(0[1-9]|1[0-2])", state["date"])
        assert state["mood"] in ("good", "bad")
        assert isinstance(state["numbers"], list)
        meta = state.get_meta_info("numbers")
        assert meta["closed"] == (meta["finish_reason"]["type"] == "length")


def test_batch_equals_alone(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState, word: str) -> None:
        s += "The quick brown fox jumps over the lazy dog, again and again, and then: " + word
        s += sf.gen("a", max_tokens=10) + sf.select("b", ["yes", "no"])

    rows = [{"word": f"word {index}"} for index in range(12)]
    together = [state.text() for state in program.run_batch(rows, backend=backend, temperature=0.0)]
    alone = [program.run(**row, backend=backend, temperature=0.0).text() for row in rows]
    assert together == alone


def test_branches_reuse_the_prefix(backend: Backend) -> None:
    prefix = "A long beginning that every branch of this program has in common: Ada Lovelace, born 1815-12-10. " * 3

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += prefix
        forks = s.fork(4)
        forks += lambda index: f"Branch {index}:" + sf.gen("x", max_tokens=4)
        forks.join()

    sf.flush_cache(backend)
    metas = program.run(backend=backend, temperature=0.0).get_meta_info("x")
    assert all(meta["cached_tokens"] >= meta["prompt_tokens"] - 12 for meta in metas)


def test_the_batch_prefix_is_found_by_every_row(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState, word: str) -> None:
        s += "Instructions that are the same for all rows and worth computing once: answer briefly. " * 2
        s += word + sf.gen("x", max_tokens=2)

    sf.flush_cache(backend)
    states = program.run_batch([{"word": f"w{index}"} for index in range(6)], backend=backend, temperature=0.0)
    metas = [state.get_meta_info("x") for state in states]
    assert min(meta["cached_tokens"] / meta["prompt_tokens"] for meta in metas) > 0.9


def logprobs_of(backend: Backend, text: str) -> list[float]:
    """The log-probability of every token of a text, from one request that only reads it."""
    events: list[Any] = []
    over = threading.Event()

    def listen(event: Any) -> None:
        events.append(event)
        over.set()

    backend.submit(GenerateRequest(f"score-{text}", (Text(text),), prompt_logprobs_from=0), listen)
    assert over.wait(60)
    return [entry.logprob for entry in events[-1].sequences[0].prompt_logprobs]


def num_common(left: Sequence[int], right: Sequence[int]) -> int:
    return next((index for index, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), len(left))


@pytest.mark.parametrize("context", ["The answer is:", "Answer", "http:"])
def test_select_scores_are_those_of_the_joined_text(backend: Backend, context: str) -> None:
    options = [" yes", " no", " maybe", "//example"]

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += context + sf.select("x", options)

    meta = program.run(backend=backend).get_meta_info("x")
    found = [sum(logprob for logprob, _, _ in tokens) for tokens in meta["input_token_logprobs"]]
    plain = backend.encode(context)
    joined = [backend.encode(context + option) for option in options]
    # A colon is followed by "//" in one token "://", so there all options count from before the colon.
    shared = min(num_common(plain, ids) for ids in joined)
    assert (shared < len(plain)) == context.endswith(":")
    expected = [sum(logprobs_of(backend, context + option)[shared:]) for option in options]
    assert found == pytest.approx(expected, abs=1e-3)
    assert sum(meta["probabilities"]) == pytest.approx(1.0)


@pytest.mark.parametrize("method", [sf.unconditional_likelihood_normalized, sf.greedy_token_selection])
def test_select_methods_on_the_engine(backend: Backend, method: str) -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += (
            sf.select("first", ["yes", "no"], choices_method=method) + " and " + sf.select("x", ["a", "b"], 0.0, method)
        )

    state = program.run(backend=backend)
    assert state["first"] in ("yes", "no")
    assert state["x"] in ("a", "b")
    assert ("greedy_logprob_matrix" in state.get_meta_info("x")) == (method == sf.greedy_token_selection)


def test_a_bad_constraint_fails_its_row_and_names_it(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState, pattern: str) -> None:
        s += "x" + sf.gen("a", regex=pattern, max_tokens=5)

    states = program.run_batch([{"pattern": "[a-z]+"}, {"pattern": "[a-z"}, {"pattern": "[0-9]+"}], backend=backend)
    assert [state.error() is None for state in states] == [True, False, True]
    with pytest.raises(FillError, match=r"program: gen\('a'\): GrammarSyntaxError: .*test_on_engine\.py:\d+"):
        states[1]["a"]


def test_a_constant_bad_constraint_is_refused_before_any_row(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState, x: str) -> None:
        s += x + sf.gen("a", regex="(")

    with pytest.raises(FillError, match=r"program: constraint: GrammarSyntaxError"):
        program.run_batch([{"x": "1"}, {"x": "2"}], backend=backend)


def test_a_prompt_that_is_too_long_names_the_program(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "word " * 9000 + sf.gen("a")

    with pytest.raises(FillError, match=r"program: gen\('a'\): PromptTooLong"):
        program.run(backend=backend)


def test_streams_on_the_engine(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "Q: " + sf.gen("a", max_tokens=12) + " then " + sf.gen("b", max_tokens=5) + sf.select("c", ["x", "y"])

    whole = program.run(backend=backend, temperature=0.0).text()
    assert "".join(program.stream(backend=backend, temperature=0.0)) == whole

    async def read() -> str:
        return "".join([piece async for piece in program.astream(backend=backend, temperature=0.0)])

    assert asyncio.run(read()) == whole


def test_async_programs_on_the_engine(backend: Backend) -> None:
    @sf.function
    async def program(s: sf.ProgramState, word: str) -> None:
        s += "Q: " + word + sf.gen("a", max_tokens=6)
        s += str(len(await s.aget("a"))) + sf.gen("b", max_tokens=3)

    async def main() -> list[str]:
        runs = [program.arun(word=str(index), backend=backend, temperature=0.0) for index in range(8)]
        return [state.text() for state in await asyncio.gather(*runs)]

    expected = [program.run(word=str(index), backend=backend, temperature=0.0).text() for index in range(8)]
    assert asyncio.run(main()) == expected


def test_explicit_engine_is_taken_as_a_backend() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "x" + sf.gen("a", max_tokens=3)

    with scripted_engine(seed=1) as engine:
        assert program.run(backend=engine).get_meta_info("a")["completion_tokens"] <= 3


def test_roles_through_the_tokenizers_template() -> None:
    from slipform.runtime.tokenizer import Tokenizer

    fast = byte_tokenizer()
    fast.chat_template = (
        "{% for m in messages %}{% if m.role == 'user' %}<|user|>{% endif %}{{ m.content }}<|end|>{% endfor %}"
    )

    @sf.function
    def program(s: sf.ProgramState, question: str) -> None:
        s += sf.user(question)
        s += sf.assistant(sf.gen("a", max_tokens=5))

    with scripted_engine(tokenizer=Tokenizer(fast), seed=2) as engine:
        state = program.run(question="<|end|> hi", backend=engine, temperature=0.0)
        (fill,) = state.get_fills("a")
        assert state.text() == f"<|user|><|end|> hi<|end|>{fill.text}<|end|>"
        special = [node for node in ir.walk(program.trace().nodes) if isinstance(node, ir.RoleBegin)]
        assert len(special) == 2
        end = engine.tokenizer.encode("<|end|>", parse_special=True)
        assert len(end) == 1
        assert state.get_meta_info("a")["prompt_tokens"] > 8  # the user's "<|end|>" is spelled out, not one token


@pytest.mark.parametrize("kind", [kind for kind, _, _ in CASES], ids=type_label)
def test_every_type_can_be_written(backend: Backend, kind: Any) -> None:
    @sf.function
    def program(s: sf.ProgramState, index: int) -> None:
        s += f"{index}: " + sf.gen("x", schema=kind, max_tokens=300)

    states = program.run_batch([{"index": index} for index in range(6)], backend=backend, seed=1)
    ended = [state for state in states if state.get_meta_info("x")["finish_reason"]["type"] == "stop"]
    assert ended
    for state in ended:
        assert state["x"] == json_type(kind).parse(state.get_text("x"))
