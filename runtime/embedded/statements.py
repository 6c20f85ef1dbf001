"""Facts that no family of documents knows: a label made of common words, a value of any kind, and a clause that joins them.

The clauses are composed of openings, verbs and additions, so that a reader cannot learn them one by one.
"""

from slipform.runtime.embedded import values
from slipform.runtime.embedded.kinds import KINDS
from slipform.runtime.embedded.schema_fields import Field
from slipform.runtime.embedded.source import Source, Value

ADJECTIVES = tuple(
    "main second internal external old new backup local primary temporary final first total maximum minimum average home"
    " work emergency billing current previous planned actual public private spare annual monthly daily original updated"
    " official alternative delivery return shipping daytime evening weekend preferred estimated agreed proposed next last"
    " correct wrong former future secondary initial official special regular personal business legal technical".split()
)
# Labels by the kinds of value that go with them.
LABELS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("person",),
        tuple(
            "manager supervisor sponsor driver editor author captain coach contact owner buyer seller tenant landlord agent"
            " teacher trainer assistant director engineer nurse partner witness recipient sender applicant candidate deputy"
            " caretaker organiser painter winner translator architect lawyer accountant secretary chairman treasurer pilot".split()
        ),
    ),
    (
        ("code", "errorcode", "voucher", "version"),
        tuple(
            "code reference password token key badge model batch version slot locker ticket licence permit serial file case"
            " policy contract voucher account membership tracking folder part article booking registration certificate".split()
        ),
    ),
    (("city", "country", "address", "room"), tuple("place location branch site office warehouse destination venue station depot origin hometown stop gate platform region market".split())),
    (("date",), tuple("date deadline day delivery inspection start end payment renewal visit review arrival departure expiry launch handover".split())),
    (("time",), tuple("time start end slot departure arrival opening closing break pickup".split())),
    (("num", "big", "n"), tuple("count number limit score level capacity stock total quota seats visitors members pages units pieces age mileage weight height speed".split())),
    (("amount",), tuple("fee price budget rate cost rent deposit discount salary bonus fine refund payment total charge tax tip".split())),
    (("phone",), tuple("phone mobile fax hotline number landline extension".split())),
    (("email",), tuple("email mailbox address inbox contact".split())),
    (("company", "brand"), tuple("supplier bank insurer employer publisher manufacturer carrier agency dealer provider client vendor school sponsor".split())),
    (("product", "vehicle", "material", "color"), tuple("item product device gift sample tool part prize colour material machine vehicle model equipment".split())),
    (("title", "topic", "sentence", "booktitle", "task"), tuple("title topic subject motto theme slogan comment reason note remark question answer goal task purpose headline".split())),
    (("dish", "food", "drink", "petname", "language", "department", "team", "service", "host", "job"), tuple("choice favourite option selection type category group team language department role".split())),
)  # fmt: skip
OPENINGS = ("", "", "", "", "", "By the way, ", "Also, ", "FYI: ", "Oh, and ", "As discussed, ", "Please note: ", "Just so you know, ", "PS: ", "For your records: ", "According to the file, ", "As far as I know, ", "I was told that ", "It seems that ", "One more thing: ", "If you need it: ", "As always, ", "Remember: ", "So ", "And ", "Well, ")  # fmt: skip
ARTICLES = ("the ", "the ", "the ", "our ", "my ", "your ", "their ", "")
LINKS = ("is", "is", "is", "was", "will be", "would be", "should be", "is now", "is still", "has been", "has to be", "must be", "is supposed to be", "is going to be", "reads", "says", "is listed as", "is given as", "was set to", "was noted as", "is registered as", "became", "remains", "stays", "turned out to be", "has changed to")  # fmt: skip
TAILS = ("", "", "", "", "", ", I think", ", as you know", ", as usual", ", right", ", by the way", " for now", " this time", " (confirmed)", ", thanks", " from now on", ", please note", ", I believe", " as agreed")  # fmt: skip
INVERSIONS = (
    "{value} is {article}{label}",
    "{value} is what we have as {article}{label}",
    "we chose {value} as {article}{label}",
    "they gave us {value} as {article}{label}",
    "we agreed on {value} for {article}{label}",
    "please use {value} for {article}{label}",
    "please put down {value} as {article}{label}",
    "with {value} as {article}{label}",
    "I have {value} as {article}{label}",
    "as {article}{label} we have {value}",
    "as {article}{label} please take {value}",
    "for {article}{label} I would say {value}",
    "under {label} it says {value}",
    "you will find {value} under {label}",
    "regarding {article}{label}: {value}",
    "as for {article}{label}, it's {value}",
    "{value} serves as {article}{label}",
    "{value} will do as {article}{label}",
    "don't forget {article}{label}, which is {value}",
    "here is {article}{label}: {value}",
    "here's {article}{label} you asked for: {value}",
    "{article}{label}, {value}, is correct",
    "{article}{label}? {value}",
    "you wanted {article}{label}: {value}",
    "set {article}{label} to {value}",
    "I'd like {value} as {article}{label}",
    "make {value} {article}{label}",
    "{article}{label} you need is {value}",
    "{article}{label} we use is {value}",
    "{article}{label} I mentioned, {value}, still holds",
    "it's {value} for {article}{label}",
    "they call {value} {article}{label}",
    "note {article}{label}: {value}",
    "{value} - that is {article}{label}",
    "{value}, that's {article}{label}",
    "nothing but {value} as {article}{label}",
)  # fmt: skip
MARKED = ("{Label}: {value}", "{Label} = {value}", "{Label} - {value}", "{Label} {value}", "({label} {value})", "{value} ({label})", "{Label}: it's {value}", "{Label}: {value} (confirmed)", "{label} -> {value}", "* {Label}: {value}", "[{Label}] {value}", "{Label}. {value}", "{Label} / {value}", "{LABEL}: {value}", "{label}={value}", "{Label}..... {value}")  # fmt: skip


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def statement(s: Source, label: str, value: str) -> str:
    """A clause or line that states any labelled value."""
    form = s.random.random()
    if form < 0.27:
        text = s.phrase(MARKED)
        text = text.replace("{label}", label).replace("{Label}", upper_first(label)).replace("{LABEL}", label.upper())
        return text.replace("{value}", value)
    article = s.pick(ARTICLES)
    if form < 0.62:
        body = f"{article}{label} {s.phrase(LINKS)} {{value}}"
    else:
        body = s.phrase(INVERSIONS).replace("{article}", article).replace("{label}", label)
    opening = s.phrase(OPENINGS)
    tail = "" if body.endswith(":") else s.phrase(TAILS)
    text = f"{opening}{body}{tail}"
    if not text.startswith("{value}"):
        text = upper_first(text)
    stop = s.pick((".", ".", ".", "", "!"))
    return text.replace("{value}", value) + stop


def _value(s: Source, kind_name: str, currency: str) -> tuple[str, values.Draw | None, Value]:
    kind = KINDS[kind_name]
    return kind.type, kind.draw, kind.draw(s) if kind.draw else values.amount(s, currency)


def extra_field(s: Source, kinds: tuple[str, ...], label: str) -> tuple[Field, str]:
    """A field of one of the kinds, and the label that its sentence uses."""
    kind = KINDS[s.pick(kinds)]
    key = label.replace(" ", "_")
    about = (f"the {label}", label, f"{label} as written in the text")
    return Field(f"extra {label}", kind.type, (key,), about, kind.draw), label


def extra_fields(s: Source) -> list[tuple[Field, str]]:
    """One to three fields with their labels. Two of them are often rivals: one noun under different adjectives."""
    kinds, nouns = s.pick(LABELS)
    noun = s.entity(nouns)
    form = s.random.random()
    if form < 0.4:
        adjectives = s.sample(tuple(dict.fromkeys(ADJECTIVES)), s.pick((2, 2, 2, 3)))
        chosen = (s.pick(kinds),)
        return [extra_field(s, chosen, f"{adjective} {noun}") for adjective in adjectives]
    if form < 0.75:
        return [extra_field(s, kinds, f"{s.pick(ADJECTIVES)} {noun}")]
    if form < 0.88:
        return [extra_field(s, kinds, f"{s.entity(s.pick(LABELS)[1])} {noun}")]
    return [extra_field(s, kinds, f"{values.pseudo_word(s)} {noun}" if s.chance(0.6) else values.pseudo_word(s))]


CHANGES: tuple[str, ...] = (
    "the {label} changed from {old} to {new}",
    "the {label} used to be {old}, now it is {new}",
    "the {label} is no longer {old} but {new}",
    "instead of {old} the {label} is {new}",
    "please change the {label} from {old} to {new}",
    "we replaced {old} by {new} as {label}",
    "the {label} was {old} before; from now on it's {new}",
    "{label}: {old} -> {new}",
    "{label}: {new} (was {old})",
    "{label}: {new} (before: {old})",
    "our {label} went from {old} to {new}",
    "{new} is the new {label}, {old} the old one",
    "forget {old}, the {label} is now {new}",
    "the {label} moved from {old} to {new}",
    "as {label} we now use {new} rather than {old}",
    "correct the {label}: not {old}, {new} is right",
    "the old {label} {old} has been replaced with {new}",
    "until now {old}, in future {new}: that is the {label}",
    "the {label} {old} is out of date, take {new}",
    "not {old} any more but {new} is our {label}",
)
OLD_WORDS = ("old", "previous", "former")
NEW_WORDS = ("new", "current", "updated")


def change(s: Source, currency: str) -> tuple[str, list[tuple[Field, Value]]]:
    """A sentence by which a fact changes, with the fields of both values."""
    kinds, nouns = s.pick(LABELS)
    noun, kind_name = s.entity(nouns), s.pick(kinds)
    drawn: list[Value] = []
    while len(drawn) < 2:
        type_, draw, value = _value(s, kind_name, currency)
        if not drawn or value.json != drawn[0].json:
            drawn.append(value)
    fields = []
    for words, value in zip((OLD_WORDS, NEW_WORDS), drawn, strict=True):
        keys = tuple(f"{word}_{noun}" for word in words)
        about = (f"the {words[0]} {noun}", f"{noun} {'before' if words is OLD_WORDS else 'after'} the change")
        fields.append((Field(f"extra {keys[0]}", type_, keys, about, draw), value))  # type: ignore[arg-type]
    text = s.phrase(CHANGES).replace("{label}", noun)
    if not text.startswith("{"):
        text = upper_first(text)
    text = text.replace("{old}", drawn[0].surface).replace("{new}", drawn[1].surface)
    return text + s.pick((".", ".", "")), fields
