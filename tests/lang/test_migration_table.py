"""The table of SGLang's names on the migration page: complete, and true of what is listed as there or refused."""

import re
from pathlib import Path
from typing import Any

import pytest

import slipform as sgl
from slipform.lang.config import GlobalConfig

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "migration.md"
OWNERS: dict[str, Any] = {
    "sgl": sgl,
    "program": sgl.Program,
    "s": sgl.ProgramState,
    "forks": sgl.ProgramStateGroup,
    "global_config": GlobalConfig(),
}
# What SGLang's frontend exports, and the members of what it makes.
EXPORTS = """
    function gen gen_int gen_string select system user assistant system_begin system_end user_begin user_end
    assistant_begin assistant_end image video separate_reasoning set_default_backend flush_cache get_server_info Runtime
    Engine RuntimeEndpoint OpenAI Anthropic LiteLLM VertexAI token_length_normalized greedy_token_selection
    unconditional_likelihood_normalized
"""
MEMBERS = {
    "sgl": EXPORTS,
    "program": "run run_batch bind trace cache compile",
    "s": "system user assistant text messages sync error get_var set_var get_meta_info var_scope copy fork text_iter "
    "text_async_iter ret_value",
    "forks": "join",
    "global_config": "default_backend verbosity skip_special_tokens_in_output enable_precache_with_tracing "
    "enable_parallel_encoding spaces_between_special_tokens_in_out",
}


def listed() -> dict[tuple[str, str], str]:
    """Owner and name of each name in the table, and whether it works, differs or is refused."""
    section = PAGE.read_text(encoding="utf-8").split("### Every name")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \| (works|differs|refused) \|", section, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^\| ", section, re.MULTILINE)) - 1  # less the heading
    return {
        (owner, name): status
        for names, status in rows
        for owner, name in re.findall(rf"`({'|'.join(OWNERS)})\.(\w+)`", names)
    }


LISTED = listed()


def test_every_name_of_sglang_is_listed_and_no_other() -> None:
    assert set(LISTED) == {(owner, name) for owner, names in MEMBERS.items() for name in names.split()}


@pytest.mark.parametrize(("owner", "name"), [names for names, status in LISTED.items() if status != "refused"])
def test_what_is_listed_as_there_is_there(owner: str, name: str) -> None:
    assert hasattr(OWNERS[owner], name)
    if owner == "sgl":
        assert name in sgl.__all__


@pytest.mark.parametrize(("owner", "name"), [names for names, status in LISTED.items() if status == "refused"])
def test_what_is_listed_as_refused_is_an_error(owner: str, name: str) -> None:
    if owner == "global_config":
        with pytest.raises(sgl.ConfigError, match=f"global_config.{name}: is always False here"):
            setattr(OWNERS[owner], name, True)
    else:
        with pytest.raises(AttributeError, match=name):
            getattr(OWNERS[owner], name)
