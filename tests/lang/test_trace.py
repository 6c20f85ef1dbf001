"""Traces and plans: what a program does before it runs, and where it cannot be known."""

import datetime

import pytest

import slipform as sf
from slipform.errors import ProgramError, VariableError
from slipform.grammars.spec import Choice, JsonSchema, Regex
from slipform.lang import ir
from slipform.lang.program import Program


@sf.function
def extract(s: sf.ProgramState, text: str, hint: str = "none") -> None:
    s += sf.system("You extract data.")
    s += sf.user("Hint: " + hint + "\n" + text.strip() + "!")
    s += sf.assistant(sf.gen("year", regex="[0-9]{4}") + ", " + sf.gen("day", schema=datetime.date))


def test_a_trace_holds_the_nodes_in_order() -> None:
    trace = extract.trace()
    assert trace.open_end is None
    described = [node.describe() for node in trace.nodes]
    assert described == [
        "system_begin()",
        "'You extract data.'",
        "system_end()",
        "user_begin()",
        "'Hint: none\\n'",
        "argument text.strip()",
        "'!'",
        "user_end()",
        "assistant_begin()",
        "gen('year')",
        "', '",
        "gen('day')",
        "assistant_end()",
    ]


def test_nodes_are_frozen_values() -> None:
    assert extract.trace() == extract.trace()
    assert hash(sf.gen("a", regex="x")) == hash(sf.gen("a", regex="x"))
    with pytest.raises(AttributeError):
        sf.gen("a").name = "b"  # type: ignore[attr-defined]


def test_given_arguments_are_taken() -> None:
    trace = extract.trace(text=" given ")
    assert ir.Constant("Hint: none\ngiven!") in trace.nodes


def test_f_strings_of_arguments_raise_and_say_what_to_write() -> None:
    @sf.function
    def program(s: sf.ProgramState, question: str) -> None:
        s += f"Q: {question}\n"

    with pytest.raises(TypeError, match=r"argument question|question: has no text yet.*join the pieces with \+"):
        program.trace()
    # With the value at hand the same program runs.
    assert program.run(question="x", backend=sf.ScriptedBackend()).text() == "Q: x\n"


def test_a_decision_ends_the_trace_and_is_named() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "tool: " + sf.gen("tool")
        if s["tool"] == "search":
            s += sf.gen("query")

    trace = program.trace()
    assert trace.open_end == "compares with 'search': s['tool']"
    assert trace.origin is not None
    assert trace.origin.path == __file__
    assert [node.describe() for node in trace.nodes] == ["'tool: '", "gen('tool')", "look"]


def test_except_exception_does_not_swallow_the_end_of_a_trace() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("n")
        try:
            number = int(s["n"])
        except Exception:  # what the test is about: a program that catches everything
            number = 0
        s += str(number)

    assert program.trace().open_end == "converts s['n']"


@pytest.mark.parametrize(
    "decide",
    [bool, len, list, int, float, str, hash, lambda value: "x" in value, lambda value: value < 3, lambda v: [0, 1][v]],
)
def test_every_way_to_read_a_placeholder_ends_the_trace(decide: object) -> None:
    @sf.function
    def program(s: sf.ProgramState, value: str) -> None:
        s += "before"
        decide(value)  # type: ignore[operator]
        s += "after"

    trace = program.trace()
    assert trace.open_end is not None
    assert trace.nodes == (ir.Constant("before"),)


def test_unknown_variables_are_errors_in_a_trace_too() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s["nothing"]

    with pytest.raises(VariableError, match="no such variable"):
        program.trace()


def test_forks_joins_scopes_and_roles_are_traced() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        with s.var_scope("all"):
            s += "x"
        forks = s.fork(2)
        forks += lambda index: f"{index}" + sf.gen("tip")
        forks.join()
        with s.user():
            s += s["tip"]

    trace = program.trace()
    assert trace.open_end is None
    (fork,) = [node for node in trace.nodes if isinstance(node, ir.Fork)]
    assert [branch[0] for branch in fork.branches] == [ir.Constant("0"), ir.Constant("1")]
    assert ir.Join("gather_variable") in trace.nodes
    assert ir.Variable("s['tip']") in trace.nodes
    assert str(trace).splitlines()[0] == "program:"
    assert "    branch 1:" in str(trace)


def test_programs_in_programs_are_traced() -> None:
    @sf.function
    def inner(s: sf.ProgramState, x: str) -> None:
        s += "inner " + x + sf.gen("i")

    @sf.function
    def outer(s: sf.ProgramState, x: str) -> None:
        inner(s, x)
        s += " outer " + inner(x=x, temperature=0)["i"]

    names = [node.describe() for node in outer.trace().walk()]
    assert names.count("gen('i')") == 2


def test_async_programs_are_traced() -> None:
    @sf.function
    async def program(s: sf.ProgramState, question: str) -> None:
        s += question + sf.gen("a")
        s += " and " + await s.aget("a")

    trace = program.trace()
    assert trace.open_end is None
    assert trace.nodes[-1] == ir.Variable("s['a']")


def test_print_graph(capsys: pytest.CaptureFixture[str]) -> None:
    extract.trace().print_graph_dfs()
    assert "gen('year')" in capsys.readouterr().out


def test_constant_prefix_stops_at_the_first_hole_or_value() -> None:
    prefix = extract.trace().constant_prefix()
    assert [node.describe() for node in prefix][-2:] == ["user_begin()", "'Hint: none\\n'"]

    @sf.function
    def hole_first(s: sf.ProgramState) -> None:
        s += sf.gen("a") + "text"

    assert hole_first.trace().constant_prefix() == ()


def test_a_plan_shows_requests_constraints_and_decisions() -> None:
    plan = extract.plan()
    assert plan.num_requests == 1
    assert plan.constraints[0] == Regex("[0-9]{4}")
    assert isinstance(plan.constraints[1], JsonSchema)
    text = str(plan)
    assert text.startswith("extract: 1 request\n")
    assert "fill year: regex [0-9]{4}" in text
    assert "fill day: JSON of date" in text
    assert extract.plan(fuse=False).num_requests == 2


def test_plan_of_looks_selects_and_forks() -> None:
    @sf.function
    def program(s: sf.ProgramState, question: str) -> None:
        s += question + sf.gen("a", n=2) + sf.gen("b")
        s += "so " + s["b"] + sf.select("c", ["x", "y"])
        s += sf.gen("d", choices=["x", "y"], choices_method=sf.masked_decoding)
        forks = s.fork(2)
        forks += sf.gen("e")
        forks.join("concate_and_append")
        if s["d"]:
            s += "x"

    plan = program.plan()
    text = str(plan)
    assert "Python looks at s['b']" in text
    assert "fork into 2, sharing the KV so far" in text
    assert "join: concate_and_append" in text
    assert "decided at run time: the program decides by s['d']" in text
    assert plan.num_requests == 6
    assert Choice(("x", "y")) in plan.constraints
    assert [label.partition(":")[0] for label in plan.fills] == ["a", "b", "c", "d", "e", "e"]


def test_plans_count_the_requests_that_runs_send() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "a" + sf.gen("a") + "b" + sf.gen("b", n=2) + sf.gen("c") + "d"
        s += s["a"] + sf.gen("d") + sf.gen("e")

    for fuse in (True, False):
        backend = sf.ScriptedBackend(default="x")
        program.run(backend=backend, fuse=fuse)
        assert len(backend.requests) == program.plan(fuse=fuse).num_requests


def test_tracing_does_not_run_anything() -> None:
    backend = sf.ScriptedBackend()
    extract.trace(backend=backend)
    assert backend.requests == []
    assert isinstance(extract, Program)


def test_a_trace_cannot_be_streamed() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")
        list(s.text_iter("a"))

    with pytest.raises(ProgramError, match="a trace has no text to stream"):
        program.trace()
