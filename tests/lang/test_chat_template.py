"""Splitting chat templates: the pieces of a growing conversation equal the template's rendering of the whole."""

import pytest
import tokenizers
import transformers
from jinja2 import TemplateError

import slipform as sf
from slipform.errors import ConfigError, RoleError
from slipform.lang.chat_template import ChatTemplate, plain_roles

CHATML = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are helpful.<|im_end|>\\n' }}{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
    "'<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | "
    "trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
# The system text goes into the last user message, so that each new user message rewrites an earlier one.
MISTRAL_MOVING = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}"
    "{{ '[INST] ' }}{% if loop.last and messages[0].role == 'system' %}{{ messages[0].content + '\n\n' }}{% endif %}"
    "{{ message.content + '[/INST]' }}{% elif message.role == 'assistant' %}{{ ' ' + message.content + "
    "eos_token }}{% endif %}"
    "{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') "
    "}}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
    "{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
# An answer in the last place shows its (empty) thoughts, an earlier one does not.
THINKING = (
    "{%- for message in messages %}{%- if message.role == 'assistant' and loop.last %}"
    "{{- '<|im_start|>assistant\n<think>\n\n</think>\n\n' + message.content + '<|im_end|>\n' }}{%- else %}"
    "{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
GENERATION_BLOCK = (
    "{% for message in messages %}{% if message.role == 'assistant' %}<a>{% generation %}{{ message.content }}</a>"
    "{% endgeneration %}{% else %}<u>{{ message.content }}</u>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<a>{% endif %}"
)

NAMED = {"bos_token": "<s>", "eos_token": "</s>"}
SPECIAL = (
    "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
    "<start_of_turn>", "<end_of_turn>", "<s>", "</s>",
)  # fmt: skip
TURNS = [("user", "first question"), ("assistant", "first answer"), ("user", "second"), ("assistant", "last answer")]
WITH_SYSTEM = [("system", "be kind"), *TURNS]


def written(source: str, turns: list[tuple[str, str]], *, generate: bool) -> str:
    """The text of a program that writes `turns`, with the assistant's filled by a model or given."""
    answers = [content for role, content in turns if role == "assistant"]

    @sf.function
    def program(s: sf.ProgramState) -> None:
        for role, content in turns:
            s += getattr(sf, role)(sf.gen("answer") if generate and role == "assistant" else content)

    backend = sf.ScriptedBackend({"answer": list(answers)}, chat_template=source, special_tokens=SPECIAL)
    backend._template = ChatTemplate(source, named_tokens=NAMED, special_tokens=SPECIAL)
    return program.run(backend=backend).text()


def rendered(source: str, turns: list[tuple[str, str]]) -> str:
    template = ChatTemplate(source, named_tokens=NAMED)
    return template.render([{"role": role, "content": content} for role, content in turns])


@pytest.mark.parametrize("generate", [False, True])
@pytest.mark.parametrize(
    ("source", "turns"),
    [
        (CHATML, TURNS),
        (CHATML, WITH_SYSTEM),
        (LLAMA3, TURNS),
        (LLAMA3, WITH_SYSTEM),
        (MISTRAL, TURNS),
        (GEMMA, TURNS),
        (GENERATION_BLOCK, TURNS),
        (LLAMA2, [("user", "only")]),
        (LLAMA2, [("system", "be kind"), ("user", "only")]),
        (MISTRAL_MOVING, [("system", "be kind"), ("user", "only")]),
    ],
)
def test_pieces_equal_the_whole(source: str, turns: list[tuple[str, str]], generate: bool) -> None:
    assert written(source, turns, generate=generate) == rendered(source, turns)


def test_constant_history_equals_the_whole_where_the_model_gets_no_head() -> None:
    # Llama-2 writes a blank before an answer in the history; a generated answer begins right behind the question.
    assert written(LLAMA2, WITH_SYSTEM, generate=False) == rendered(LLAMA2, WITH_SYSTEM)
    generated = written(LLAMA2, [("user", "q"), ("assistant", "a")], generate=True)
    assert generated == "<s>[INST] q [/INST]a </s>"


def test_history_that_drops_thoughts_can_still_be_appended_to() -> None:
    text = written(THINKING, TURNS, generate=True)
    assert text == rendered(THINKING, TURNS).replace("<think>\n\n</think>\n\n", "")


def test_content_is_stripped_where_the_template_strips_it() -> None:
    turns = [("user", "  padded \n"), ("assistant", "ok")]
    assert written(LLAMA3, turns, generate=False) == rendered(LLAMA3, turns)
    assert "  padded \n" in written(CHATML, turns, generate=False)


def test_a_template_that_moves_text_is_refused_with_a_way_out() -> None:
    with pytest.raises(
        RoleError, match=r"rewrites earlier messages .* put the system text into the first user message"
    ):
        written(MISTRAL_MOVING, WITH_SYSTEM, generate=True)


def test_a_role_that_the_template_refuses_is_named() -> None:
    with pytest.raises(RoleError, match=r"program: .*refuses the roles user, user: Conversation roles must alternate"):
        written(MISTRAL, [("user", "a"), ("user", "b")], generate=False)


def test_a_system_message_that_the_template_refuses() -> None:
    with pytest.raises(RoleError, match="System role not supported"):
        written(GEMMA, [("system", "x"), ("user", "y")], generate=False)


def test_a_hole_in_a_message_that_is_written_later_is_refused() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.system("You are " + sf.gen("what"))
        s += sf.user("hello")

    backend = sf.ScriptedBackend({"what": "x"}, chat_template=LLAMA2.replace("bos_token", "''"))
    with pytest.raises(RoleError, match=r"writes the system text inside the next message"):
        program.run(backend=backend)


def test_content_written_twice_is_refused() -> None:
    source = "{% for m in messages %}{{ m.content }}|{{ m.content }}{% endfor %}"
    with pytest.raises(RoleError, match="2 times, so holes cannot stand in it"):
        written(source, [("user", "x")], generate=False)


def test_a_broken_template_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="chat_template: line 1"):
        ChatTemplate("{% for %}")


def test_templates_are_sandboxed() -> None:
    with pytest.raises(TemplateError):
        ChatTemplate("{{ messages.__class__.__mro__[1].__subclasses__() }}").render([])


def test_special_tokens_stand_apart_from_the_rest_of_the_template() -> None:
    template = ChatTemplate(CHATML, special_tokens=SPECIAL)
    segments = template.segments("<|im_end|>\n<|im_start|>user\n")
    assert [(segment.text, segment.parse_special) for segment in segments] == [
        ("<|im_end|>", True),
        ("\n", False),
        ("<|im_start|>", True),
        ("user\n", False),
    ]


def test_tojson_and_dates_are_available_as_in_transformers() -> None:
    template = ChatTemplate("{{ messages | tojson }} {{ strftime_now('%Y') | length }}")
    assert template.render([{"role": "user", "content": "é<"}]) == '[{"role": "user", "content": "é<"}] 4'


def test_models_without_a_template_get_plain_roles() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.system("sys") + sf.user("hi")
        s += sf.assistant(sf.gen("a", stop="\n"))

    state = program.run(backend=sf.ScriptedBackend({"a": "hello"}, chat_template=None))
    assert state.text() == "SYSTEM:sys\nUSER:hi\nASSISTANT:hello\n"
    assert plain_roles() is plain_roles()


def test_the_same_as_transformers() -> None:
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a"))
    for source in (CHATML, LLAMA3, LLAMA2, MISTRAL, GEMMA, THINKING, GENERATION_BLOCK):
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_object=backend, bos_token="<s>", eos_token="</s>", chat_template=source
        )
        messages = [{"role": role, "content": content} for role, content in TURNS]
        for prompt in (False, True):
            expected = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
            assert ChatTemplate(source, named_tokens=NAMED).render(messages, add_generation_prompt=prompt) == expected
