"""GBNF grammars of the size and kind that people write: JSON, arithmetic with left recursion, chess, C, lists."""

import pytest

from slipform.errors import GrammarError
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.spec import Ebnf
from tests.grammars.json_schema_help import accepts, byte_vocabulary

JSON = r"""
# any JSON value, white space wherever it may stand
root    ::= blank any blank
any     ::= map | list | text | figure | "true" | "false" | "null"
map     ::= "{" blank ( entry ( "," blank entry )* )? "}"
entry   ::= text blank ":" blank any blank
list    ::= "["
    blank (                 # a group may go over lines
      any blank ( "," blank any blank )*
    )? "]"
text    ::= "\"" ( [^"\\\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" [0-9A-Fa-f]{4} ) )* "\""
figure  ::= "-"? ( "0" | [1-9] [0-9]{0,15} ) ( "." [0-9]+ )? ( [eE] [-+]? [0-9]{1,3} )?
blank   ::= [ \t\n\r]{0,20}
"""
SUMS = r"""
root   ::= ( sum " = " number "\n" )+
sum    ::= sum [-+] factor | factor
factor ::= factor [*/] atom | atom
atom   ::= number | [a-z] | "(" sum ")"
number ::= [0-9]+
"""
CHESS = r"""
root   ::= ( turn " " )* turn
turn   ::= [1-9] [0-9]? ". " ply ( " " ply )?
ply    ::= ( piece | pawn | "O-O" "-O"? ) [+#]?
piece  ::= [KQRBN] [a-h]? [1-8]? "x"? field
pawn   ::= ( [a-h] "x" )? field ( "=" [QRBN] )?
field  ::= [a-h] [1-8]
"""
PROGRAM = r"""
root      ::= function+
function  ::= type name "(" ( type name ( ", " type name )* )? ") {\n" statement* "}\n"
type      ::= ( "int" | "float" | "char" "*"? ) " "
statement ::= " "* ( type? name " = " value ";" | "return " value ";" | loop | remark ) "\n"
loop      ::= "while (" value ( "<" | "==" | "!=" ) value ") {\n" statement* " "* "}"
remark    ::= "//" [^\n]* | "/*" ( [^*] | "*" [^/] )* "*/"
value     ::= value " " [-+*/] " " operand | operand
operand   ::= name | [0-9]+ | name "(" ( value ( ", " value )* )? ")" | "-" operand | "(" value ")"
name      ::= [a-zA-Z_] [a-zA-Z_0-9]*
"""
MAIN = """int main() {
  int x = 1 + f(2, -y);
  while (x<3) {
    x = x + 1;
  }
  /* ** */
  return x;
}
"""
LINES = 'root ::= ( "- " [^\\r\\n\\u2028]{1,80} "\\n" ){1,9}'
KANA = 'root ::= word ( [ \\u3000] word )* "。"?\nword ::= [ぁ-ゟァ-ヿ一-鿿]+'


@pytest.mark.parametrize(
    ("grammar", "taken", "refused"),
    [
        (JSON, ['{"a": [1, -2.5e3, "x\\u00e9", true], "b":{"c":null}}', "[]\n", '"é"'], ['{"a":01}', "{a:1}", "[1,]"]),
        (SUMS, ["1+2*(x-3) = 4\n", "1 = 1\n2-1-1 = 0\n"], ["1+ = 2\n", "1 = 1", "+1 = 1\n"]),
        (CHESS, ["1. e4 e5 2. Nf3 Nc6 3. O-O", "12. exd8=Q+ Kxd8"], ["1. e9", "1. e4  e5", "0. e4"]),
        (
            PROGRAM,
            [MAIN],
            ["int main() {\n  x;\n}\n", "int main() {\n", "main() {\n}\n"],
        ),
        (LINES, ["- a\n- bé😀\n"], ["- \n", "- a", "- " + "x" * 81 + "\n"]),
        (KANA, ["こんにちは 世界。", "カナ"], ["abc", "。"]),
    ],
)
def test_grammars_as_people_write_them(grammar: str, taken: list[str], refused: list[str]) -> None:
    compiled = compile_grammar(Ebnf(grammar), byte_vocabulary())
    for text in taken:
        assert accepts(compiled, text), text
    for text in refused:
        assert not accepts(compiled, text), text


@pytest.mark.parametrize(
    ("grammar", "message"),
    [
        ('root ::= "a"\nlist ::= item | ["x"\nitem ::= "b"', "2:17"),
        ('root ::= "a"\n  | other', "2:5: there is no rule 'other'"),
        ('root ::= "a"\nroot := "b"', "2:"),
        ('root ::= "a" {3,1}', "1:14"),
        ('root ::= "a" root', "1:1: rule 'root' matches no text"),
    ],
)
def test_errors_name_line_and_column(grammar: str, message: str) -> None:
    with pytest.raises(GrammarError, match=f"at {message}"):
        compile_grammar(Ebnf(grammar), byte_vocabulary())
