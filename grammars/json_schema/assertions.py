"""Keywords that look at the values of one type alone, and `type` itself: from their operands to atoms."""

from typing import TYPE_CHECKING, Final

from slipform.errors import GrammarSyntaxError
from slipform.grammars.json_schema.algebra import contradictory, intersect, union
from slipform.grammars.json_schema.conditions import implied
from slipform.grammars.json_schema.reader import escape_token
from slipform.grammars.json_schema.resources import DRAFT_04, DRAFT_2020
from slipform.grammars.json_schema.schemas import Schema, count, names_of, number
from slipform.grammars.json_schema.shapes import (
    ANYTHING,
    FALSE_BIT,
    FULL_ARRAY,
    FULL_NUMBER,
    FULL_OBJECT,
    FULL_STRING,
    INTEGER,
    NOTHING,
    TRUE,
    TRUE_BIT,
    WHOLE_INTEGER,
    ArrayAtom,
    ArrayLayer,
    Clauses,
    Contains,
    Goal,
    NumberAtom,
    ObjectAtom,
    ObjectLayer,
    Shape,
    StringAtom,
)

if TYPE_CHECKING:
    from slipform.grammars.json_schema.expansion import Expander

_TYPE_SHAPES: Final = {
    "null": Shape(null=True),
    "boolean": Shape(booleans=TRUE_BIT | FALSE_BIT),
    "number": Shape(numbers=(FULL_NUMBER,)),
    "integer": Shape(numbers=(INTEGER,)),
    "string": Shape(strings=(FULL_STRING,)),
    "array": Shape(arrays=(FULL_ARRAY,)),
    "object": Shape(objects=(FULL_OBJECT,)),
    "any": ANYTHING,
}
_OLD_TYPE_SHAPES: Final = _TYPE_SHAPES | {"integer": Shape(numbers=(WHOLE_INTEGER,))}  # 3.0 is no integer there
_NUMBER_KEYWORDS = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
_STRING_KEYWORDS = frozenset(("minLength", "maxLength", "pattern", "format"))
_ARRAY_KEYWORDS = frozenset(
    [
        "items",
        "prefixItems",
        "additionalItems",
        "contains",
        "minContains",
        "maxContains",
        "minItems",
        "maxItems",
        "uniqueItems",
    ]
)
_OBJECT_KEYWORDS = frozenset(
    [
        "properties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "required",
        "minProperties",
        "maxProperties",
    ]
) | {"dependentRequired"}
PLAIN_KEYWORDS: Final = _NUMBER_KEYWORDS | _STRING_KEYWORDS | _ARRAY_KEYWORDS | _OBJECT_KEYWORDS | {"type"}
VALIDATION_KEYWORDS: Final = (
    PLAIN_KEYWORDS
    - {"format", "items", "prefixItems", "additionalItems", "contains"}
    - {"properties", "patternProperties", "additionalProperties", "propertyNames"}
) | {"enum", "const"}
"""What is ignored where the metaschema leaves the validation vocabulary out."""


def plain_shape(expander: "Expander", goal: Schema) -> Shape:
    """The keywords that look at one type alone, and `type` itself."""
    schema = goal.schema
    base = _type(goal) if "type" in schema else ANYTHING
    keys = schema.keys()
    numbers, strings, arrays, objects = base.numbers, base.strings, base.arrays, base.objects
    if not keys.isdisjoint(_NUMBER_KEYWORDS):
        atom = _numbers(goal)
        if numbers:
            numbers = intersect(Shape(numbers=numbers), Shape(numbers=(atom,) if atom else ())).numbers
    if not keys.isdisjoint(_STRING_KEYWORDS):
        string = _strings(expander, goal)
        strings = (string,) if strings and string is not None else ()
    if not keys.isdisjoint(_ARRAY_KEYWORDS):
        array = _arrays(expander, goal)
        arrays = (array,) if arrays and array is not None else ()
    if not keys.isdisjoint(_OBJECT_KEYWORDS):
        object_ = _objects(expander, goal)
        objects = (object_,) if objects and object_ is not None else ()
    if numbers is base.numbers and strings is base.strings and arrays is base.arrays and objects is base.objects:
        return base
    return Shape(base.null, base.booleans, numbers, strings, arrays, objects)


def _type(goal: Schema) -> Shape:
    value = goal.schema["type"]
    shapes = _TYPE_SHAPES if goal.resource.dialect > DRAFT_04 else _OLD_TYPE_SHAPES
    if isinstance(value, str):
        shape = shapes.get(value)
        if shape is not None:
            return shape
    elif isinstance(value, list) and all(isinstance(name, str) for name in value):
        known = [shapes[name] for name in value if name in shapes]
        if len(known) == len(value):
            return union(known) if known else NOTHING
    raise GrammarSyntaxError(f"{value!r} is not a type or a list of types", path=f"{goal.path}/type")


def _numbers(goal: Schema) -> NumberAtom | None:
    schema = goal.schema
    low, high = number(goal, "minimum"), number(goal, "maximum")
    low_open = high_open = False
    if "exclusiveMinimum" in schema:
        if isinstance(schema["exclusiveMinimum"], bool):  # draft-04
            low_open = schema["exclusiveMinimum"]
        else:
            above = number(goal, "exclusiveMinimum")
            if low is None or (above is not None and above >= low):
                low, low_open = above, True
    if "exclusiveMaximum" in schema:
        if isinstance(schema["exclusiveMaximum"], bool):
            high_open = schema["exclusiveMaximum"]
        else:
            below = number(goal, "exclusiveMaximum")
            if high is None or (below is not None and below <= high):
                high, high_open = below, True
    step = number(goal, "multipleOf")
    if step is not None and step <= 0:
        raise GrammarSyntaxError("multipleOf must be greater than 0", path=f"{goal.path}/multipleOf")
    if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
        return None
    return NumberAtom(low, high, low_open, high_open, step)


def _strings(expander: "Expander", goal: Schema) -> StringAtom | None:
    schema = goal.schema
    low, high = count(goal, "minLength") or 0, count(goal, "maxLength")
    patterns: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    if "pattern" in schema:
        pattern = schema["pattern"]
        if not isinstance(pattern, str):
            raise GrammarSyntaxError("pattern must be a string", path=f"{goal.path}/pattern")
        patterns = frozenset((pattern,))
    if "format" in schema:
        name = schema["format"]
        if not isinstance(name, str):
            raise GrammarSyntaxError("format must be a string", path=f"{goal.path}/format")
        if expander.asserts_format(name, goal.resource):
            formats = frozenset((name,))
        else:
            expander.notes.append((f"{goal.path}/format", f"the format {name!r} is not enforced: an annotation"))
    if high is not None and low > high:
        return None
    return StringAtom(low, high, patterns, formats=formats, path=goal.path)


def _arrays(expander: "Expander", goal: Schema) -> ArrayAtom | None:
    schema, path = goal.schema, goal.path
    low, high = count(goal, "minItems") or 0, count(goal, "maxItems")
    layers: tuple[ArrayLayer, ...] = ()
    items = schema.get("items")
    prefix_keyword = "items" if isinstance(items, list) else "prefixItems" if "prefixItems" in schema else None
    if prefix_keyword or "items" in schema:
        prefix: tuple[Goal, ...] = ()
        rest_keyword = "items"
        if prefix_keyword:
            listed = schema[prefix_keyword]
            if not isinstance(listed, list):
                raise GrammarSyntaxError("prefixItems must be a list of schemas", path=f"{path}/prefixItems")
            prefix = tuple(expander.below(goal, prefix_keyword, index) for index in range(len(listed)))
            if prefix_keyword == "items":
                rest_keyword = "additionalItems"
        rest = expander.below(goal, rest_keyword) if rest_keyword in schema else TRUE
        layers = (ArrayLayer(prefix, rest, None if rest_keyword in schema else len(prefix)),)
    contains: tuple[Contains, ...] = ()
    if "contains" in schema:
        fewest, most = count(goal, "minContains"), count(goal, "maxContains")
        fewest = 1 if fewest is None else fewest
        annotates = goal.resource.dialect >= DRAFT_2020
        if most is not None and most < fewest:
            return None
        contains = (Contains(expander.below(goal, "contains"), fewest, most, annotates=annotates),)
    unique = schema.get("uniqueItems", False)
    if not isinstance(unique, bool):
        raise GrammarSyntaxError("uniqueItems must be a boolean", path=f"{path}/uniqueItems")
    if high is not None and low > high:
        return None
    return ArrayAtom(layers, low, high, contains, unique, path=path)


def _objects(expander: "Expander", goal: Schema) -> ObjectAtom | None:
    schema, path = goal.schema, goal.path
    properties: dict[str, Goal] = {}
    patterns: tuple[tuple[str, Goal], ...] = ()
    required = names_of(schema["required"], f"{path}/required") if "required" in schema else ()
    if "properties" in schema:
        declared = schema["properties"]
        if not isinstance(declared, dict):
            raise GrammarSyntaxError("properties must be an object of schemas", path=f"{path}/properties")
        resource, scope, prefix = goal.resource, goal.scope, f"{path}/properties/"
        make = expander.goal
        properties = {
            name: make(
                child,
                prefix + (escape_token(name) if "/" in name or "~" in name else name),
                resource,
                scope,
            )
            for name, child in declared.items()
        }
    if "patternProperties" in schema:
        declared = schema["patternProperties"]
        if not isinstance(declared, dict):
            raise GrammarSyntaxError("patternProperties must be an object", path=f"{path}/patternProperties")
        patterns = tuple((pattern, expander.below(goal, "patternProperties", pattern)) for pattern in declared)
    has_rest = "additionalProperties" in schema
    rest = expander.below(goal, "additionalProperties") if has_rest else TRUE
    layers: tuple[ObjectLayer, ...] = ()
    if properties or patterns or has_rest:
        layers = (ObjectLayer(properties, patterns, rest, has_rest),)
    low, high = count(goal, "minProperties") or 0, count(goal, "maxProperties")
    names = (expander.below(goal, "propertyNames"),) if "propertyNames" in schema else ()
    clauses: Clauses = ()
    if "dependentRequired" in schema:
        needs = schema["dependentRequired"]
        where = f"{path}/dependentRequired"
        if not isinstance(needs, dict):
            raise GrammarSyntaxError("dependentRequired must be an object", path=where)
        clauses = tuple(
            clause
            for name, needed in needs.items()
            for clause in implied(name, names_of(needed, f"{where}/{escape_token(name)}"))
        )
    if high is not None and low > high:
        return None
    atom = ObjectAtom(layers, required, low, high, names, clauses, path=path)
    return None if (required or clauses) and contradictory(atom) else atom
