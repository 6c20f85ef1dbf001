"""A short soak: good, hostile, failing and leaving clients on a pool far too small, checked after every step."""

import random

import pytest

from slipform.errors import CapacityError, GrammarError, PromptTooLong, RequestAborted, SlipformError
from slipform.grammars.spec import Regex
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Event, Fill, RequestFailed, RequestFinished, Text
from slipform.runtime.tokenizer import Tokenizer
from tests.fakes import ScriptedModel, byte_tokenizer, scripted_engine
from tests.runtime.driving import TERMINAL, outcome, request, results
from tests.runtime.test_equalities import workload

POISON = "poison pill"


@pytest.mark.parametrize("seed", [0, 1])
def test_every_request_ends_once_and_the_good_ones_are_unharmed(seed: int) -> None:
    rng = random.Random(seed)
    tokenizer = Tokenizer(byte_tokenizer())
    poison = tokenizer.encode(POISON)
    model = ScriptedModel(400, eos_id=398, eos_bias=1.0, fail=lambda context: context[: len(poison)] == poison)
    good = {f"good {name}": segments for name, segments in workload(10 + seed, 24)}
    alone = scripted_engine()
    expected = {name: outcome(results(alone, [request(name, *segments)])[name][0]) for name, segments in good.items()}
    engine = scripted_engine(tokenizer=tokenizer, model=model, pool_slots=460, max_context=450, max_sequences=9)
    long = SamplingParams(max_tokens=400, temperature=0.0, ignore_eos=True)
    todo = [request(name, *segments, priority=rng.randint(0, 2)) for name, segments in good.items()]
    for number in range(8):
        todo += [
            request(f"leaves {number}", Text(f"I leave {number}"), Fill(None, long), n=rng.randint(1, 3)),
            request(f"poison {number}", Text(POISON + f" {number}"), Fill(None, long, heal=False)),
            request(f"grammar {number}", Text("a"), Fill(None, long, Regex("(" * (number + 1)))),
            request(f"grows {number}", Text("b" * 50), Fill(None, long), Text("c" * 300), Fill(None, long)),
            request(f"late {number}", Text(f"d {number}"), Fill(None, long), deadline_s=0.001),
        ]
    rng.shuffle(todo)
    ended: dict[str, Event] = {}
    accepted: set[str] = set()
    open_leavers: list[str] = []
    while todo or len(ended) < len(accepted):
        for item in [todo.pop() for _ in range(min(len(todo), rng.randint(0, 3)))]:
            engine.add(item)
            accepted.add(item.request_id)
            if item.request_id.startswith("leaves"):
                open_leavers.append(item.request_id)
        if open_leavers and rng.random() < 0.1:
            engine.abort(open_leavers.pop(rng.randrange(len(open_leavers))))
        for event in engine.step():
            if isinstance(event, TERMINAL):
                assert event.request_id not in ended
                ended[event.request_id] = event
            else:
                assert event.request_id not in ended, "an event behind the terminal one"
        engine.check()
    assert set(ended) == accepted
    for name, event in ended.items():
        if name in expected:
            assert isinstance(event, RequestFinished)
            assert outcome(event.sequences[0]) == expected[name]
        elif not name.startswith("leaves"):
            assert isinstance(event, RequestFailed)
            kinds = {"grammar": GrammarError, "late": RequestAborted, "grows": PromptTooLong, "poison": SlipformError}
            assert isinstance(event.error, kinds[name.split()[0]])
            assert not isinstance(event.error, CapacityError)
    engine.flush_cache()
    statistics = engine.statistics()
    assert statistics.free_slots == 460
    assert statistics.requests_finished + statistics.requests_failed == statistics.requests_accepted == len(ended)
    assert statistics.preemptions > 0
