"""Compiled programs: what their plans say and draw, and what they keep warm while they run."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel

import slipform as sf
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from slipform.runtime.request import GenerateRequest, Text, TokenIds
from tests.fakes import scripted_engine


class Verdict(BaseModel):
    label: Literal["yes", "no"]
    reason: str


INTRO = "You judge whether a claim follows from a document, and say why in one sentence. "


@sf.function
def judge(s: sf.ProgramState, document: str, claim: str) -> None:
    s += INTRO + "Document: " + document + "\nClaim: " + claim + "\n"
    s += "Verdict: " + sf.gen("verdict", schema=Verdict, max_tokens=32) + "\nSure? "
    s += sf.select("sure", choices=["yes", "no"])
    forks = s.fork(2)
    forks += lambda i: f"\nReason {i}: " + sf.gen("why", max_tokens=4, stop="\n")
    forks.join()
    if s["sure"] == "no":
        s += sf.gen("more", max_tokens=4)


ROWS = [{"document": f"document {d} " * 8, "claim": f"claim {c}"} for c in range(4) for d in range(3)]


@pytest.fixture
def backend() -> Iterator[Backend]:
    with scripted_engine(seed=2) as engine:
        yield as_backend(engine)
        engine.check()


# The plan


def test_the_plan_names_prefix_requests_forks_constraints_and_decisions(backend: Backend) -> None:
    text = str(judge.compile(backend=backend))
    assert f"constant prefix of {len(INTRO + 'Document: ')} characters" in text
    assert "fill verdict: JSON of Verdict, max_tokens=32" in text
    assert "select sure: one of 'yes', 'no'" in text
    assert "fork into 2" in text
    assert re.search(
        r"decided at run time: the program compares with 'no': s\['sure'\] \(.*test_compiled\.py:\d+\)", text
    )
    assert re.search(r"constraints:\n  JSON of .*, \d+\.\d KiB, compiled in \d+\.\d ms", text)


def test_arguments_that_are_given_are_bound_and_constant(backend: Backend) -> None:
    compiled = judge.compile(document="a cat sat.", backend=backend)
    assert "constant prefix of" in str(compiled)
    assert "".join(getattr(node, "text", "") for node in compiled.trace.constant_prefix()).endswith(
        "a cat sat.\nClaim: "
    )
    assert set(compiled.run(claim="it sat", max_new_tokens=8).variables()) >= {"verdict", "sure", "why"}


def read_dot(source: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Nodes with their labels, and arrows, of a Graphviz source; every line must be one of those."""
    lines = source.splitlines()
    assert re.fullmatch(r'digraph "[^"]*" \{', lines[0])
    assert lines[-1] == "}"
    nodes: dict[str, str] = {}
    arrows: list[tuple[str, str, str]] = []
    for line in lines[2:-1]:
        node = re.fullmatch(r'  (n\d+) \[shape=\w+, label="((?:[^"\\]|\\.)*)"\]', line)
        arrow = re.fullmatch(r'  (n\d+) -> (n\d+)(?: \[label="((?:[^"\\]|\\.)*)"\])?', line)
        if node:
            nodes[node[1]] = node[2]
        else:
            assert arrow, line
            arrows.append((arrow[1], arrow[2], arrow[3] or ""))
    return nodes, arrows


def test_both_pictures_show_one_connected_graph(backend: Backend) -> None:
    compiled = judge.compile(backend=backend)
    nodes, arrows = read_dot(compiled.to_dot())
    assert {end for arrow in arrows for end in arrow[:2]} == set(nodes)
    roots = set(nodes) - {end for _, end, _ in arrows}
    assert roots == {"n0"}
    assert [label for _, _, label in arrows if label] == ["branch 0", "branch 1"]
    fork = next(name for name, label in nodes.items() if label.startswith("fork"))
    join = next(name for name, label in nodes.items() if label.startswith("join"))
    assert sum(begin == fork for begin, _, _ in arrows) == sum(end == join for _, end, _ in arrows) == 2
    mermaid = compiled.to_mermaid().splitlines()
    assert mermaid[0] == "flowchart TD"
    drawn = [line for line in mermaid[1:] if "-->" not in line]
    assert len(drawn) == len(nodes)
    assert len(mermaid) - 1 - len(drawn) == len(arrows)
    for line in drawn:
        assert re.fullmatch(r'  n\d+(\[|\[\(|\(\[|\{)"[^"<>]*(<br/>[^"<>]*)*"(\]|\)\]|\]\)|\})', line), line


def test_texts_cannot_break_the_pictures(backend: Backend) -> None:
    @sf.function
    def hostile(s: sf.ProgramState) -> None:
        s += 'a "quoted" \\ text\n<b>#1 & more</b>' + sf.gen("x", regex='"[<>]+"')

    compiled = hostile.compile(backend=backend)
    nodes, _ = read_dot(compiled.to_dot())
    assert nodes
    assert "<b>" not in compiled.to_mermaid()


def test_every_constraint_is_compiled_before_a_row_runs_and_a_bad_one_is_named(backend: Backend) -> None:
    scripted = sf.ScriptedBackend({"verdict": {"label": "no", "reason": "x"}, "sure": "yes", "why": "w", "more": "m"})
    compiled = judge.compile(backend=scripted)
    assert scripted.prepared == [constraint.spec for constraint in compiled.constraints]
    assert scripted.requests == []
    assert compiled.constraints[0].num_bytes is None

    @sf.function
    def wrong(s: sf.ProgramState) -> None:
        s += "a" + sf.gen("x", regex="(")

    with pytest.raises(sf.ConstraintError, match=r"wrong: gen\('x'\): GrammarSyntaxError.*test_compiled\.py:\d+"):
        wrong.compile(backend=backend)


# Running


def outcomes(states: list[sf.ProgramState]) -> list[Any]:
    return [(state.text(), state["verdict"], state["sure"], state["why"]) for state in states]


def test_every_way_to_run_gives_the_same_text_fused_or_not(backend: Backend) -> None:
    plain = outcomes(judge.run_batch(ROWS, backend=backend, temperature=0))
    fused, unfused = judge.compile(backend=backend), judge.compile(backend=backend, fuse=False)
    assert outcomes(fused.run_batch(ROWS, temperature=0)) == plain
    assert outcomes(unfused.run_batch(ROWS, temperature=0)) == plain
    assert outcomes(list(fused.run_batch(ROWS, temperature=0, generator_style=True))) == plain
    assert outcomes(asyncio.run(fused.arun_batch(ROWS, temperature=0))) == plain
    assert outcomes([fused.run(temperature=0, **ROWS[0])]) == plain[:1]
    assert "".join(fused.stream(temperature=0, **ROWS[0])) == plain[0][0]
    assert outcomes([asyncio.run(fused.arun(temperature=0, **ROWS[0]))]) == plain[:1]


def test_rows_with_equal_beginnings_follow_each_other_and_come_back_in_order(backend: Backend) -> None:
    compiled = judge.compile(backend=backend)
    order = compiled.order(ROWS)
    assert sorted(order) == list(range(len(ROWS)))
    documents = [ROWS[index]["document"] for index in order]
    assert documents == sorted(documents)
    assert compiled.order([(row["document"], row["claim"]) for row in ROWS]) == order
    scripted = sf.ScriptedBackend(lambda name, before: {"verdict": '{"label":"no","reason":"x"}'}.get(name, "yes"))
    states = judge.compile(backend=scripted).run_batch(ROWS, num_threads=1)
    assert [row["claim"] in state.text() for row, state in zip(ROWS, states, strict=True)] == [True] * len(ROWS)
    sent = [text_of(request) for request in scripted.requests if "Verdict" in text_of(request)]
    seen = [re.search(r"document (\d)", text)[1] for text in sent if "Document: document" in text]  # type: ignore[index]
    assert [digit for i, digit in enumerate(seen) if i == 0 or seen[i - 1] != digit] == ["0", "1", "2"]


def text_of(request: GenerateRequest) -> str:
    return "".join(part.text for part in request.segments if isinstance(part, Text))


def test_fewer_tokens_are_computed_when_the_cache_is_small() -> None:
    computed = {}
    for compile_it in (False, True):
        with scripted_engine(seed=2, pool_slots=420, max_sequences=2) as engine:
            program = judge.compile(backend=engine) if compile_it else judge.bind()
            options = {} if compile_it else {"backend": engine}
            program.run_batch(ROWS, temperature=0, num_threads=1, **options)
            computed[compile_it] = engine.statistics().computed_tokens
            engine.check()
    assert computed[True] < computed[False]


def test_the_prefix_is_pinned_for_the_life_of_a_batch_and_of_a_with_block() -> None:
    class Pinning(sf.ScriptedBackend):
        def __init__(self, answers: Any) -> None:
            super().__init__(answers)
            self.pinned: list[tuple[int, ...]] = []
            self.num_live = 0

        def pin(self, token_ids: tuple[int, ...]) -> Any:
            self.pinned.append(tuple(token_ids))
            self.num_live += 1

            def release() -> None:
                self.num_live -= 1

            return release

    backend = Pinning(lambda name, before: {"verdict": '{"label":"no","reason":"x"}'}.get(name, "yes"))
    compiled = judge.compile(backend=backend)
    assert backend.num_live == 0
    batch = compiled.run_batch(ROWS, generator_style=True)
    next(batch)
    assert backend.num_live == 1
    assert list(batch)
    assert backend.num_live == 0
    with compiled:
        compiled.run_batch(ROWS[:2])
        assert backend.num_live == 1
    assert backend.num_live == 0
    assert backend.decode(backend.pinned[0]) == INTRO + "Document: "
    assert len(backend.pinned) == 2
    closed = compiled.run_batch(ROWS, generator_style=True)
    next(closed)
    closed.close()
    assert backend.num_live == 0


def test_a_pinned_prefix_outlives_what_others_evict() -> None:
    with scripted_engine(seed=2, pool_slots=300) as engine:
        backend = as_backend(engine)
        with judge.compile(backend=backend):
            for index in range(8):
                engine.submit(GenerateRequest(f"other-{index}", (Text(f"{index} unrelated " * 20),))).result()
            ids = backend.encode(INTRO)
            found = engine.submit(GenerateRequest("found", (TokenIds((*ids, 5)),))).result()
            assert found.sequences[0].cached_len >= len(ids) - 1
