"""The embedded model: its data keep to their split, its tokenizer copies, its checkpoint loads and answers."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

import slipform as sf
from slipform.runtime.embedded import augmentation, lexicon
from slipform.runtime.embedded.batches import encoded, pack
from slipform.runtime.embedded.calling import absent_rival, function_call
from slipform.runtime.embedded.copying import scenes_with_questions
from slipform.runtime.embedded.documents import DOMAINS, SLOT, slots_of
from slipform.runtime.embedded.evaluate import last_answer
from slipform.runtime.embedded.examples import Example, compact_json
from slipform.runtime.embedded.generate import examples, pieces
from slipform.runtime.embedded.instructions import INSTRUCTIONS
from slipform.runtime.embedded.label_questions import draw_question, fill, label_questions, parse_question, questions_of
from slipform.runtime.embedded.labelling import named, scenes_with_conclusions, word_classes
from slipform.runtime.embedded.linking import ToolWords, WantedField, beside_values, between_request_and_tools
from slipform.runtime.embedded.passages import random_document, write_scene
from slipform.runtime.embedded.scenes import choose_wordings, mixed_scene, paraphrased, parse_scene, scenes, scenes_of
from slipform.runtime.embedded.scoring import Rate, same, score_calls, score_object
from slipform.runtime.embedded.source import Source, Split, entity_is_held_out
from slipform.runtime.embedded.statements import change, statement
from slipform.runtime.embedded.tool_parts import names_its_tool
from slipform.runtime.embedded.tool_rivals import confusable
from slipform.runtime.embedded.tool_sheets import parse_sheet, parse_tool
from slipform.runtime.embedded.tools import allowed_requests, any_tool, held_out, state_request
from slipform.runtime.embedded.values import Decimal
from slipform.runtime.models.loader import load_model
from tests.runtime.running_models import Runner

ROOT = Path(__file__).resolve().parent.parent.parent
MODEL = ROOT / "runtime" / "embedded" / "model"


def some(split: Split, seed: int, count: int) -> list[Example]:
    return list(itertools.islice(examples(split, seed), count))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


def test_same_seed_same_examples() -> None:
    assert some("train", 7, 40) == some("train", 7, 40)
    assert some("train", 7, 40) != some("train", 8, 40)
    assert some("heldout", 7, 40) != some("train", 7, 40)


@pytest.mark.parametrize("words", [lexicon.FIRST_NAMES, lexicon.LAST_NAMES, lexicon.CITIES, lexicon.PRODUCT_HEADS])
def test_names_belong_to_one_split(words: tuple[str, ...]) -> None:
    train, test = Source(1, "train"), Source(1, "heldout")
    assert not any(entity_is_held_out(train.entity(words)) for _ in range(500))
    assert all(entity_is_held_out(test.entity(words)) for _ in range(500))


@pytest.mark.parametrize("wordings", [INSTRUCTIONS, *(domain.sentences for domain in DOMAINS)])
def test_wordings_belong_to_one_split(wordings: tuple[str, ...]) -> None:
    train, test = Source(1, "train").phrases(wordings), Source(1, "heldout").phrases(wordings)
    held = {index for index in range(len(wordings)) if index % 10 == 3}
    assert list(test) == [wordings[index] for index in sorted(held)]
    assert list(train) == [text for index, text in enumerate(wordings) if index not in held]


def test_tools_belong_to_one_split() -> None:
    train, test = Source(3, "train"), Source(3, "heldout")
    for source, wanted in ((train, False), (test, True)):
        hand_written = [tool for tool in (any_tool(source) for _ in range(300)) if not tool.composed]
        assert hand_written
        assert all(held_out(tool.name) is wanted for tool in hand_written)


def test_every_slot_of_a_sentence_is_a_field() -> None:
    for domain in DOMAINS:
        kinds = {field.kind for field in domain.fields}
        for sentence in domain.sentences:
            assert slots_of(sentence) <= kinds, sentence


def test_documents_hold_what_they_state() -> None:
    source = Source(5, "train")
    for _ in range(200):
        document = random_document(source)
        for kind, value in document.stated.items():
            assert value.surface in document.text, (kind, document.text)


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_answers_match_their_schema(split: Split) -> None:
    checked = 0
    for example in some(split, 11, 250):
        answer = last_answer(example)[1]
        if example.schema is None or answer[:1] not in ("{", "["):
            continue
        jsonschema.validate(json.loads(answer), example.schema, jsonschema.Draft202012Validator)
        checked += 1
    assert checked > 100


def test_scenes_state_what_they_draw() -> None:
    source = Source(4, "train")
    for scene in scenes():
        document = write_scene(source, scene)
        assert not SLOT.findall(document.text), document.text
        for kind, value in document.stated.items():
            assert value.surface in document.text, (kind, document.text)


def test_scenes_are_held_out_whole() -> None:
    train, test = scenes_of("train"), scenes_of("heldout")
    assert sorted(map(id, train + test)) == sorted(map(id, scenes()))
    assert 0.08 < len(test) / len(scenes()) < 0.12
    assert not {scene.text for scene in train} & {scene.text for scene in test}


def test_a_scene_names_its_slots_by_role_where_they_have_rivals() -> None:
    scene = parse_scene(
        " note | paid=true; state=new(new,old)\n{sender:person} to {recipient/guest:person2}< on {day:date}|>"
    )
    assert "name" not in scene.fields["sender"].keys + scene.fields["recipient"].keys
    assert "guest" in scene.fields["recipient"].keys
    assert "date" in scene.fields["day"].keys
    assert scene.concluded["paid"].json is True
    assert scene.fields["state"].options == ("new", "old")
    texts = {choose_wordings(Source(seed, "train"), scene.text) for seed in range(20)}
    assert texts == {"{sender} to {recipient}", "{sender} to {recipient} on {day}"}


@pytest.mark.parametrize(
    "text",
    [" note\n{a:nothing}", " note\n{a:person} {a:person}", " note\n{a}", " note | paid\nx", " note | s=c(a,b)\nx"],
)
def test_a_malformed_scene_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        parse_scene(text)


def test_mixed_sentences_hold_one_value_of_each_group() -> None:
    source = Source(6, "train")
    mixed = [scene for scene in (mixed_scene(source, scenes()) for _ in range(60)) if scene]
    assert len(mixed) > 30
    for scene in mixed:
        assert set(SLOT.findall(scene.text)) >= scene.kinds.keys()


def test_held_out_requests_name_their_tool() -> None:
    source = Source(8, "heldout")
    for _ in range(200):
        tool = any_tool(source)
        if not tool.composed:
            assert all(names_its_tool(request, tool) for request in allowed_requests(source, tool))
    sms = parse_tool("send_sms | Send a text message|SMS\nnumber:phone, text:sentence?\nText {number}: {text}\n")
    assert sms.required == 1
    assert not names_its_tool("Ring {number}", sms)
    with pytest.raises(ValueError, match="nobody"):
        parse_tool("call | Call\nnumber:phone\nCall {nobody}\n")


SHEET = """@ old_tool | Old one|Older one
name:person
Old thing for {name}

== ferries | taxis old_tool
@ book_ferry | Book a ferry|Reserve a crossing
day:date, quiet=true(in silence)|false(with music)?, deck=upper(high up;on top)|lower?
Ferry on {day}<, {quiet}|><, {deck}|>
@ cancel_ferry | Cancel a ferry|Crossing off
day:date
No ferry on {day}

== taxis
@ order_cab | Order a cab|Ride in town
at:time
Cab at {at}
@ fly_kite | Fly a kite|Kites in the wind
at:time
Kite at {at}
"""


def test_tools_of_a_section_are_rivals() -> None:
    old, book, cancel, cab, kite = parse_sheet(SHEET)
    assert (old.section, book.section, cab.section) == ("", "ferries", "taxis")
    assert not confusable(book, cancel)
    assert confusable(book, book)
    assert confusable(book, cab)
    assert confusable(old, cancel)
    assert confusable(cab, replace(kite, section="toys", about=("Ride a kite",)))
    assert not confusable(old, replace(kite, section="toys"))


def test_options_may_be_worded() -> None:
    book = parse_sheet(SHEET)[1]
    assert [p.type for p in book.parameters] == ["date", "boolean", "string"]
    assert book.parameters[2].options == ("upper", "lower")
    source = Source(1, "train")
    seen = set()
    for _ in range(60):
        request = state_request(source, book)
        assert ("in silence" in request.text) == (request.arguments.get("quiet") is True)
        assert ("lower" in request.text) == (request.arguments.get("deck") == "lower")
        seen |= {word for word in ("high up", "on top") if word in request.text}
        assert not seen or "upper" not in request.text
    assert seen == {"high up", "on top"}


def test_parameters_may_be_described() -> None:
    declared = "a:city[where from; start], day:date[of departure]?, slow=true(slowly)|false(fast)[no hurry]?"
    start, day, slow = parse_tool(f"fly | Fly\n{declared}\nFly {{a}}\n").parameters
    assert (start.names[0], start.about) == ("a", ("where from", "start"))
    assert day.about == ("of departure", "of departure (YYYY-MM-DD)")
    assert (slow.type, slow.about, slow.surfaces) == ("boolean", ("no hurry",), ("slowly", "fast"))


def test_a_request_shared_by_rivals_keeps_their_meaning() -> None:
    book = ToolWords(frozenset({"book", "ferry"}), frozenset(), called=True)
    cancel = ToolWords(frozenset({"cance", "ferry"}), frozenset(), called=False)
    assert between_request_and_tools("get me on the ferry", [book, cancel], "") == ()
    assert between_request_and_tools("book the ferry", [book, cancel], "") == ("book", "cance", "ferry")


def test_requests_may_follow_one_another_and_miss_their_tool() -> None:
    source = Source(12, "train")
    chats = [function_call(source) for _ in range(400)]
    assert any(sum(turn.learn for turn in e.turns) == 2 and isinstance(e.target, list) for e in chats)
    found = [near for near in (absent_rival(source) for _ in range(60)) if near]
    assert len(found) > 10
    for text, offered in found:
        assert text
        assert any(o.tool.section for o in offered)


def test_a_changed_fact_has_both_values() -> None:
    source = Source(9, "train")
    for _ in range(100):
        text, fields = change(source, "EUR")
        (old, before), (new, after) = fields
        assert before.json != after.json
        assert before.surface in text
        assert after.surface in text
        assert old.type == new.type


def test_statements_hold_label_and_value() -> None:
    source = Source(10, "train")
    for _ in range(200):
        text = statement(source, "spare key", "XK-9")
        assert "XK-9" in text
        assert "spare key" in text.lower()


def test_calls_use_tools_on_offer() -> None:
    source = Source(2, "train")
    for _ in range(150):
        example = function_call(source)
        shown = "".join(text for text, _ in pieces(example)[:-1])
        calls = example.target if isinstance(example.target, list) else []
        for call in calls:
            assert call["name"] in shown


def test_tokenizer_gives_bytes_back_and_splits_digits(tokenizer: Tokenizer) -> None:
    for text in ("Ünïcode — naïve “quotes” 🦊\n\ttabs", "a" * 50, '{"k": [1, 2.50, null]}', "日本語 한국어 עברית"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert tokenizer.encode("2025").tokens == ["2", "0", "2", "5"]


@pytest.mark.parametrize("name", ["Anna", "Wiśniewski", "Tarvello", "Saint-Malo"])
def test_a_word_is_spelt_alike_in_prose_and_in_json(tokenizer: Tokenizer, name: str) -> None:
    word = tokenizer.encode(name).ids
    for text in (f"I am {name}.", f'{{"name":"{name}","x":1}}', f'["{name}"]'):
        ids = tokenizer.encode(text).ids
        assert any(ids[i : i + len(word)] == word for i in range(len(ids))), text


def test_chat_template_writes_what_was_trained() -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    seen_tools = 0
    for example in some("train", 13, 60):
        if any(turn.role == "plain" for turn in example.turns):
            continue
        messages = [{"role": turn.role, "content": turn.content} for turn in example.turns]
        tools = list(example.tools) or None
        seen_tools += tools is not None
        text = "".join(text for text, _ in pieces(example))
        assert tokenizer.apply_chat_template(messages, tools=tools, tokenize=False) == text
    assert seen_tools


def test_pieces_encode_like_the_whole(tokenizer: Tokenizer) -> None:
    differing = 0
    for example in some("train", 17, 100):
        parts = [text for text, _ in pieces(example)]
        apart = [token for text in parts for token in tokenizer.encode(text).ids]
        differing += apart != tokenizer.encode("".join(parts)).ids
    assert differing <= 2


def test_swapped_words_change_prompt_and_answer_alike(tokenizer: Tokenizer) -> None:
    words = augmentation.vocabulary_words(tokenizer)
    source = Source(1, "train")
    changed = 0
    for example in some("train", 19, 1000):
        if example.task != "copy" or example.turns[-1].role == "plain":
            continue
        before, after = pieces(example), augmentation.swapped(example, source, words)
        prompt, answer = "".join(text for text, _ in after[:-1]), after[-1][0].removesuffix("<|end|>")
        if before != after and ":" not in answer and answer not in ("unknown", last_answer(example)[1]):
            assert answer in prompt
            changed += 1
    assert changed > 0


@pytest.mark.parametrize("task", ["tool", "extract"])
def test_made_up_links_stand_on_both_sides(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    for share in ("EXAMPLES_SHARE", "NOISY_SHARE"):
        monkeypatch.setattr(augmentation, share, 0.0)
    words = augmentation.vocabulary_words(tokenizer)
    source = Source(1, "train")
    changed = 0
    for example in some("train", 29, 400):
        if example.task != task or example.turns[-1].parts or not example.linking:
            continue
        before, after = pieces(example), augmentation.swapped(example, source, words)
        if before == after:
            continue
        prompt = "".join(text for text, learn in after if not learn)
        wanted, answer = json.loads(last_answer(example)[1]), json.loads(after[-1][0].removesuffix("<|end|>"))
        calls = answer if isinstance(answer, list) else [answer]
        if task == "tool" and all("arguments" in call for call in calls):
            originals = wanted if isinstance(wanted, list) else [wanted]
            assert [call["arguments"] for call in calls] == [call["arguments"] for call in originals]
            assert all(call["name"] in prompt for call in calls)
            changed += any(call["name"] != old["name"] for call, old in zip(calls, originals, strict=True))
        elif task == "extract":
            assert list(answer.values()) == list(wanted.values())
            assert all(key in prompt for key in answer)
            changed += answer.keys() != wanted.keys()
    assert changed > 5


def test_a_request_without_its_tools_words_keeps_their_meaning() -> None:
    doctor = ToolWords(frozenset({"docto", "visit"}), frozenset({"where"}), called=True)
    other = ToolWords(frozenset({"garag"}), frozenset(), called=False)
    assert between_request_and_tools("I feel ill, get me a doctor", [doctor, other], "") == ("docto", "garag", "visit")
    assert between_request_and_tools("I feel ill", [doctor, other], "") == ("garag",)
    assert between_request_and_tools("a doctor for my garage", [doctor, other], "the garage") == ("docto", "visit")


def test_only_words_beside_a_value_link_it() -> None:
    fields = [WantedField("gate", (), "B12"), WantedField("airline", (), "Nordwind"), WantedField("seat", (), None)]
    passage = "Boarding at gate B12. Your seat is free. Nordwind wishes a good flight."
    assert beside_values(passage, fields, ["B12", "Nordwind"]) == ("gate",)
    assert beside_values(passage, fields, ["B12", "Nordwind", "the gate"]) == ()


def test_synonyms_leave_slots_and_held_out_wordings_alone() -> None:
    template = "I bought {bought:date}{product}. Please send the invoice to {invoice}."
    texts = {paraphrased(Source(seed, "train"), template) for seed in range(60)}
    assert len(texts) > 5
    assert all("{bought:date}{product}" in text and "{invoice}" in text for text in texts)
    assert {paraphrased(Source(seed, "heldout"), template) for seed in range(60)} == {template}


def test_packed_batches_keep_sequences_apart(tokenizer: Tokenizer) -> None:
    batch = next(pack(encoded(tokenizer, "train", "1", 512), 4096, 64, np.random.default_rng(0)))
    borders = batch.borders.tolist()
    assert borders == sorted(borders)
    assert borders[-1] == 4096
    for start, end in itertools.pairwise(borders):
        if end > start and batch.ids[start] != 0:
            assert batch.positions[start:end].tolist() == list(range(end - start))
    assert not set(borders[:-1]) & set(batch.learnt[batch.weights > 0].tolist())


def test_scores() -> None:
    assert same({"a": 49.5, "b": ["x"]}, {"a": 49.50, "b": ["x"]})
    assert not same({"a": True}, {"a": 1})
    assert not same({"a": None}, {"a": ""})
    assert compact_json({"a": Decimal("49.50"), "b": None}) == '{"a":49.50,"b":null}'
    assert score_object({"a": 1, "b": 2}, {"a": 1, "b": 3}) == {"field": Rate(1, 2), "object": Rate(0, 1)}
    call = {"name": "f", "arguments": {"x": 1}}
    assert score_calls([call], [call]) == {"tool": Rate(1, 1), "arguments": Rate(1, 1), "argument": Rate(1, 1)}
    assert score_calls([call], [])["tool"] == Rate(0, 1)
    assert score_calls([], [])["tool"] == Rate(1, 1)
    low, high = Rate(8, 10).interval
    assert 0.4 < low < 0.8 < high < 0.97


def test_checkpoint_is_small_and_sharded() -> None:
    shards = sorted(MODEL.glob("*.safetensors"))
    assert len(shards) == 2
    assert all(shard.stat().st_size <= 16_000_000 for shard in shards)
    assert sum(shard.stat().st_size for shard in shards) <= 32_000_000


def test_native_logits_equal_transformers() -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    reference = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    native = Runner(load_model(MODEL, dtype=torch.float32, device="cpu"))
    for example in some("heldout", 23, 4):
        ids = tokenizer(last_answer(example)[0], return_token_type_ids=False).input_ids[:300]
        with torch.no_grad():
            expected = reference(torch.tensor([ids])).logits[0, -1]
        torch.testing.assert_close(native.logits(ids).flatten(), expected, rtol=1e-3, atol=1e-3)


@sf.function
def ask(s: Any, message: str, schema: dict[str, Any]) -> None:
    s += sf.user(message)
    s += sf.assistant(sf.gen("answer", schema=schema, temperature=0, max_tokens=120))


@sf.function
def label(s: Any, message: str, options: list[str]) -> None:
    s += sf.user(message)
    s += sf.assistant(sf.select("answer", options))


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    with sf.Engine() as engine:
        yield engine


def strings(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}


@pytest.mark.parametrize(
    ("message", "schema", "expected"),
    [
        (
            "Extract the ticket as JSON.\n\nHi, I'm Maria Lopez. The blender I bought from you on 3 May 2024 stopped"
            " working. Call me at 555-201-3344.\n\nFields: name, product, purchase_date (YYYY-MM-DD), phone",
            strings("name", "product", "purchase_date", "phone"),
            {"name": "Maria Lopez", "product": "blender", "purchase_date": "2024-05-03", "phone": "555-201-3344"},
        ),
        (
            "Extract the data as JSON.\nFields: company, total, due_date\n\nHello Bob, attached is our invoice over"
            " 1,250.00 EUR from Northwind Traders, please pay until March 3rd, 2025. Thanks, Jim",
            {
                "type": "object",
                "properties": {
                    "company": {"type": "string"},
                    "total": {"type": "number"},
                    "due_date": {"type": "string", "format": "date"},
                },
                "required": ["company", "total", "due_date"],
            },
            {"company": "Northwind Traders", "total": 1250.0, "due_date": "2025-03-03"},
        ),
    ],
)
def test_answers_about_typed_in_text(engine: Any, message: str, schema: dict[str, Any], expected: Any) -> None:
    assert ask.run(message=message, schema=schema, backend=engine)["answer"] == expected


def test_labels_a_review(engine: Any) -> None:
    text = "The pizza was cold and the waiter ignored us all evening."
    message = f"Is the review positive or negative?\nOptions: positive, negative\n\n{text}"
    assert label.run(message=message, options=["positive", "negative"], backend=engine)["answer"] == "negative"


@pytest.mark.parametrize(("name", "count"), [("handwritten", 60), ("development", 30)])
def test_examples_written_by_hand_are_sound(name: str, count: int) -> None:
    rows = [json.loads(line) for line in (ROOT / "tests" / "data" / f"{name}.jsonl").read_text().splitlines()]
    assert len(rows) == count
    for row in rows:
        jsonschema.validate(row["expected"], row["schema"], jsonschema.Draft202012Validator)


def test_a_question_brings_options_and_texts() -> None:
    asked = parse_question(" wish/aim: What is wanted? | Aim?\n> buy/get\nSell me <one|two>.\n> sell\nTake {product}.")
    assert asked.keys == ("wish", "aim")
    assert asked.names == {"buy": ("buy", "get"), "sell": ("sell",)}
    assert asked.texts == (("buy", "Sell me <one|two>."), ("sell", "Take {product}."))
    assert fill(Source(1, "train"), "{n} of the {thing}", {"n": "3", "thing": "lamps"}) == "3 of the lamps"


@pytest.mark.parametrize(
    "text",
    [
        " wish: ?\n> buy\nx",
        " wish: ?\nx\n> buy\nx",
        " wish: ?\n> a\nx\n> a\ny",
        " wish: ?\n> a\n> b\nx",
        " wish: ?\n> a\n{nothing}\n> b\ny",
    ],
)
def test_a_malformed_question_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"option|kind"):
        parse_question(text)


def test_held_out_questions_and_texts_are_not_in_training() -> None:
    train, test = Source(2, "train"), Source(2, "heldout")
    learnt = {(id(asked), text) for asked, _, text in (draw_question(train) for _ in range(4000))}
    drawn = [(id(asked), text) for asked, _, text in (draw_question(test) for _ in range(500))]
    assert not learnt & set(drawn)
    known = {question for question, _ in learnt}
    assert {True, False} == {question in known for question, _ in drawn}


def test_questions_that_share_texts_are_on_one_side() -> None:
    """Of the shipped material, also where two questions are tied by a third."""
    train, test = questions_of("train"), questions_of("heldout")
    assert sorted(map(id, train + test)) == sorted(map(id, label_questions()))
    assert 0.04 < len(test) / len(label_questions()) < 0.16
    learnt = {text for question in train for _, text in question.texts}
    assert not learnt & {text for question in test for _, text in question.texts}


def test_scenes_that_conclude_or_ask_keep_to_their_split() -> None:
    for chosen in (scenes_with_conclusions, scenes_with_questions):
        assert chosen("heldout")
        assert not {scene.text for scene in chosen("heldout")} & {scene.text for scene in chosen("train")}


def test_a_scene_brings_questions_for_its_slots() -> None:
    scene = parse_scene(" note\n{who:person} came.\n? who: Who came? | Name the visitor.\n? unknown: Why?")
    assert scene.text == "{who} came."
    assert scene.questions == {"who": ("Who came?", "Name the visitor."), "unknown": ("Why?",)}
    with pytest.raises(ValueError, match="no slot"):
        parse_scene(" note\n{who:person} came.\n? where: Where?")


def test_classes_that_share_a_word_are_never_options_together() -> None:
    by_name = {each.name: each for each in word_classes()}
    for seed in range(300):
        own = Source(seed, "train").pick(word_classes())
        _, others = named(Source(seed, "train"), own)
        assert not any(set(by_name[other.name].words) & set(own.words) for other in others)
