"""Pinned prefixes stay in the cache as long as nobody needs their room."""

from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, Text
from tests.fakes import scripted_engine
from tests.runtime.driving import one

PREFIX = "The quick brown fox jumps over the lazy dog. " * 4
FILL = Fill("x", SamplingParams(max_tokens=2))


def others(engine: object, count: int) -> None:
    for number in range(count):
        one(engine, Text(f"{number} " * 40), FILL)  # type: ignore[arg-type]


def test_a_pinned_prefix_survives_what_evicts_others() -> None:
    with_pin, without = scripted_engine(pool_slots=256), scripted_engine(pool_slots=256)
    for engine in (with_pin, without):
        ids = one(engine, Text(PREFIX)).token_ids
        if engine is with_pin:
            pin, length = engine.pin(ids)
            assert length == len(ids)
        others(engine, 12)
    assert one(with_pin, Text(PREFIX + "Next"), FILL).cached_len >= length - 1
    assert one(without, Text(PREFIX + "Next"), FILL).cached_len == 0
    with_pin.unpin(pin)
    others(with_pin, 12)
    assert one(with_pin, Text(PREFIX + "Next"), FILL).cached_len == 0
    with_pin.check()


def test_a_pin_gives_way_to_a_request_that_needs_its_room() -> None:
    engine = scripted_engine(pool_slots=128)
    ids = one(engine, Text(PREFIX)).token_ids
    pin, length = engine.pin(ids)
    assert 128 - length < 100
    result = one(engine, Text("é" * 45), Fill("x", SamplingParams(max_tokens=30, ignore_eos=True)))
    assert len(result.fills[0].token_ids) == 30
    engine.unpin(pin)  # over already: nothing happens
    engine.check()


def test_only_what_is_cached_is_pinned() -> None:
    engine = scripted_engine()
    assert engine.pin((1, 2, 3))[1] == 0
    engine.check()
