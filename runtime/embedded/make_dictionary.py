"""Make `material/dictionary.jsonl.gz` from WordNet 3.0: common words, what they mean, and how they are related.

    apt-get install wordnet-base && pip install wordfreq
    python -m slipform.runtime.embedded.make_dictionary --wordnet /usr/share/wordnet

Training reads the file, so that it needs neither. What is kept: words that people use (wordfreq), in senses that are usual for them
(WordNet's counts of tagged texts), with relations that hold between usual senses on both sides. The file's form is described
in `dictionary.py`.
"""

import argparse
import functools
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipform.runtime.embedded.dictionary import CLASSES, FILE, POS_NAMES, form_in

MIN_ZIPF = 2.7
USUAL_SHARE = 0.3
MAX_GLOSS = 110
MIN_GLOSS = 12
MAX_EXAMPLE = 90
MAX_SIBLINGS = 5
MIN_ZIPF_KIND = 3.3
# Words too wide to say what kind of thing or doing a word is.
EMPTY_KINDS = frozenset(
    "entity thing object whole unit act action state be have do make cause attribute event group relation change move get give take"
    " activity quality property condition process part portion substance matter abstraction happening occurrence go artifact use"
    " feature cognition content measure quantity amount body collection assemblage being organism phenomenon artefact".split()
)
FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
SENSE_TYPES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
# WordNet's lexicographer files, by number: the branches of meaning that a synset belongs to.
TOPICS = (
    "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition noun.communication"
    " noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person noun.phenomenon noun.plant"
    " noun.possession noun.process noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change"
    " verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation verb.emotion verb.motion"
    " verb.perception verb.possession verb.social verb.stative verb.weather adj.ppl"
).split()
CONCRETE = frozenset(f"noun.{name}" for name in "animal artifact body food plant person substance".split())
# Verbs whose senses stand in one of these files belong to a class of doings.
VERB_CLASSES = {
    "verb.motion": ("moving",),
    "verb.communication": ("saying something", "communicating"),
    "verb.cognition": ("thinking", "thinking and knowing"),
    "verb.consumption": ("eating and drinking",),
    "verb.emotion": ("feelings", "feeling something"),
    "verb.perception": ("seeing and hearing", "perceiving"),
    "verb.creation": ("making things", "creating"),
    "verb.competition": ("fighting and competing",),
    "verb.possession": ("giving, getting and owning", "having and giving"),
    "verb.weather": ("weather",),
    "verb.body": ("the body and its care",),
}
# Classes whose members are names; other names are left out.
NAMED = frozenset(
    "languages|months|days of the week|countries|cities|Europeans|Asians|Africans|religions|rivers|planets".split("|")
)
UNWANTED = re.compile(r"rap(e|ist)|nazi|porn|whore|slut|bastard|bitch|nigg|negro|jap|faggot|corpse|killer|sex")
REFUSED = re.compile(r"obscen|offensive|vulgar|slang|slur|disparag|derogat|ethnic|sexual|genital|nonstandard|archaic")


@dataclass(slots=True)
class Synset:
    """One meaning: its topic, its words, its gloss with examples, and its relations as (sign, synset, words on both sides)."""

    topic: str
    words: list[str]
    gloss: str
    pointers: list[tuple[str, str, str]]


@dataclass(slots=True)
class WordNet:
    """The synsets by id (part of speech and offset), and the senses of each word, most frequent first, with their counts."""

    synsets: dict[str, Synset] = field(default_factory=dict)
    senses: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)
    inflected: set[str] = field(default_factory=set)

    def related(self, synset: str, signs: str) -> list[str]:
        """Synsets behind the pointers of `synset` with one of the `signs`."""
        return [other for sign, other, _ in self.synsets[synset].pointers if sign in signs.split()]


def read_wordnet(folder: Path) -> WordNet:
    """Read WordNet's database files: see wndb(5WN)."""
    net = WordNet()
    counts: dict[tuple[str, str, int], int] = {}
    for row in (folder / "cntlist.rev").read_text().splitlines():
        key, number, count = row.split()
        word, _, rest = key.partition("%")
        counts[word, SENSE_TYPES[rest[0]], int(number)] = int(count)
    for pos, name in FILES.items():
        net.inflected |= {row.split()[0] for row in (folder / f"{name}.exc").read_text().splitlines()}
        for row in (folder / f"data.{name}").read_text().splitlines():
            if not row.startswith(" "):
                net.synsets[pos + row[:8]] = _synset(row)
        for row in (folder / f"index.{name}").read_text().splitlines():
            if row.startswith(" "):
                continue
            parts = row.split()
            offsets = parts[-int(parts[2]) :]
            senses = [(pos + offset, counts.get((parts[0], pos, i), 0)) for i, offset in enumerate(offsets, 1)]
            net.senses[parts[0].replace("_", " "), pos] = senses
    return net


def _synset(row: str) -> Synset:
    body, _, gloss = row.partition(" | ")
    parts = body.split()
    num_words = int(parts[3], 16)
    words = [re.sub(r"\(\w+\)$", "", parts[4 + 2 * i]).replace("_", " ") for i in range(num_words)]
    start = 4 + 2 * num_words
    rows = (parts[start + 1 + 4 * i : start + 5 + 4 * i] for i in range(int(parts[start])))
    pointers = [(sign, pos.replace("s", "a") + offset, ends) for sign, offset, pos, ends in rows]
    return Synset(TOPICS[int(parts[1])], words, gloss.strip(), pointers)


class Maker:
    """Chooses the words and their senses, and writes down how they are related. `frequency` is on the Zipf scale, 0 to 8."""

    def __init__(self, net: WordNet, frequency: Callable[[str], float]) -> None:
        self.net = net
        self.frequency = frequency
        self.class_synsets: list[str] = []
        self.class_rows: list[list[Any]] = []
        self._read_classes()
        for topic, names in VERB_CLASSES.items():
            self.class_synsets.append(topic)
            self.class_rows.append(["doing", False, list(names)])
        self.number = {synset: i for i, synset in enumerate(self.class_synsets)}
        self.usual: dict[tuple[str, str], list[str]] = {}
        for word, pos in net.senses:
            if self._is_common(word, pos):
                kept = self._usual_senses(word, pos)
                if kept:
                    self.usual[word, pos] = kept

    def _read_classes(self) -> None:
        block = ""
        for row in CLASSES.read_text(encoding="utf-8").splitlines():
            if row.startswith("["):
                block = row.strip("[]")
            elif row and not row.startswith("#"):
                head, _, names = row.partition(": ")
                noun, _, number = head.partition("#")
                self.class_synsets.append(self.net.senses[noun.lower(), "n"][int(number or 1) - 1][0])
                self.class_rows.append([block, names.endswith("~"), names.rstrip(" ~").split("/")])

    def _is_common(self, word: str, pos: str) -> bool:
        counted = sum(count for _, count in self.net.senses[word, pos])
        if not re.fullmatch(r"[a-z]{3,}(?:[ -][a-z]+){0,2}", word) or UNWANTED.match(word):
            return False
        if not word.isalpha():
            return counted > 0
        return word not in self.net.inflected and self.frequency(word) >= MIN_ZIPF

    def _usual_senses(self, word: str, pos: str) -> list[str]:
        """The senses in which people use a word, where WordNet's counts or the lack of other senses tell."""
        senses = self.net.senses[word, pos]
        of_pos = sum(count for _, count in senses)
        of_all = sum(count for p in FILES for _, count in self.net.senses.get((word, p), ()))
        if of_all and of_pos < USUAL_SHARE * of_all:
            return []
        if not of_all:
            topics = {self.net.synsets[s].topic for p in FILES for s, _ in self.net.senses.get((word, p), ())}
            plain = len(topics) == 1 and (pos in "nv" or len(senses) == 1)
            usual = [senses[0][0]] if plain else []
        else:
            usual = [synset for synset, count in senses if count >= USUAL_SHARE * of_pos]
        return [synset for synset in usual if self.spelt(word, synset) == word or self._is_class_of_names(synset)]

    def spelt(self, word: str, synset: str) -> str:
        """How `synset` writes `word`, capitals included."""
        return next((own for own in self.net.synsets[synset].words if own.lower() == word), word)

    def _is_class_of_names(self, synset: str) -> bool:
        return any(self.class_rows[number][2][0] in NAMED for number in self.classes(synset))

    @functools.cache  # noqa: B019 one maker a process
    def above(self, synset: str) -> tuple[str, ...]:
        """`synset` and what it is a kind of, nearest first."""
        found = [synset]
        for other in self.net.related(synset, "@ @i"):
            found += self.above(other)
        return tuple(dict.fromkeys(found))

    def classes(self, synset: str) -> list[int]:
        """The everyday classes of a meaning, nearest first."""
        return [self.number[s] for s in self.above(synset) if s in self.number]

    def doings(self, word: str) -> list[int]:
        """The class of what a verb does, where all of its senses are of one."""
        topics = {self.net.synsets[synset].topic for synset, _ in self.net.senses[word, "v"]}
        return [self.number[topic] for topic in topics if len(topics) == 1 and topic in self.number]

    def branches(self, word: str) -> set[str]:
        """What a word could be about in any of its senses: topics, and clusters of adjectives."""
        found: set[str] = set()
        for pos in FILES:
            for synset, _ in self.net.senses.get((word, pos), ()):
                topic = self.net.synsets[synset].topic
                if topic == "adj.all":
                    near = [synset, *self.net.related(synset, "& ^")]
                    found |= set(near) | {far for each in near for far in self.net.related(each, "&")}
                else:
                    found.add(topic)
                found |= {f"root:{self.above(s)[-1]}" for s in [synset] if topic.startswith("verb")}
        return found

    def _topic_class(self, synset: str) -> list[int]:
        return [self.number[topic] for topic in [self.net.synsets[synset].topic] if topic in self.number]

    def synonyms(self, word: str, pos: str, synset: str) -> list[str]:
        others = (other.lower() for other in self.net.synsets[synset].words)
        return [o for o in others if o != word and synset in self.usual.get((o, pos), ()) and not alike(o, word)]

    def opposites(self, word: str, pos: str, synset: str) -> list[str]:
        found = []
        spelt = [other.lower() for other in self.net.synsets[synset].words]
        for sign, other, ends in self.net.synsets[synset].pointers:
            if sign == "!" and spelt[int(ends[:2], 16) - 1] == word:
                opposite = self.net.synsets[other].words[int(ends[2:], 16) - 1].lower()
                if (opposite, pos) in self.usual:
                    found.append(opposite)
        return found

    def kinds(self, word: str, pos: str, synset: str) -> list[str]:
        """What the meaning is a kind of, or a way of doing: frequent words of the meanings one and two steps above."""
        steps = self.net.related(synset, "@")
        steps += [other for step in steps for other in self.net.related(step, "@")]
        found = []
        for step in steps:
            names = [name for name in self.net.synsets[step].words if step in self.usual.get((name, pos), ())]
            names = [name for name in names if name not in EMPTY_KINDS and self.frequency(name) >= MIN_ZIPF_KIND]
            found += [name for name in names[:1] if not alike(name, word)]
        return list(dict.fromkeys(found))[:2]

    def siblings(self, word: str, pos: str, synset: str) -> list[str]:
        """Other concrete things of the same kind, the most frequent first: near, and yet something else."""
        if self.net.synsets[synset].topic not in CONCRETE:
            return []
        own = {s for p in FILES for s, _ in self.net.senses.get((word, p), ())}
        found = []
        for kind in self.net.related(synset, "@"):
            for other in self.net.related(kind, "~"):
                for name in self.net.synsets[other].words:
                    senses = self.usual.get((name, pos), ())
                    if other in senses and not own & {s for s, _ in self.net.senses[name, pos]}:
                        found.append(name)
        return sorted(set(found), key=lambda name: (-self.frequency(name), name))[:MAX_SIBLINGS]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a word and usual sense, the most frequent words first."""
        for (word, pos), senses in sorted(self.usual.items(), key=lambda item: (-self.frequency(item[0][0]), item)):
            everything = sorted(
                {
                    number
                    for p in FILES
                    for synset, _ in self.net.senses.get((word, p), ())
                    for number in self.classes(synset)
                }
                | {n for p in FILES for s, _ in self.net.senses.get((word, p), ()) for n in self._topic_class(s)}
            )
            for synset in senses:
                gloss, examples = told(word, self.net.synsets[synset].gloss)
                row = {
                    "word": self.spelt(word, synset),
                    "pos": POS_NAMES[pos],
                    "gloss": gloss,
                    "examples": examples,
                    "synonyms": self.synonyms(word, pos, synset),
                    "opposites": self.opposites(word, pos, synset),
                    "kinds": self.kinds(word, pos, synset),
                    "siblings": self.siblings(word, pos, synset),
                    "classes": self.doings(word) if pos == "v" else self.classes(synset),
                    "all_classes": everything,
                    "branches": self.branches(word),
                }
                if not REFUSED.search(self.net.synsets[synset].gloss):
                    yield row


def alike(a: str, b: str) -> bool:
    """Whether one of two words is a spelling of the other: `grey` and `gray`, `judgement` and `judgment`."""
    short, long = sorted((a.replace("-", "").replace(" ", ""), b.replace("-", "").replace(" ", "")), key=len)
    return long.startswith(short[:5]) if len(short) >= 5 else long.startswith(short)


def told(word: str, gloss: str) -> tuple[str, list[str]]:
    """The definition of a gloss, or "" where it gives the word away or is no sentence; and examples that hold the word."""
    examples = [text.strip() for text in re.findall(r'"([^"]+)"', gloss)]
    examples = [text for text in examples if len(text) <= MAX_EXAMPLE and form_in(word, text)][:2]
    definition = re.sub(r'"[^"]*"?', "", gloss)
    definition = re.sub(r"\([^)]*\)", "", definition).split(";")[0]
    definition = re.sub(r"\s+", " ", definition).strip(" ,:-")
    stem = word[: max(4, len(word) - 2)]
    if not MIN_GLOSS <= len(definition) <= MAX_GLOSS or re.search(rf"\b{re.escape(stem)}", definition):
        definition = ""
    return definition, examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    options = parser.parse_args()
    from wordfreq import zipf_frequency

    maker = Maker(read_wordnet(options.wordnet), lambda word: float(zipf_frequency(word, "en")))
    rows = list(maker.rows())
    numbers: dict[str, int] = defaultdict(lambda: len(numbers))
    for row in rows:
        row["branches"] = sorted(numbers[branch] for branch in sorted(row["branches"]))
    lines = [maker.class_rows, *([*row.values()] for row in rows)]
    text = "\n".join(json.dumps(line, separators=(",", ":")) for line in lines) + "\n"
    with FILE.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.encode())
    print(f"{len(rows):,} senses of {len({row['word'] for row in rows}):,} words, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
