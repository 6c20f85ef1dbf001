"""One step may reach a configuration that is larger than all those before it together."""

import json

from slipform.grammars.compiler import compile_grammar
from slipform.grammars.spec import Ebnf, JsonSchema
from tests.grammars.json_schema_help import accepts, byte_vocabulary


def test_hundreds_of_readings_at_once() -> None:
    rules = "\n".join(f'r{number} ::= "x" r{number}? "{number}"' for number in range(400))
    grammar = compile_grammar(
        Ebnf(f'root ::= "a" ({" | ".join(f"r{number}" for number in range(400))})\n{rules}'), byte_vocabulary()
    )
    assert accepts(grammar, "axx77")
    assert not accepts(grammar, "axx7-")


def test_many_alternatives_of_objects() -> None:
    options = [
        {"properties": {f"p{n}": {"const": n}, "x": {"type": "string"}}, "required": [f"p{n}"]} for n in range(300)
    ]
    schema = {"type": "object", "properties": {"list": {"type": "array", "items": {"anyOf": options}}}}
    grammar = compile_grammar(JsonSchema.of(schema, property_order="any"), byte_vocabulary())
    assert accepts(grammar, json.dumps({"list": [{"p7": 7}, {"x": "", "p299": 299}]}))
    assert not accepts(grammar, json.dumps({"list": [{"p7": "7"}]}))
