"""Which module turns which kind of spec into nodes: the one table in which front ends register.

A front end is a function `build(spec, builder) -> Node`. It checks the whole spec before it returns (syntax,
unsupported features, empty languages), also the parts that it hands to `Builder.rule` to be built on first use.
"""

import importlib
from collections.abc import Callable

from slipform.errors import UnsupportedGrammar
from slipform.grammars.builder import Builder, Node
from slipform.grammars.spec import (
    AllOf,
    AnyOf,
    AnyText,
    Capture,
    Choice,
    Ebnf,
    Except,
    GrammarSpec,
    JsonSchema,
    JsonText,
    Lark,
    Recursive,
    Reference,
    Regex,
    Repeated,
    Series,
    StructuralTag,
    Substring,
    Until,
)

FrontEnd = Callable[[GrammarSpec, Builder], Node]

_FRONT_ENDS: dict[type, str] = {
    Regex: "slipform.grammars.regex:build",
    Choice: "slipform.grammars.plain:build_choice",
    AnyText: "slipform.grammars.plain:build_any_text",
    JsonSchema: "slipform.grammars.json_schema.compiler:build",
    Ebnf: "slipform.grammars.ebnf:build",
    Lark: "slipform.grammars.lark:build",
    StructuralTag: "slipform.grammars.structural_tag:build",
    Series: "slipform.grammars.algebra:build_series",
    AnyOf: "slipform.grammars.algebra:build_any_of",
    Repeated: "slipform.grammars.algebra:build_repeated",
    Capture: "slipform.grammars.algebra:build_capture",
    AllOf: "slipform.grammars.algebra:build_regular",
    Except: "slipform.grammars.algebra:build_regular",
    Substring: "slipform.grammars.algebra:build_regular",
    Until: "slipform.grammars.algebra:build_regular",
    JsonText: "slipform.grammars.algebra:build_regular",
    Recursive: "slipform.grammars.recursive:build",
    Reference: "slipform.grammars.recursive:build_reference",
}


def build_spec(spec: GrammarSpec, builder: Builder) -> Node:
    """The node of any spec, through its front end; front ends call it for the specs inside theirs.

    Raises: GrammarError subclasses as the front end finds them; UnsupportedGrammar for an unknown kind of spec.
    """
    target = _FRONT_ENDS.get(type(spec))
    if target is None:
        raise UnsupportedGrammar(type(spec).__name__, reason="no front end knows this kind of spec")
    module, _, function = target.partition(":")
    front_end: FrontEnd = getattr(importlib.import_module(module), function)
    return front_end(spec, builder)
