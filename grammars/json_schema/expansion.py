"""From keywords to shapes: what each schema says, worked out when it is first asked for.

`Expander.shape(goal)` meets the keywords of one schema with what its in-place subschemas say (allOf, anyOf, oneOf, not,
if, dependencies, references). Subschemas of items and members become goals and are not looked into, so a recursive
schema costs as much as a flat one.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Final

from slipform.errors import GrammarSyntaxError, UnsupportedGrammar
from slipform.grammars.json_schema import values
from slipform.grammars.json_schema.algebra import complement, contradictory, intersect, union
from slipform.grammars.json_schema.conditions import (
    MAX_CLAUSES,
    clauses_atom,
    implied,
    implied_clauses,
    is_one_of,
    required_only,
    single_required,
)
from slipform.grammars.json_schema.formats import FORMATS
from slipform.grammars.json_schema.reader import Json, escape_token
from slipform.grammars.json_schema.resources import DRAFT_07, DRAFT_2020, Registry, Resource
from slipform.grammars.json_schema.schemas import Schema, Scope, count, names_of, number
from slipform.grammars.json_schema.shapes import (
    ANYTHING,
    FALSE,
    FALSE_BIT,
    FULL_ARRAY,
    FULL_NUMBER,
    FULL_OBJECT,
    FULL_STRING,
    INTEGER,
    NOTHING,
    TRUE,
    TRUE_BIT,
    All,
    ArrayAtom,
    ArrayLayer,
    Beyond,
    Clauses,
    Contains,
    Goal,
    Not,
    NumberAtom,
    ObjectAtom,
    ObjectLayer,
    Shape,
    Some,
    StringAtom,
    some_of,
)

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
_PLAIN_KEYWORDS = _NUMBER_KEYWORDS | _STRING_KEYWORDS | _ARRAY_KEYWORDS | _OBJECT_KEYWORDS | {"type"}
_MAX_SUBSETS = 6  # alternatives of an anyOf below unevaluated*, of which every subset may hold at once
_MANY_CASES = 4


class Expander:
    """Shapes of the schemas of one document.

    Attributes:
        notes: (path, text) of what a reader of the schema may not expect, such as formats that are annotations.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        keeps_annotations: bool,
        has_dynamic_scope: bool,
        exclusive: Callable[[list[Shape], Shape, str], Shape],
        without_empty: Callable[[Shape], Shape],
        check: Callable[[], None],
    ) -> None:
        """
        Args:
            keeps_annotations: the document uses unevaluatedProperties or unevaluatedItems.
            has_dynamic_scope: the document uses $dynamicRef or $recursiveRef.
            exclusive: the values of a second shape in exactly one of several (`oneOf`); the path is for errors.
            without_empty: drops cases that are seen to be empty.
            check: called once a schema; raises when time is up.
        """
        self.notes: list[tuple[str, str]] = []
        self._registry = registry
        self._keeps_annotations = keeps_annotations
        self._has_dynamic_scope = has_dynamic_scope
        self._exclusive = exclusive
        self._without_empty = without_empty
        self._check = check
        self._goals: dict[tuple[int, Scope], Schema] = {}
        self.expanding: set[Goal] = set()

    def root(self) -> Goal:
        """The goal of the document itself."""
        main = self._registry.documents[0].main
        return self.goal(main.root, main.path, main, ())

    def goal(self, schema: Json, path: str, resource: Resource, scope: Scope) -> Goal:
        """The goal of a subschema that stands at `path` in `resource`."""
        if schema is True:
            return TRUE
        if schema is False:
            return Goal(path, NOTHING)
        if not isinstance(schema, dict):
            raise GrammarSyntaxError("a schema is an object or a boolean", path=path or "/")
        if not schema:
            return TRUE
        embedded = resource.document.embedded
        if embedded:
            resource = embedded.get(id(schema), resource)
        if self._has_dynamic_scope and resource not in scope:
            scope = (*scope, resource)
        key = (id(schema), scope)
        goal = self._goals.get(key)
        if goal is None:
            goal = self._goals[key] = Schema(schema, path, resource, scope)
        return goal

    def shape(self, goal: Goal) -> Shape:
        """The shape of `goal`, worked out once.

        Raises: GrammarSyntaxError for a malformed keyword; UnsupportedGrammar for what cannot be enforced.
        """
        if goal.shape is not None:
            return goal.shape
        if goal in self.expanding:
            raise UnsupportedGrammar(
                "a schema that refers to itself", path=goal.path, reason="it would describe nothing"
            )
        self.expanding.add(goal)
        try:
            if isinstance(goal, Schema):
                self._check()
                shape = self._keywords(goal)
            elif isinstance(goal, Beyond) or (isinstance(goal, All) and any(isinstance(p, Beyond) for p in goal.parts)):
                try:
                    shape = self._combined(goal)
                except UnsupportedGrammar:
                    shape = Shape(narrowed=True)
            else:
                shape = self._combined(goal)
        finally:
            self.expanding.discard(goal)
        goal.shape = shape
        return shape

    def _combined(self, goal: Goal) -> Shape:
        if isinstance(goal, All):
            shape = ANYTHING
            for part in goal.parts:
                shape = self._both(shape, self.shape(part))
            return shape
        if isinstance(goal, Some):
            return union([self.shape(part) for part in goal.parts], keep_annotations=self._keeps_annotations)
        assert isinstance(goal, Not)
        return complement(self.shape(goal.part), goal.path)

    # Keywords --------------------------------------------------------------------------------------------------------

    def _keywords(self, goal: Schema) -> Shape:
        schema = goal.schema
        if "$ref" in schema and goal.resource.dialect <= DRAFT_07:
            return self.shape(self._target(goal, "$ref"))
        shape = ANYTHING
        plain_is_done = False
        for keyword in schema:
            if keyword in _PLAIN_KEYWORDS:
                if not plain_is_done:
                    plain_is_done = True
                    shape = self._both(shape, self._plain(goal))
                continue
            in_place = _IN_PLACE.get(keyword)
            if in_place is not None:
                shape = self._both(shape, in_place(self, goal))
        if "allOf" in schema:
            for part in self._branches(goal, "allOf"):
                if isinstance(part, Schema) and is_one_of(part):
                    shape = self._one_of(part, shape)
        if "oneOf" in schema:
            shape = self._one_of(goal, shape)
        if "unevaluatedProperties" in schema:
            shape = self._unevaluated_properties(goal, shape)
        if "unevaluatedItems" in schema:
            shape = self._unevaluated_items(goal, shape)
        if "const" in schema or "enum" in schema:
            shape = self._listed(goal, shape)
        return shape

    def _plain(self, goal: Schema) -> Shape:
        """The keywords that look at one type alone, and `type` itself."""
        schema = goal.schema
        base = self._type(goal) if "type" in schema else ANYTHING
        keys = schema.keys()
        numbers, strings, arrays, objects = base.numbers, base.strings, base.arrays, base.objects
        if not keys.isdisjoint(_NUMBER_KEYWORDS):
            atom = self._numbers(goal)
            if numbers:
                numbers = intersect(Shape(numbers=numbers), Shape(numbers=(atom,) if atom else ())).numbers
        if not keys.isdisjoint(_STRING_KEYWORDS):
            string = self._strings(goal)
            strings = (string,) if strings and string is not None else ()
        if not keys.isdisjoint(_ARRAY_KEYWORDS):
            array = self._arrays(goal)
            arrays = (array,) if arrays and array is not None else ()
        if not keys.isdisjoint(_OBJECT_KEYWORDS):
            object_ = self._objects(goal)
            objects = (object_,) if objects and object_ is not None else ()
        if numbers is base.numbers and strings is base.strings and arrays is base.arrays and objects is base.objects:
            return base
        return Shape(base.null, base.booleans, numbers, strings, arrays, objects)

    def _type(self, goal: Schema) -> Shape:
        value = goal.schema["type"]
        if isinstance(value, str):
            shape = _TYPE_SHAPES.get(value)
            if shape is not None:
                return shape
        elif isinstance(value, list) and all(isinstance(name, str) for name in value):
            known = [_TYPE_SHAPES[name] for name in value if name in _TYPE_SHAPES]
            if len(known) == len(value):
                return union(known) if known else NOTHING
        raise GrammarSyntaxError(f"{value!r} is not a type or a list of types", path=f"{goal.path}/type")

    def _numbers(self, goal: Schema) -> NumberAtom | None:
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

    def _strings(self, goal: Schema) -> StringAtom | None:
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
            if name in FORMATS:
                formats = frozenset((name,))
            else:
                self.notes.append((f"{goal.path}/format", f"the format {name!r} is not enforced: an annotation"))
        if high is not None and low > high:
            return None
        return StringAtom(low, high, patterns, formats=formats, path=goal.path)

    def _arrays(self, goal: Schema) -> ArrayAtom | None:
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
                prefix = tuple(self._below(goal, prefix_keyword, index) for index in range(len(listed)))
                if prefix_keyword == "items":
                    rest_keyword = "additionalItems"
            rest = self._below(goal, rest_keyword) if rest_keyword in schema else TRUE
            layers = (ArrayLayer(prefix, rest, None if rest_keyword in schema else len(prefix)),)
        contains: tuple[Contains, ...] = ()
        if "contains" in schema:
            fewest, most = count(goal, "minContains"), count(goal, "maxContains")
            fewest = 1 if fewest is None else fewest
            annotates = goal.resource.dialect >= DRAFT_2020
            if most is not None and most < fewest:
                return None
            contains = (Contains(self._below(goal, "contains"), fewest, most, annotates=annotates),)
        unique = schema.get("uniqueItems", False)
        if not isinstance(unique, bool):
            raise GrammarSyntaxError("uniqueItems must be a boolean", path=f"{path}/uniqueItems")
        if high is not None and low > high:
            return None
        return ArrayAtom(layers, low, high, contains, unique, path=path)

    def _objects(self, goal: Schema) -> ObjectAtom | None:
        schema, path = goal.schema, goal.path
        properties: dict[str, Goal] = {}
        patterns: tuple[tuple[str, Goal], ...] = ()
        required = names_of(schema["required"], f"{path}/required") if "required" in schema else ()
        if "properties" in schema:
            declared = schema["properties"]
            if not isinstance(declared, dict):
                raise GrammarSyntaxError("properties must be an object of schemas", path=f"{path}/properties")
            resource, scope, prefix = goal.resource, goal.scope, f"{path}/properties/"
            make = self.goal
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
            patterns = tuple((pattern, self._below(goal, "patternProperties", pattern)) for pattern in declared)
        has_rest = "additionalProperties" in schema
        rest = self._below(goal, "additionalProperties") if has_rest else TRUE
        layers: tuple[ObjectLayer, ...] = ()
        if properties or patterns or has_rest:
            layers = (ObjectLayer(properties, patterns, rest, has_rest),)
        low, high = count(goal, "minProperties") or 0, count(goal, "maxProperties")
        names = (self._below(goal, "propertyNames"),) if "propertyNames" in schema else ()
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

    def _listed(self, goal: Schema, shape: Shape) -> Shape:
        """enum and const: the values listed that everything else admits."""
        schema = goal.schema
        listed: list[Json] | None = None
        if "enum" in schema:
            listed = schema["enum"]
            if not isinstance(listed, list):
                raise GrammarSyntaxError("enum must be a list", path=f"{goal.path}/enum")
        if "const" in schema:
            const = schema["const"]
            if listed is None or values.key(const) in {values.key(value) for value in listed}:
                listed = [const]
            else:
                listed = []
        assert listed is not None
        path = f"{goal.path}/{'enum' if 'enum' in schema else 'const'}"
        if shape is not ANYTHING:
            listed = [value for value in listed if values.admits(self, shape, value)]
        exact = values.shape_of(listed, path)
        return intersect(shape, exact) if self._keeps_annotations and shape is not ANYTHING else exact

    # In-place applicators --------------------------------------------------------------------------------------------

    def _reference(self, goal: Schema) -> Shape:
        return self.shape(self._target(goal, "$ref"))

    def _target(self, goal: Schema, keyword: str) -> Goal:
        target, path, resource = self._registry.resolve(goal.schema[keyword], goal.resource, f"{goal.path}/{keyword}")
        return self.goal(target, path, resource, goal.scope)

    def _dynamic_reference(self, goal: Schema) -> Shape:
        """$dynamicRef: where the target is a dynamic anchor, the outermost resource in scope that has one decides."""
        where = f"{goal.path}/$dynamicRef"
        reference = goal.schema["$dynamicRef"]
        target, path, resource = self._registry.resolve(reference, goal.resource, where)
        name = reference.partition("#")[2]
        if isinstance(target, dict) and name and target.get("$dynamicAnchor") == name:
            target, path, resource = _outermost(goal.scope, name) or (target, path, resource)
        return self.shape(self.goal(target, path, resource, goal.scope))

    def _recursive_reference(self, goal: Schema) -> Shape:
        """$recursiveRef of 2019-09: as $dynamicRef, with the one nameless anchor $recursiveAnchor."""
        where = f"{goal.path}/$recursiveRef"
        target, path, resource = self._registry.resolve(goal.schema["$recursiveRef"], goal.resource, where)
        if isinstance(target, dict) and target.get("$recursiveAnchor") is True:
            target, path, resource = _outermost(goal.scope, "") or (target, path, resource)
        return self.shape(self.goal(target, path, resource, goal.scope))

    def _all_of(self, goal: Schema) -> Shape:
        shape = ANYTHING
        for part in self._branches(goal, "allOf"):
            if not is_one_of(part):  # these come last
                shape = self._both(shape, self.shape(part))
        return shape

    def _any_of(self, goal: Schema) -> Shape:
        parts = self._branches(goal, "anyOf")
        clauses = required_only(parts)
        if clauses is not None:
            return Shape(True, 3, (FULL_NUMBER,), (FULL_STRING,), (FULL_ARRAY,), (clauses_atom(clauses, goal),))
        shapes = [self.shape(part) for part in parts]
        if not self._keeps_annotations or not any(map(_annotates, shapes)):
            return union(shapes)
        if len(shapes) > _MAX_SUBSETS:
            raise UnsupportedGrammar(
                "anyOf", path=f"{goal.path}/anyOf", reason=f"more than {_MAX_SUBSETS} alternatives below unevaluated*"
            )
        # Alternatives that hold together evaluate together, so every subset is a case of its own.
        cases = []
        for size in range(1, len(shapes) + 1):
            for subset in combinations(shapes, size):
                case = subset[0]
                for shape in subset[1:]:
                    case = intersect(case, shape)
                cases.append(case)
        return union(cases, keep_annotations=True)

    def _one_of(self, goal: Schema, context: Shape) -> Shape:
        """oneOf, met with what the schema says beside it, which helps to tell the alternatives apart."""
        parts = self._branches(goal, "oneOf")
        if len(parts) == 1:
            return self._both(context, self.shape(parts[0]))
        names = single_required(parts)
        if names is not None and len(names) * (len(names) - 1) // 2 <= MAX_CLAUSES:
            exactly_one: Clauses = ((frozenset(), frozenset(names)),)
            exactly_one += tuple((frozenset(pair), frozenset()) for pair in combinations(names, 2))
            # Any value of another type satisfies every branch.
            return self._both(context, Shape(objects=(clauses_atom(exactly_one, goal),)))
        return self._exclusive([self.shape(part) for part in parts], context, f"{goal.path}/oneOf")

    def _not(self, goal: Schema) -> Shape:
        return complement(self.shape(self._below(goal, "not")), f"{goal.path}/not")

    def _if(self, goal: Schema) -> Shape:
        schema = goal.schema
        if "then" not in schema and "else" not in schema and not self._keeps_annotations:
            return ANYTHING
        condition = self.shape(self._below(goal, "if"))
        holds, fails = condition, complement(condition, f"{goal.path}/if")
        if "then" in schema:
            holds = self._both(holds, self.shape(self._below(goal, "then")))
        if "else" in schema:
            fails = self._both(fails, self.shape(self._below(goal, "else")))
        return union([holds, fails], keep_annotations=self._keeps_annotations)

    def _dependent_schemas(self, goal: Schema) -> Shape:
        return self._dependencies(goal, "dependentSchemas")

    def _old_dependencies(self, goal: Schema) -> Shape:
        return self._dependencies(goal, "dependencies")

    def _dependencies(self, goal: Schema, keyword: str) -> Shape:
        declared = goal.schema[keyword]
        where = f"{goal.path}/{keyword}"
        if not isinstance(declared, dict):
            raise GrammarSyntaxError(f"{keyword} must be an object", path=where)
        result = ANYTHING
        for name, needed in declared.items():
            if keyword == "dependencies" and isinstance(needed, list | str):
                listed = [needed] if isinstance(needed, str) else needed
                clauses = implied(name, names_of(listed, f"{where}/{escape_token(name)}"))
                result = self._both(result, _objects_only(clauses_atom(clauses, goal)))
                continue
            then = self.shape(self._below(goal, keyword, name)).objects
            conditions = implied_clauses(name, then)
            if conditions is not None and not (self._keeps_annotations and any(atom.layers for atom in then)):
                result = self._both(result, _objects_only(clauses_atom(conditions, goal)))
                continue
            absent = ObjectLayer({name: FALSE}, (), TRUE, annotates=False)
            without = _objects_only(ObjectAtom(layers=(absent,), path=goal.path))
            present = intersect(Shape(objects=(ObjectAtom(required=(name,), path=goal.path),)), Shape(objects=then))
            result = self._both(result, union([without, present], keep_annotations=self._keeps_annotations))
        return result

    # Unevaluated -----------------------------------------------------------------------------------------------------

    def _unevaluated_properties(self, goal: Schema, shape: Shape) -> Shape:
        rest = self._below(goal, "unevaluatedProperties")
        atoms: list[ObjectAtom] = []
        for atom in shape.objects:
            known = [layer for layer in atom.layers if layer.annotates]
            if not any(layer.evaluates_rest for layer in known):
                names = {name: TRUE for layer in known for name in layer.properties}
                patterns = {pattern: TRUE for layer in known for pattern, _ in layer.patterns}
                closing = ObjectLayer(names, tuple(patterns.items()), rest, True)
                met = intersect(Shape(objects=(atom,)), Shape(objects=(ObjectAtom((closing,), path=goal.path),)))
                atoms.extend(met.objects)
            else:
                atoms.append(atom)
        return replace(shape, objects=tuple(atoms))

    def _unevaluated_items(self, goal: Schema, shape: Shape) -> Shape:
        rest = self._below(goal, "unevaluatedItems")
        atoms: list[ArrayAtom] = []
        for atom in shape.arrays:
            counts = [layer.annotates for layer in atom.layers]
            if None in counts:
                atoms.append(atom)
                continue
            known = max((count for count in counts if count is not None), default=0)
            found = [contains.goal for contains in atom.contains if contains.annotates]
            closing = ArrayLayer((TRUE,) * known, some_of(rest, *found), None)
            met = intersect(Shape(arrays=(atom,)), Shape(arrays=(ArrayAtom((closing,), path=goal.path),)))
            atoms.extend(met.arrays)
        return replace(shape, arrays=tuple(atoms))

    # Helpers ---------------------------------------------------------------------------------------------------------

    def _both(self, a: Shape, b: Shape) -> Shape:
        """The values in both shapes; where cases multiply, those that contradict themselves are dropped at once."""
        met = intersect(a, b)
        return self._without_empty(met) if len(met.objects) > _MANY_CASES else met

    def _below(self, goal: Schema, keyword: str, key: str | int | None = None) -> Goal:
        """The goal of the subschema under `keyword`, or under its entry `key`."""
        child = goal.schema[keyword]
        path = f"{goal.path}/{keyword}"
        if key is not None:
            child = child[key]
            path = f"{path}/{escape_token(key) if isinstance(key, str) else key}"
        return self.goal(child, path, goal.resource, goal.scope)

    def _branches(self, goal: Schema, keyword: str) -> list[Goal]:
        listed = goal.schema[keyword]
        if not isinstance(listed, list) or not listed:
            raise GrammarSyntaxError(f"{keyword} must be a list of schemas", path=f"{goal.path}/{keyword}")
        return [self._below(goal, keyword, index) for index in range(len(listed))]


_IN_PLACE: Final[dict[str, Callable[[Expander, Schema], Shape]]] = {
    "$ref": Expander._reference,
    "$dynamicRef": Expander._dynamic_reference,
    "$recursiveRef": Expander._recursive_reference,
    "allOf": Expander._all_of,
    "anyOf": Expander._any_of,
    "not": Expander._not,
    "if": Expander._if,
    "dependentSchemas": Expander._dependent_schemas,
    "dependencies": Expander._old_dependencies,
}


def _outermost(scope: Scope, name: str) -> tuple[Json, str, Resource] | None:
    for resource in scope:
        if name in resource.dynamic_anchors:
            return (*resource.dynamic_anchors[name], resource)
    return None


def _objects_only(atom: ObjectAtom) -> Shape:
    """The objects of `atom` and every value of another type."""
    return Shape(True, 3, (FULL_NUMBER,), (FULL_STRING,), (FULL_ARRAY,), (atom,))


def _annotates(shape: Shape) -> bool:
    return any(atom.layers for atom in shape.objects) or any(atom.layers or atom.contains for atom in shape.arrays)
