import itertools
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from slipform.runtime.embedded import word_meaning
from slipform.runtime.embedded.batches import PROMPT_WEIGHT, encoded, pack
from slipform.runtime.embedded.copying import role_answers
from slipform.runtime.embedded.dictionary import FILE, dictionary, form_in, word_is_held_out
from slipform.runtime.embedded.examples import compact_json
from slipform.runtime.embedded.extraction import role_extraction
from slipform.runtime.embedded.generate import examples, exercises
from slipform.runtime.embedded.kinds import KINDS
from slipform.runtime.embedded.make_dictionary import Maker, read_wordnet, told
from slipform.runtime.embedded.passages import write_scene
from slipform.runtime.embedded.property_names import other_names, unclaimed
from slipform.runtime.embedded.role_scenes import role_scene
from slipform.runtime.embedded.roles import is_held_out, names, parse_deed, roots, settings
from slipform.runtime.embedded.schema_fields import Field
from slipform.runtime.embedded.source import Source, Split
from slipform.runtime.embedded.word_meaning import TEXT_WEIGHT, draw_exercise
from slipform.runtime.embedded.word_questions import SYNONYM_CHECKS

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "runtime" / "embedded" / "model"
YES_OR_NO = ({"yes", "no"}, {"true", "false"})


def test_the_dictionary_keeps_its_promises() -> None:
    book = dictionary()
    assert len({sense.word for sense in book.senses}) > 20_000
    assert FILE.stat().st_size < 2_000_000
    for sense in book.senses:
        assert set(sense.classes) <= sense.all_classes, sense
        assert not set(sense.synonyms) & set(sense.opposites), sense
        assert sense.word not in (*sense.synonyms, *sense.opposites, *sense.siblings), sense
        assert all(form_in(sense.word.lower(), text) for text in sense.examples), sense
        assert sense.word.lower() not in sense.gloss.split(), sense
    assert all(number < len(book.classes) for sense in book.senses for number in sense.all_classes)


def answers_of(split: Split, count: int) -> list[tuple[str, word_meaning.Exercise]]:
    source = Source(5, split)
    return [draw_exercise(source) for _ in range(count)]


def test_exercises_say_what_the_dictionary_says() -> None:
    book = dictionary()
    senses = defaultdict(list)
    for sense in book.senses:
        senses[sense.word].append(sense)
    seen: Counter[str] = Counter()
    for kind, exercise in answers_of("train", 4000):
        own = senses[exercise.word]
        wrong = set(exercise.options) - {exercise.answer}
        if set(exercise.options) in YES_OR_NO:
            continue
        seen[kind] += 1
        if kind == "synonym":
            assert any(exercise.answer in sense.synonyms for sense in own)
            assert not any(wrong & set(sense.synonyms) for sense in own)
        elif kind == "kind":
            assert any(exercise.answer in sense.kinds for sense in own)
            assert not any(wrong & {*sense.kinds, *sense.synonyms} for sense in own)
        elif kind == "keyword":
            assert any(exercise.answer in {*sense.synonyms, *sense.kinds} for sense in own)
            assert not any(wrong & {*sense.synonyms, *sense.kinds} for sense in own)
            assert not any(word in exercise.text for word in wrong)
        elif kind == "opposite":
            assert any(exercise.answer in sense.opposites for sense in own)
            assert not any(wrong & set(sense.opposites) for sense in own)
        elif kind == "definition":
            assert exercise.answer == exercise.word or any(exercise.answer == sense.gloss for sense in own)
            assert not any(sense.gloss in wrong for sense in own)
        elif kind == "class" and exercise.answer != exercise.word:
            assert any(exercise.answer in book.classes[i].names for sense in own for i in sense.classes)
            meant = {name for sense in own for i in sense.all_classes for name in book.classes[i].names}
            assert not wrong & meant
        elif kind == "word in a text":
            assert form_in(exercise.word.lower(), exercise.text) or exercise.answer in exercise.text
            assert exercise.text.count(exercise.answer) == 1
    assert min(seen.values()) > 50
    assert len(seen) == len(word_meaning.KINDS)


def test_yes_and_no_are_balanced_and_right() -> None:
    book = dictionary()
    told_yes: Counter[bool] = Counter()
    for kind, exercise in answers_of("train", 6000):
        if kind == "synonym" and set(exercise.options) in YES_OR_NO:
            partners = {word for sense in book.senses if sense.word == exercise.word for word in sense.synonyms}
            checks = (form.replace("{word}", exercise.word) for form in SYNONYM_CHECKS)
            true = {form.replace("{other}", word).lower() for form in checks for word in partners}
            said = exercise.answer in ("yes", "true")
            assert said == (exercise.asked.lower() in true)
            told_yes[said] += 1
    assert 0.6 < told_yes[True] / told_yes[False] < 1.6


def test_held_out_words_are_not_asked_about_in_training() -> None:
    words = {sense.word for sense in dictionary().senses}
    for kind, exercise in answers_of("train", 3000):
        assert not word_is_held_out(exercise.word)
        if kind in ("synonym", "opposite") and set(exercise.options) not in YES_OR_NO:
            assert exercise.answer not in words or not word_is_held_out(exercise.answer)
    assert all(word_is_held_out(exercise.word) for _, exercise in answers_of("heldout", 500))


def test_the_held_out_split_holds_real_tasks_only() -> None:
    origins = {example.origin for example in itertools.islice(examples("heldout", 3), 400)}
    drilled = {example.origin for example in itertools.islice(exercises("heldout", 3), 100)}
    assert drilled >= {"composed roles", "dictionary"}
    assert not origins & drilled
    assert drilled & {example.origin for example in itertools.islice(examples("train", 3), 400)}


def test_dictionary_text_weighs_less_than_answers() -> None:
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    batch = next(pack(encoded(tokenizer, "train", "1", 2048), 65536, 400, np.random.default_rng(0)))
    assert set(batch.weights.tolist()) == {float(np.float32(w)) for w in (PROMPT_WEIGHT, TEXT_WEIGHT, 1.0)}


# Lines of WordNet's own form: tool (a kind of entity), trowel and spade (kinds of tool), buy and purchase, sell.
DATA_NOUN = """\
  1 licence
00000010 03 n 01 thing 0 000 | that which is
00000020 06 n 01 tool 0 003 @ 00000010 n 0000 ~ 00000030 n 0000 ~ 00000040 n 0000 | an implement; "bring the tools"
00000030 06 n 01 trowel 0 001 @ 00000020 n 0000 | a small hand tool with a flat metal blade; "he took the trowel"
00000040 06 n 02 spade 0 Grand_Thing 0 001 @ 00000020 n 0000 | a sturdy hand implement for digging
00000050 05 n 01 spade 0 001 @ 00000010 n 0000 | an animal of the same name
"""
DATA_VERB = """\
  1 licence
00000110 40 v 02 buy 0 purchase 0 001 ! 00000120 v 0101 00 | obtain by paying; "the family purchased a new car"
00000120 40 v 01 sell 0 001 ! 00000110 v 0101 00 | exchange for money
"""
INDEX_NOUN = """\
thing n 1 0 1 0 00000010
tool n 1 1 @ 1 0 00000020
trowel n 1 1 @ 1 0 00000030
spade n 2 1 @ 2 1 00000040 00000050
"""
INDEX_VERB = """\
buy v 1 1 ! 1 1 00000110
purchase v 1 1 ! 1 1 00000110
sell v 1 1 ! 1 1 00000120
"""


def test_a_dictionary_is_made_from_wordnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = dict.fromkeys(["data.adj", "data.adv", "index.adj", "index.adv", "noun.exc", "adj.exc", "adv.exc"], "")
    files = {"data.noun": DATA_NOUN, "data.verb": DATA_VERB, "index.noun": INDEX_NOUN, "index.verb": INDEX_VERB}
    counts = "spade%1:06:00:: 1 7\nbuy%2:40:00:: 1 9\n"
    for name, text in {**empty, **files, "cntlist.rev": counts, "verb.exc": "bought buy\n"}.items():
        (tmp_path / name).write_text(text)
    classes = tmp_path / "classes.txt"
    classes.write_text("# classes\n[made things]\ntool: tools/hand tools\nthing: things ~\n")
    monkeypatch.setattr("slipform.runtime.embedded.make_dictionary.CLASSES", classes)
    maker = Maker(read_wordnet(tmp_path), lambda word: 1.0 if word == "tool" else 4.0)
    found = {row["word"]: row for row in maker.rows()}
    assert found.keys() == {"thing", "trowel", "spade", "buy", "purchase", "sell"}
    assert found["trowel"]["gloss"] == "a small hand tool with a flat metal blade"
    assert found["trowel"]["examples"] == ["he took the trowel"]
    assert [maker.class_rows[i][2][0] for i in found["trowel"]["classes"]] == ["tools", "things"]
    assert found["trowel"]["kinds"] == []
    assert found["trowel"]["siblings"] == ["spade"]
    assert found["purchase"]["examples"] == ["the family purchased a new car"]
    assert found["buy"]["synonyms"] == ["purchase"]
    assert found["buy"]["opposites"] == ["sell"]
    assert found["purchase"]["opposites"] == []
    assert found["buy"]["branches"] & found["sell"]["branches"]
    assert not found["buy"]["branches"] & found["trowel"]["branches"]


def test_a_definition_that_gives_the_word_away_is_left_out() -> None:
    assert told("baker", '(trade) someone who bakes; "the baker sold rolls"') == ("", ["the baker sold rolls"])
    assert told("mason", "a craftsman who works with stone or brick; also others") == (
        "a craftsman who works with stone or brick",
        [],
    )


def test_deeds_are_well_formed() -> None:
    for setting in settings():
        assert len(setting.blocks) > 5
        for deed in itertools.chain(*setting.blocks):
            assert all(past.count("_") == 1 for _, past in deed.verbs), deed
            assert names(deed, "string")
            assert names(deed, "date")
    with pytest.raises(ValueError, match="empty"):
        parse_deed("sold, | seller | sale")


def test_names_of_a_deed() -> None:
    deed = parse_deed("brought, dropped off~dropped _ off | courier | delivery")
    assert names(deed, "string") == ("brought_by", "dropped_off_by", "courier", "courier_name")
    assert "delivery_date" in names(deed, "date")
    assert names(deed, "string", roots("the courier came")) == ("brought_by", "dropped_off_by")


def test_other_names_of_a_property_mean_the_same() -> None:
    person = Field("x", "string", ("x",), ("x",), KINDS["person"].draw)
    day = Field("x", "date", ("x",), ("x",), KINDS["date"].draw)
    code = Field("x", "string", ("x",), ("x",), KINDS["code"].draw)
    assert {"handed_over_by", "deliverer"} <= set(other_names("courier", person))
    assert "purchased_on" in other_names("purchase_date", day)
    assert other_names("courier", code) == other_names("courier", day) == ("delivery_person",)
    assert other_names("client_number", code) == ("customer_number",)
    assert unclaimed(("purchaser", "bought_by"), ("purchase_date", "seller")) == ("bought_by",)


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_messages_tell_who_did_what(split: Split) -> None:
    source = Source(9, split)
    deeds = [(setting, deed) for setting in settings() for deed in itertools.chain(*setting.blocks)]
    drawn = set()
    for _ in range(300):
        scene = role_scene(source)
        document = write_scene(source, scene)
        assert all(value.surface in document.text for value in document.stated.values()), document.text
        taken = [name for names_ in scene.names.values() for name in names_]
        assert len(taken) == len(set(taken)), taken
        drawn |= {slot.rpartition("_")[0] for slot in scene.kinds}
    held_out = {deed.slot for setting, deed in deeds if is_held_out(setting, deed)}
    assert bool(drawn & held_out) or split == "train"


def test_training_messages_hold_no_held_out_deed() -> None:
    source = Source(2, "train")
    kept = {
        word for s in settings() for b in s.blocks for d in b if not is_held_out(s, d) for word in names(d, "string")
    }
    for _ in range(300):
        assert all(set(names_) & kept for slot, names_ in role_scene(source).names.items() if slot.endswith("_by"))


def test_who_did_what_is_asked_for_in_other_words() -> None:
    source = Source(8, "train")
    reworded = total = 0
    for _ in range(200):
        example = role_extraction(source)
        assert not example.noisy
        assert json.loads(compact_json(example.target)) == json.loads(example.turns[-1].content)
        prompt = "\n".join(turn.content for turn in example.turns if turn.role != "assistant").lower()
        for key in example.target:
            words = roots(key)
            total += 1
            reworded += all(prompt.count(word) <= 1 + prompt.count(key.lower()) for word in words)
    assert reworded / total > 0.3


def test_questions_about_who_did_what_are_answered_by_the_text() -> None:
    source = Source(12, "train")
    unknown = 0
    for _ in range(300):
        example = role_answers(source)
        passage = next(turn.content for turn in example.turns if turn.role == "user")
        assert not any("{" in turn.content for turn in example.turns)
        answers = [turn.content for turn in example.turns if turn.role == "assistant"]
        copied = (
            text for text in answers if text != "unknown" and not re.fullmatch(r"\d{4}-\d\d-\d\d|\d\d:\d\d", text)
        )
        assert all(text in passage for text in copied)
        unknown += example.target == "unknown"
    assert unknown > 10
