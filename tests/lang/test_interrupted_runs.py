"""What a person sees who stops a job, or asks for more memory than there is."""

from pathlib import Path

import pytest

import slipform as sf
from slipform import cli_run
from slipform.runtime.kv_pool import KVPool

PROGRAM = """
import slipform as sf

sf.set_default_backend(sf.ScriptedBackend({"x": "y"}))
ROWS = [{"word": "one"}]

@sf.function
def program(s, word):
    s += word + sf.gen("x")
"""


def options(*, quiet: bool) -> cli_run.RunOptions:
    return cli_run.RunOptions(
        concurrency=1,
        limit=None,
        ordered=True,
        prices=None,
        quiet=quiet,
        resume=False,
        retries=0,
        retry_failed=False,
        sampling={},
    )


@pytest.mark.parametrize("quiet", [False, True])
def test_a_job_that_is_stopped_says_how_to_go_on(
    quiet: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sf.global_config, "default_backend", None)
    monkeypatch.setattr(cli_run, "run_job", stopped)
    file = tmp_path / "words_program.py"
    file.write_text(PROGRAM, encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        cli_run.run_file(
            file, model=None, rows=None, output=str(tmp_path / "out"), program=None, options=options(quiet=quiet)
        )
    assert ("--resume goes on" in capsys.readouterr().err) is not quiet


def test_a_pool_that_no_memory_holds_is_an_error_of_its_option() -> None:
    with pytest.raises(sf.ConfigError, match=r"^pool_slots: this machine has no memory for \d+ slots \(\d+\.\d GiB"):
        KVPool(2**50, kv_shapes=[(4, 64)])
