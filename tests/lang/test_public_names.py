"""What `import slipform as sf` gives, and the process-wide settings."""

import subprocess
import sys

import pytest

import slipform as sf
from slipform.errors import ConfigError
from slipform.lang.backends.engine import EngineBackend
from slipform.lang.config import resolve_backend


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert sf.__all__ == sorted(sf.__all__)
    assert set(sf.__all__) == set(sf._EXPORTS)
    for name in sf.__all__:
        assert getattr(sf, name) is not None
    assert set(sf.__all__) <= set(dir(sf))


def test_every_exported_name_has_a_docstring_or_is_a_plain_value() -> None:
    for name in sf.__all__:
        value = getattr(sf, name)
        assert isinstance(value, str) or value.__doc__


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="module 'slipform' has no attribute 'generate'"):
        sf.generate  # noqa: B018


@pytest.mark.parametrize("name", ["gen", "function", "ScriptedBackend", "run_everything"])
def test_the_language_loads_neither_torch_nor_transformers(name: str) -> None:
    code = (
        f"import sys, slipform as sf; getattr(sf, {name!r}, None); "
        "sys.exit(any(module in sys.modules for module in ('torch', 'transformers', 'numba')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd="/")


def test_the_default_backend_is_used_and_can_be_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sf.global_config, "default_backend", None)
    backend = sf.ScriptedBackend({"a": "x"})
    sf.set_default_backend(backend)
    assert resolve_backend(None) is backend

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += sf.gen("a")

    assert program.run()["a"] == "x"
    assert program()["a"] == "x"
    sf.flush_cache()
    assert sf.get_server_info()["num_requests"] == 2
    sf.set_default_backend(None)
    assert sf.global_config.default_backend is None


def test_without_a_backend_one_engine_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import slipform.runtime.engine
    from tests.fakes import scripted_engine

    made = []

    def make(model: str | None) -> object:
        assert model is None
        made.append(scripted_engine())
        return made[-1]

    monkeypatch.setattr(slipform.runtime.engine, "Engine", make)
    monkeypatch.setattr(sf.global_config, "default_backend", None)
    first, second = resolve_backend(None), resolve_backend(None)
    assert first is second
    assert isinstance(first, EngineBackend)
    assert len(made) == 1
    first.close()


def test_a_runtime_is_made_and_shut_down_by_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    import slipform.runtime.engine
    from tests.fakes import scripted_engine

    monkeypatch.setattr(slipform.runtime.engine, "Engine", lambda model, **options: scripted_engine(**options))
    runtime = sf.Runtime(model_path="somewhere", seed=4)
    monkeypatch.setattr(sf.global_config, "default_backend", None)
    sf.set_default_backend(runtime)

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "x" + sf.gen("a", max_tokens=2)

    assert program.run().get_meta_info("a")["completion_tokens"] <= 2
    assert runtime.get_tokenizer().encode("x")
    runtime.shutdown()
    with pytest.raises(sf.FillError, match="EngineStopped"):
        program.run()


@pytest.mark.parametrize("value", ["http://localhost", 5, object()])
def test_what_is_no_backend_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"backend: .* is neither a backend nor an engine"):
        sf.set_default_backend(value)
