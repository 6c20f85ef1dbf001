"""Specs made of specs: sequence, alternatives, repetition; of regular ones intersection, exclusion, JSON strings."""

from slipform.errors import EmptyGrammar, GrammarSyntaxError, UnsupportedGrammar
from slipform.grammars import dfa as dfas
from slipform.grammars.builder import Builder, Node
from slipform.grammars.dfa import Dfa
from slipform.grammars.finite import finite_dfa
from slipform.grammars.front_ends import build_spec
from slipform.grammars.json_schema.strings import quoted
from slipform.grammars.limits import Limits
from slipform.grammars.regex import regex_dfa
from slipform.grammars.spec import (
    AllOf,
    AnyOf,
    AnyText,
    Capture,
    Choice,
    Except,
    GrammarSpec,
    JsonText,
    Regex,
    Repeated,
    Series,
    Substring,
    Until,
)
from slipform.grammars.structural_tag import text_up_to, text_without
from slipform.grammars.substring import substring_dfa


def build_series(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `Series`. Raises what the front ends of its parts raise."""
    assert isinstance(spec, Series)
    return builder.seq(*(build_spec(part, builder) for part in spec.parts))


def build_any_of(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `AnyOf`. Raises: EmptyGrammar without options; what the front ends of the options raise."""
    assert isinstance(spec, AnyOf)
    if not spec.options:
        raise EmptyGrammar("AnyOf needs at least one option")
    return builder.alt(*(build_spec(option, builder) for option in spec.options))


def build_repeated(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `Repeated`. Raises: GrammarSyntaxError for bounds that no count satisfies."""
    assert isinstance(spec, Repeated)
    _check_bounds(spec)
    separator = None if spec.separator is None else build_spec(spec.separator, builder)
    return builder.repeat(build_spec(spec.body, builder), spec.minimum, spec.maximum, separator=separator)


def build_capture(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of `Capture`, which changes nothing about the texts."""
    assert isinstance(spec, Capture)
    return build_spec(spec.body, builder)


def build_regular(spec: GrammarSpec, builder: Builder) -> Node:
    """The front end of the specs that are one automaton. Raises as `spec_dfa`, and EmptyGrammar if no text is left."""
    dfa = spec_dfa(spec, builder.budget.limits)
    if dfa.is_empty:
        raise EmptyGrammar(f"no text satisfies {type(spec).__name__}")
    return builder.dfa(dfa)


def spec_dfa(spec: GrammarSpec, limits: Limits) -> Dfa:
    """The automaton of a regular spec.

    Raises: UnsupportedGrammar for one that is not regular (see `finite_dfa`); GrammarTooLarge and GrammarTimeout by
        `limits`.
    """
    states = min(limits.states, dfas.MAX_STATES)
    seconds = limits.seconds

    def parts_of(specs: tuple[GrammarSpec, ...]) -> list[Dfa]:
        return [spec_dfa(part, limits) for part in specs]

    match spec:
        case Regex(pattern):
            return regex_dfa(pattern, max_states=states, seconds=seconds)
        case Choice(options):
            return dfas.literals(_encoded(options))
        case AnyText(None):
            return dfas.any_text()
        case Series(parts):
            return dfas.concatenation(parts_of(parts), max_states=states, seconds=seconds)
        case AnyOf(options):
            return dfas.union(parts_of(options), max_states=states)
        case AllOf(parts):
            return dfas.intersection(parts_of(parts), max_states=states)
        case Except(body, excluded):
            return spec_dfa(body, limits) - spec_dfa(excluded, limits)
        case Capture(_, body):
            return spec_dfa(body, limits)
        case JsonText(body):
            return quoted(spec_dfa(body, limits))
        case Repeated(body, minimum, maximum, separator):
            _check_bounds(spec)
            one = spec_dfa(body, limits)
            if separator is None or maximum == 0:
                return dfas.repetition(one, minimum, maximum, max_states=states, seconds=seconds)
            more = dfas.concatenation([spec_dfa(separator, limits), one], max_states=states, seconds=seconds)
            rest = dfas.repetition(
                more,
                max(minimum - 1, 0),
                None if maximum is None else maximum - 1,
                max_states=states,
                seconds=seconds,
            )
            several = dfas.concatenation([one, rest], max_states=states, seconds=seconds)
            return several | dfas.epsilon() if minimum == 0 else several
        case Substring(document, unit):
            if len(document.encode("utf-8", "surrogatepass")) > limits.source_bytes:
                raise UnsupportedGrammar("Substring", reason="the document exceeds the limit source_bytes")
            return substring_dfa(document, unit)
        case Until(delimiters, inclusive):
            words = _encoded(delimiters)
            if not words or b"" in words:
                raise GrammarSyntaxError("Until needs delimiters, and none may be empty", path="delimiters")
            if not inclusive:
                return text_without(words)
            return dfas.union([text_up_to(word, words) for word in words], max_states=states)
        case _:
            return finite_dfa(spec, limits)


def _check_bounds(spec: Repeated) -> None:
    if spec.minimum < 0 or (spec.maximum is not None and spec.maximum < spec.minimum):
        raise GrammarSyntaxError(f"no count is between {spec.minimum} and {spec.maximum}", path="Repeated")


def _encoded(texts: tuple[str, ...]) -> list[bytes]:
    try:
        return [text.encode() for text in texts]
    except UnicodeEncodeError as error:
        raise GrammarSyntaxError("a lone surrogate has no UTF-8 form") from error
