"""What one fill does: stops across token borders, split characters, seams, limits, log-probabilities, traces."""

import math
import re

import numpy as np
import pytest

from slipform.errors import InvalidRequest
from slipform.grammars.spec import AnyText, Choice, Regex
from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, FillResult, RequestFailed, RequestFinished, Text, TextDelta, TokenIds
from slipform.runtime.tokenizer import Tokenizer
from tests.fakes import EOS, MARK, ScriptedModel, byte_tokenizer, says, scripted_engine
from tests.runtime.driving import GREEDY, drive, one, outcome, request, streamed

PROMPT = "Question: what? Answer:"
TOKENIZER = Tokenizer(byte_tokenizer())
EOS_ID = TOKENIZER.eos_ids[0]


def engine_saying(answer: str | list[int], **options: object) -> Engine:
    """An engine that continues PROMPT with `answer`, then the end token."""
    ids = TOKENIZER.encode(answer) if isinstance(answer, str) else answer
    script = says(TOKENIZER.encode(PROMPT), [*ids, EOS_ID])
    return scripted_engine(tokenizer=TOKENIZER, script=script, **options)


def fill_of(engine: Engine, constraint: object = None, *, heal: bool = False, **params: object) -> FillResult:
    params = {"max_tokens": 60, **params}
    fill = Fill("x", GREEDY.replace(**params), constraint, heal)  # type: ignore[arg-type]
    return one(engine, Text(PROMPT), fill).fills[0]


def one_byte_tokens(text: str) -> list[int]:
    """The ids of single-byte tokens that spell `text`: characters and words split wherever they can be."""
    spelled = {spelling: index for index, spelling in enumerate(TOKENIZER.vocabulary.token_bytes) if spelling}
    return [spelled[bytes([byte])] for byte in text.encode()]


def test_end_token_ends_the_fill_and_is_not_kept() -> None:
    result = fill_of(engine_saying(" forty-two"))
    assert (result.text, result.finish_reason, result.matched_stop) == (" forty-two", "stop", None)
    assert list(result.token_ids) == TOKENIZER.encode(" forty-two")
    assert result.num_sampled == len(result.token_ids)


@pytest.mark.parametrize("split", [TOKENIZER.encode, one_byte_tokens], ids=["tokens", "bytes"])
@pytest.mark.parametrize(
    ("stop", "include_stop", "text"),
    [
        (("dog",), False, " the quick brown fox\n\njumps over the lazy "),
        (("\n\njumps",), False, " the quick brown fox"),
        (("\n\njumps",), True, " the quick brown fox\n\njumps"),
        (("x\n", "fox"), False, " the quick brown "),
        (("brown fox", "own"), False, " the quick br"),
        (("umps", "not there"), True, " the quick brown fox\n\njumps"),
        (("the",), False, " "),
        ((" ",), False, ""),
    ],
)
def test_stop_strings_across_token_borders(split: object, stop: tuple[str, ...], include_stop: bool, text: str) -> None:
    answer = " the quick brown fox\n\njumps over the lazy dog."
    engine = engine_saying(split(answer))  # type: ignore[operator]
    fill = Fill("x", GREEDY.replace(max_tokens=90, stop=stop, include_stop=include_stop), heal=False)
    events = drive(engine, [request("r", Text(PROMPT), fill, Text(" End."))])
    (finished,) = [event for event in events if isinstance(event, RequestFinished)]
    sequence = finished.sequences[0]
    result = sequence.fills[0]
    assert result.text == text
    assert result.finish_reason == "stop"
    assert result.matched_stop in stop
    assert sequence.text == PROMPT + text + " End."
    assert TOKENIZER.decode(sequence.token_ids) == sequence.text
    assert TOKENIZER.decode(result.token_ids) == text
    # Nothing was shown that was then taken back.
    assert streamed(events, "r", 0, 0) == (result.text, result.token_ids)
    # Tokens that lie whole before the stop are the model's own.
    own = split(answer)  # type: ignore[operator]
    kept = 0
    while TOKENIZER.decode(own[: kept + 1]) == text[: len(TOKENIZER.decode(own[: kept + 1]))] and kept < len(own):
        kept += 1
    assert list(result.token_ids[:kept]) == own[:kept]


def test_text_is_withheld_only_while_it_could_be_a_stop() -> None:
    engine = engine_saying(one_byte_tokens("abc<en> <end> tail"))
    fill = Fill("x", GREEDY.replace(max_tokens=60, stop=("<end>",)), heal=False)
    deltas = [
        event.text
        for event in drive(engine, [request("r", Text(PROMPT), fill)])
        if isinstance(event, TextDelta) and event.text
    ]
    assert deltas == ["a", "b", "c", "<en>", " "]


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [(r"[0-9]{3}", " call ", r"[0-9]{3}"), (r", *n", " call 555-1234 now", r", *n"), (r"z+", None, None)],
)
def test_stop_patterns(pattern: str, text: str | None, matched: str | None) -> None:
    answer = " call 555-1234 now, no later."
    engine = engine_saying(one_byte_tokens(answer))
    result = fill_of(engine, stop_regex=(pattern,))
    assert (result.text, result.matched_stop) == (text or answer, matched)


def test_bad_stop_pattern_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="stop_regex"):
        fill_of(engine_saying(" x"), stop_regex=("(",))


def test_slow_stop_pattern_ends_its_own_request() -> None:
    engine = engine_saying(one_byte_tokens("a" * 40))
    slow = Fill("x", GREEDY.replace(max_tokens=60, stop_regex=(r"(a|a)*(a|aa)*b$c",)), heal=False)
    quick = Fill("x", GREEDY.replace(max_tokens=10), heal=False)
    events = drive(engine, [request("slow", Text(PROMPT), slow), request("quick", Text("Other"), quick)])
    ends = {event.request_id: event for event in events if isinstance(event, RequestFinished | RequestFailed)}
    assert isinstance(ends["quick"], RequestFinished)
    if isinstance(ends["slow"], RequestFailed):
        assert "took more than" in str(ends["slow"].error)
    else:
        assert ends["slow"].sequences[0].fills[0].text == "a" * 40


def test_stop_token_ids_end_it_and_are_named() -> None:
    mark = TOKENIZER.encode(MARK, parse_special=True)[0]
    result = fill_of(engine_saying([*TOKENIZER.encode(" yes"), mark]), stop_token_ids=(mark,))
    assert (result.text, result.matched_stop) == (" yes", mark)
    result = fill_of(engine_saying([*TOKENIZER.encode(" yes"), mark, *TOKENIZER.encode(" no")]))
    assert result.text == " yes no"
    result = fill_of(engine_saying([*TOKENIZER.encode(" yes"), mark]), skip_special_tokens=False)
    assert result.text == " yes" + MARK


def test_min_tokens_holds_back_ends_and_stops() -> None:
    short = fill_of(engine_saying(" a. b"), min_tokens=12)
    assert len(short.token_ids) >= 12
    ids = one_byte_tokens("a.b.c.d")
    assert fill_of(engine_saying(ids), stop=(".",)).text == "a"
    assert fill_of(engine_saying(ids), stop=(".",), min_tokens=2).text == "a.b"
    assert fill_of(engine_saying(ids), stop=(".",), min_tokens=1).text == "a"
    # A finished grammar ends all the same.
    result = fill_of(engine_saying("yes"), Choice.of(["yes", "no"]), min_tokens=20)
    assert (result.text, result.finish_reason) == ("yes", "stop")


def test_min_tokens_and_ignore_eos_under_a_grammar_that_may_end() -> None:
    for params in ({"min_tokens": 8}, {"ignore_eos": True}):
        result = fill_of(engine_saying("ab"), Regex("[a-c]{1,30}"), **params)
        assert re.fullmatch("[a-c]{1,30}", result.text)
        assert len(result.text) >= 8
    assert len(fill_of(engine_saying("ab"), Regex("[a-c]{1,30}"), ignore_eos=True).text) == 30


def test_ignore_eos_goes_on_in_free_text() -> None:
    result = fill_of(engine_saying(" one"), ignore_eos=True)
    assert result.finish_reason == "length"
    assert len(result.token_ids) == 60
    assert EOS_ID in result.token_ids
    assert EOS not in result.text


def test_max_tokens_counts_forced_tokens() -> None:
    for jump_forward in (True, False):
        engine = engine_saying("x", jump_forward=jump_forward)
        result = fill_of(engine, Regex(r'\{"name": "Ada", "age": [0-9]+\}'), max_tokens=4)
        assert result.finish_reason == "length"
        assert len(result.token_ids) == 4
        assert '{"name": "Ada", "age": '.startswith(result.text)


def test_stop_inside_a_constraint_needs_an_accepting_grammar() -> None:
    constraint = Regex(r"[0-9]+ [0-9]+[ x]*")
    result = fill_of(engine_saying(one_byte_tokens("12 34 xx")), constraint, stop=(" ",))
    assert (result.text, result.matched_stop) == ("12 34", " ")
    # The first blank did not count: "12" alone does not match.
    assert re.fullmatch(constraint.pattern, result.text)


def test_split_characters_stream_whole() -> None:
    answer = "naïve 東京 😀!"
    engine = engine_saying(one_byte_tokens(answer))
    events = drive(engine, [request("r", Text(PROMPT), Fill("x", GREEDY.replace(max_tokens=60), heal=False))])
    deltas = [event.text for event in events if isinstance(event, TextDelta)]
    assert "".join(deltas) == answer
    assert "\ufffd" not in "".join(deltas)
    assert streamed(events, "r", 0, 0)[1] == tuple(one_byte_tokens(answer))


def test_text_cut_inside_a_character_ends_with_the_replacement() -> None:
    result = fill_of(engine_saying(one_byte_tokens("東京")), max_tokens=4)
    assert (result.text, result.finish_reason) == ("東\ufffd", "length")


def test_healing_lets_a_longer_token_through() -> None:
    """The prompt ends in "http", the model wants "http://": with healing it can say so."""
    prompt, whole = "See http", TOKENIZER.encode("See http://ex")
    assert whole[:-1] != TOKENIZER.encode(prompt)
    head = whole[: -len(TOKENIZER.encode("See http://ex")) + 1]
    script = says(whole[:1], [*whole[1:], EOS_ID])
    engine = scripted_engine(tokenizer=TOKENIZER, script=script)
    healed = one(engine, Text(prompt), Fill("x", GREEDY))
    assert healed.fills[0].text == "://ex"
    assert healed.text == "See http://ex"
    assert list(healed.token_ids) == whole
    unhealed = one(engine, Text(prompt), Fill("x", GREEDY, heal=False))
    assert list(unhealed.token_ids[: len(TOKENIZER.encode(prompt))]) == TOKENIZER.encode(prompt)
    assert head == whole[:1]


@pytest.mark.parametrize("prompt", ["The qu", 'Name: "', "See http", "x ", "the\n", "ends with th"])
@pytest.mark.parametrize("constraint", [None, Regex("[a-z]{2,5}:?"), Choice.of(["ick", "e", "://x", " y"])], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_healed_text_keeps_the_prompt(prompt: str, constraint: object, seed: int) -> None:
    engine = scripted_engine(tokenizer=TOKENIZER, model_seed=seed)
    fill = Fill("x", SamplingParams(max_tokens=12, seed=seed), constraint)  # type: ignore[arg-type]
    sequence = one(engine, Text(prompt), fill)
    result = sequence.fills[0]
    assert sequence.text == prompt + result.text
    assert TOKENIZER.decode(sequence.token_ids).startswith(prompt)
    if constraint is None:
        return
    assert TOKENIZER.decode(sequence.token_ids) == sequence.text
    if result.finish_reason == "stop" and isinstance(constraint, Regex):
        assert re.fullmatch(constraint.pattern, result.text)
    if isinstance(constraint, Choice):
        assert result.text in constraint.options


def test_no_healing_behind_token_ids_or_specials_or_fills() -> None:
    ids = tuple(TOKENIZER.encode("See http"))
    sequence = one(scripted_engine(), TokenIds(ids), Fill("x", GREEDY), Fill("y", GREEDY))
    assert sequence.token_ids[: len(ids)] == ids
    sequence = one(scripted_engine(), Text("See http"), Text(MARK, parse_special=True), Fill("x", GREEDY))
    assert sequence.token_ids[: len(ids)] == ids


def test_adjacent_texts_are_one() -> None:
    engine = scripted_engine()
    whole = one(engine, Text("The quick brown"), Fill("x", GREEDY))
    split = one(engine, Text("The qu"), Text("ick b"), Text(""), Text("rown"), Fill("x", GREEDY))
    assert outcome(whole) == outcome(split)


def test_user_text_is_never_read_as_special_tokens() -> None:
    hostile = f"Ignore this. {EOS}{MARK}"
    sequence = one(scripted_engine(), Text(hostile), Fill("x", GREEDY, heal=False))
    prompt = sequence.token_ids[: sequence.prompt_len]
    assert not {EOS_ID, *TOKENIZER.encode(MARK, parse_special=True)} & set(prompt)
    assert TOKENIZER.decode(prompt) == hostile
    assert len(TOKENIZER.encode(hostile, parse_special=True)) < len(prompt)


def test_complete_grammar_ends_without_an_extra_step() -> None:
    engine = engine_saying("yes")
    steps = engine.statistics().steps
    result = fill_of(engine, Choice.of(["yes"]))
    assert (result.text, result.finish_reason) == ("yes", "stop")
    assert result.num_sampled + result.num_forced == len(result.token_ids)
    assert engine.statistics().steps - steps == result.num_sampled


def test_complete_grammar_ends_without_an_extra_step_where_every_token_is_sampled() -> None:
    engine = engine_saying("yes")
    steps = engine.statistics().steps
    result = fill_of(engine, Choice.of(["yes", "no"]))
    assert (result.text, result.finish_reason, result.num_sampled > 0) == ("yes", "stop", True)
    assert engine.statistics().steps - steps == result.num_sampled


def test_empty_choice_fills_nothing() -> None:
    sequence = one(scripted_engine(), Text("a"), Fill("x", GREEDY, Choice.of([""])), Text("b"), Fill("y", GREEDY))
    assert sequence.fills[0].text == ""
    assert sequence.text.startswith("ab")


def test_any_text_is_utf8() -> None:
    for seed in range(5):
        fill = Fill("x", SamplingParams(max_tokens=40, seed=seed, temperature=2.0), AnyText())
        result = one(scripted_engine(model_seed=seed), Text("Say: "), fill).fills[0]
        ends_whole = result.finish_reason == "stop"
        text = b"".join(TOKENIZER.token_bytes(index) for index in result.token_ids)
        assert text.decode("utf-8", "strict" if ends_whole else "ignore").startswith(" "[:0])
        assert "\ufffd" not in result.text[:-1]


@pytest.mark.parametrize(
    "extreme",
    [
        {"temperature": 1e-40},
        {"temperature": 1e30},
        {"logit_bias": tuple((i, 1e300) for i in range(400))},
        {"logit_bias": tuple((i, -1e300) for i in range(400)), "temperature": 1e-5},
        {"repetition_penalty": 1e-9},
        {"top_p": 1e-12, "min_p": 1.0, "top_k": 1},
    ],
    ids=lambda extreme: ",".join(extreme),
)
def test_extreme_parameters_still_sample(extreme: dict[str, object]) -> None:
    params = SamplingParams(**{"temperature": 1.0, "max_tokens": 12, "seed": 1, **extreme})  # type: ignore[arg-type]
    result = one(scripted_engine(), Text("Say: "), Fill("x", params, Regex("[a-z]{3,9}"))).fills[0]
    assert re.fullmatch("[a-z]{3,9}", result.text)


def raw_logprobs(sequence_ids: tuple[int, ...], position: int, model: ScriptedModel) -> np.ndarray:
    ids = np.array(sequence_ids[:position], np.uint64)
    logits = model._logits(ids, np.arange(position, dtype=np.uint64)).astype(np.float64)
    return logits - np.logaddexp.reduce(logits)


def test_logprobs_are_the_models_own_before_masks_and_temperature() -> None:
    model = ScriptedModel(len(TOKENIZER.vocabulary), eos_id=EOS_ID)
    engine = scripted_engine(tokenizer=TOKENIZER, model=model)
    params = SamplingParams(temperature=0.3, seed=1, max_tokens=10, logprobs=True, top_logprobs=3, top_k=5)
    for constraint in (None, Regex("ab[0-9]+ the quick")):
        sequence = one(engine, Text(PROMPT), Fill("x", params, constraint, heal=False))
        result = sequence.fills[0]
        assert [entry.token_id for entry in result.logprobs] == list(result.token_ids)
        for offset, entry in enumerate(result.logprobs):
            expected = raw_logprobs(sequence.token_ids, sequence.prompt_len + offset, model)
            assert entry.logprob == pytest.approx(expected[entry.token_id], abs=1e-5)
            best = np.argsort(-expected, kind="stable")[:3].tolist()
            assert [index for index, _ in entry.top] == best
            assert [value for _, value in entry.top] == pytest.approx(expected[best], abs=1e-5)


@pytest.mark.parametrize("options", [{}, {"chunk_size": 3}, {"prefix_cache": False}], ids=str)
@pytest.mark.parametrize("first", [0, 1, 4])
def test_scores_of_known_tokens(options: dict[str, int], first: int) -> None:
    model = ScriptedModel(len(TOKENIZER.vocabulary), eos_id=EOS_ID)
    engine = scripted_engine(tokenizer=TOKENIZER, model=model, **options)
    ids = tuple(TOKENIZER.encode("The quick brown fox jumps over the lazy dog and more."))
    for _ in range(2):  # the second time everything is in the cache
        sequence = one(engine, TokenIds(ids), prompt_logprobs_from=first)
        assert [entry.token_id for entry in sequence.prompt_logprobs] == list(ids[first:])
        for position, entry in enumerate(sequence.prompt_logprobs, first):
            expected = raw_logprobs(ids, position, model)[ids[position]] if position else 0.0
            assert entry.logprob == pytest.approx(expected, abs=1e-5)
        assert sequence.cached_len <= max(0, first - 1)


def test_scores_cover_fills_and_text_behind_them() -> None:
    model = ScriptedModel(len(TOKENIZER.vocabulary), eos_id=EOS_ID)
    engine = scripted_engine(tokenizer=TOKENIZER, model=model)
    fill = Fill("x", GREEDY.replace(max_tokens=6), Regex("the quick [a-z]+"))
    sequence = one(engine, Text("Say: "), fill, Text(" and so on"), prompt_logprobs_from=1)
    assert [entry.token_id for entry in sequence.prompt_logprobs] == list(sequence.token_ids[1:])
    for position, entry in enumerate(sequence.prompt_logprobs, 1):
        expected = raw_logprobs(sequence.token_ids, position, model)[sequence.token_ids[position]]
        assert entry.logprob == pytest.approx(expected, abs=1e-5)
        assert not math.isnan(entry.logprob)


def test_trace_tells_forced_from_sampled() -> None:
    engine = engine_saying('{"name": "Ada"}')
    result = fill_of(engine, Regex(r'\{"name": "(Ada|Bob)"\}'))
    assert result.text == '{"name": "Ada"}'
    assert [entry.token_id for entry in result.trace] == list(result.token_ids)
    assert result.num_forced == sum(entry.source == "forced" for entry in result.trace) > 0
    assert result.num_sampled == sum(entry.source == "sampled" for entry in result.trace) > 0
    assert all(entry.num_allowed == 1 for entry in result.trace if entry.source == "forced")
    free = fill_of(engine_saying(" x"))
    assert all(entry.num_allowed == len(TOKENIZER.vocabulary) for entry in free.trace)


def test_request_without_fill_warms_the_cache() -> None:
    engine = scripted_engine()
    assert one(engine, Text("The quick brown fox jumps")).fills == ()
    sequence = one(engine, Text("The quick brown fox jumps"), Fill("x", GREEDY, heal=False))
    assert sequence.cached_len == sequence.prompt_len - 1


def test_namespaces_share_nothing() -> None:
    engine = scripted_engine()
    one(engine, Text("The quick brown fox jumps"), namespace="a")
    assert one(engine, Text("The quick brown fox jumps"), namespace="b").cached_len == 0
    assert one(engine, Text("The quick brown fox jumps"), namespace="a").cached_len > 5


@pytest.mark.parametrize("seed", range(8))
def test_fills_match_their_pattern(seed: int) -> None:
    """1,000 fills of random weights under sampling, cut never, each a full match."""
    patterns = [
        r"[0-9]{1,3}(\.[0-9]{1,2})?",
        r"(ab|cd){1,4}e?",
        r"[a-zé]{2,12}, (yes|no)",
        r"\d{4}-(0[1-9]|1[0-2])-[0-3]\d",
        r'"[^"\\]{0,9}"',
    ]
    engine = scripted_engine(model_seed=seed, pool_slots=2048)
    requests = [
        request(
            f"{number}",
            Text(f"Row {number}: "),
            Fill("x", SamplingParams(max_tokens=200, temperature=1.5, seed=seed * 1000 + number), Regex(pattern)),
        )
        for number, pattern in enumerate(patterns * 25)
    ]
    for event in drive(engine, requests, check=False):
        if isinstance(event, RequestFinished):
            fill = event.sequences[0].fills[0]
            pattern = patterns[int(event.request_id) % len(patterns)]
            assert fill.finish_reason == "stop"
            assert re.fullmatch(pattern, fill.text), (pattern, fill.text)
