"""Free text with tagged regions: `StructuralTag`.

Whatever completes a trigger, read from the left, starts a tag. So a piece of free text is one that ends with the first
occurrence of a trigger, and the tag goes on behind it; the last piece has no occurrence at all.
"""

from slipform.errors import GrammarSyntaxError
from slipform.grammars.builder import Builder, Node
from slipform.grammars.dfa import Dfa, any_character, any_text, concatenation, literal, literals
from slipform.grammars.front_ends import build_spec
from slipform.grammars.spec import GrammarSpec, StructuralTag


def build(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `StructuralTag`.

    Raises: GrammarSyntaxError for a trigger without a tag, a tag without a trigger, or an empty trigger; whatever the
        front ends of the contents raise.
    """
    assert isinstance(spec, StructuralTag)
    triggers = [_encoded(trigger, f"triggers/{i}") for i, trigger in enumerate(spec.triggers)]
    begins = [_encoded(tag.begin, f"tags/{i}/begin") for i, tag in enumerate(spec.tags)]
    _check(triggers, begins)
    contents: list[Node] = []
    for i, tag in enumerate(spec.tags):
        end = builder.literal(_encoded(tag.end, f"tags/{i}/end"))
        contents.append(builder.seq(build_spec(tag.content, builder), end))
    regions: list[Node] = []
    for trigger in dict.fromkeys(triggers):
        rests = [
            builder.seq(builder.literal(begin[len(trigger) :]), content)
            for begin, content in zip(begins, contents, strict=True)
            if begin.startswith(trigger)
        ]
        regions.append(builder.seq(builder.dfa(text_up_to(trigger, triggers)), builder.alt(*rests)))
    region = builder.alt(*regions)
    plain = builder.dfa(text_without(triggers))
    if spec.stop_after_first:
        return region if spec.at_least_one else builder.alt(plain, region)
    return builder.seq(builder.repeat(region, int(spec.at_least_one), None), plain)


def text_without(words: list[bytes]) -> Dfa:
    """Texts in which none of `words` occurs."""
    return any_text() - concatenation([any_text(), literals(words), any_text()])


def text_up_to(word: bytes, words: list[bytes]) -> Dfa:
    """Texts that end with `word`, where none of `words` is complete before the last character."""
    earlier = concatenation([any_text(), literals(words), any_character(), any_text()])
    return concatenation([any_text(), literal(word)]) - earlier


def _encoded(text: str, path: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise GrammarSyntaxError("a lone surrogate has no UTF-8 form", path=path) from error


def _check(triggers: list[bytes], begins: list[bytes]) -> None:
    if not triggers:
        raise GrammarSyntaxError("there must be a trigger", path="triggers")
    for i, trigger in enumerate(triggers):
        if not trigger:
            raise GrammarSyntaxError("a trigger must not be empty", path=f"triggers/{i}")
        if not any(begin.startswith(trigger) for begin in begins):
            raise GrammarSyntaxError("no tag begins with this trigger", path=f"triggers/{i}")
    for i, begin in enumerate(begins):
        if not any(begin.startswith(trigger) for trigger in triggers):
            raise GrammarSyntaxError("it starts with none of the triggers", path=f"tags/{i}/begin")
