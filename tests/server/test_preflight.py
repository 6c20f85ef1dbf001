"""What can be known to be wrong before the server listens ends `slipform serve` at once, and names the option."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slipform.cli import app
from slipform.errors import ConfigError
from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.server.preflight import check_model, listen

Change = Callable[[Path], None]


def removed(*patterns: str) -> Change:
    def change(folder: Path) -> None:
        for pattern in patterns:
            for file in folder.glob(pattern):
                file.unlink()

    return change


def replaced(name: str, content: bytes) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).write_bytes(content)

    return change


def unreadable(name: str) -> Change:
    """A folder in a file's place cannot be read by anybody, root included."""

    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return change


def checkpoint(folder: Path, change: Change) -> Path:
    """A copy of the embedded checkpoint, by links, with one thing wrong."""
    folder.mkdir()
    for file in EMBEDDED_MODEL.iterdir():
        (folder / file.name).symlink_to(file)
    change(folder)
    return folder


def refusal(*arguments: str) -> str:
    """What `slipform serve` with these arguments ends with."""
    with pytest.raises(ConfigError) as caught:
        CliRunner().invoke(app, ["serve", "--port", "0", *arguments], catch_exceptions=False)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (removed("config.json"), "has no config.json"),
        (replaced("config.json", b"{"), "config.json is not JSON"),
        (replaced("config.json", b"[1]"), "config.json is not a JSON object"),
        (unreadable("config.json"), "has no config.json"),
        (removed("tokenizer*", "vocab*"), "holds no tokenizer"),
        (replaced("tokenizer.json", b'{"version": "1.0", '), "tokenizer.json is not JSON"),
        (replaced("tokenizer.json", b"\xff\xfe\x00"), "tokenizer.json is not JSON"),
        (unreadable("tokenizer.json"), "tokenizer.json cannot be read"),
        (removed("*.safetensors"), "no weights as safetensors"),
    ],
)
def test_models_that_cannot_be_read(
    change: Change, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = refusal("--model", str(checkpoint(tmp_path / "model", change)))
    assert told.startswith("--model: ")
    assert message in told
    assert "listening" not in capfd.readouterr().err


def test_random_weights_need_no_files(tmp_path: Path) -> None:
    check_model(checkpoint(tmp_path / "model", removed("*.safetensors")), needs_weights=False)


def test_a_path_that_is_no_folder(tmp_path: Path) -> None:
    assert refusal("--model", str(tmp_path / "nothing")).startswith(f"--model: {tmp_path / 'nothing'} is not a dir")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two certificates with their keys, an encrypted key, and a text that is neither."""
    folder = tmp_path_factory.mktemp("pem")
    for name in ("one", "other"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
            check=True, capture_output=True,
        )  # fmt: skip
    subprocess.run(
        ["openssl", "ec", "-in", folder / "one.key", "-out", folder / "locked.key", "-aes256",
         "-passout", "pass:secret"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "text").write_text("not PEM\n")
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "authority", "message"),
    [
        ("nowhere", "one.key", None, "--tls-certificate: {}/nowhere is not a file"),
        ("text", "one.key", None, "--tls-certificate: {}/text is not a certificate in PEM"),
        ("one.key", "one.key", None, "--tls-certificate: {}/one.key is not a certificate in PEM"),
        ("one.crt", "nowhere", None, "--tls-key: {}/nowhere is not a file"),
        ("one.crt", "text", None, "--tls-key: {}/text is not a private key in PEM"),
        ("one.crt", "other.key", None, "--tls-key: {}/other.key belongs to another certificate"),
        ("one.crt", "locked.key", None, "--tls-key: is encrypted"),
        ("one.crt", None, None, "--tls-key: is missing"),
        (None, "one.key", None, "--tls-certificate: is missing"),
        ("one.crt", "one.key", "text", "--tls-client-ca: {}/text is not a certificate in PEM"),
        (None, None, "one.crt", "--tls-client-ca: needs a certificate"),
    ],
)
def test_certificates(pem: Path, certificate: str | None, key: str | None, authority: str | None, message: str) -> None:
    given = {"--tls-certificate": certificate, "--tls-key": key, "--tls-client-ca": authority}
    arguments = [part for option, name in given.items() if name for part in (option, str(pem / name))]
    assert refusal(*arguments).startswith(message.format(pem))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\xfd", "is not text in UTF-8"),
        (b"# nothing\n", "holds no key"),
        (b"sk-0123456789\nshort\n", "entry 2 is shorter than 8 characters"),
        (b"sk-0123456789:everything\n", "entry 1 has the scope 'everything'"),
        (b"sk-0123456789\nsk-0123456789 again\n", "a key is given twice"),
    ],
)
def test_key_files(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(content)
    told = refusal("--keys-file", str(tmp_path / "keys"))
    assert told.startswith("--keys-file: ")
    assert message in told
    assert "sk-0" not in told


def test_keys_of_the_environment_are_told_by_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPFORM_API_KEYS", "short")
    assert refusal().startswith("SLIPFORM_API_KEYS: entry 1")


def test_addresses() -> None:
    assert refusal("--host", "no.such.host.invalid", "--allow-anonymous").startswith("--host: no.such.host.invalid")
    assert refusal("--host", "192.0.2.1", "--allow-anonymous").startswith("--host: 192.0.2.1 is not an address of this")
    assert refusal("--log-level", "loud").startswith("--log-level: must be one of")


def test_a_host_with_several_addresses_listens_on_all_of_them_with_one_port() -> None:
    listeners = listen("localhost", 0)
    try:
        ports = {listener.getsockname()[1] for listener in listeners}
        assert len(ports) == 1
        with socket.create_connection(("127.0.0.1", ports.pop()), 5):
            pass
    finally:
        for listener in listeners:
            listener.close()


def run(*arguments: str) -> tuple[int, list[str]]:
    """The exit code of the command as a person runs it, and what it says on the standard error."""
    command = [sys.executable, "-m", "slipform.cli", "serve", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    return done.returncode, done.stderr.splitlines()


def test_a_taken_port_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = run("--port", str(port))
    assert (code, len(lines)) == (2, 1)
    assert lines[0].endswith(f"--port: {port} is taken: another program listens there")


def test_a_tokenizer_that_only_loading_finds_wrong(tmp_path: Path) -> None:
    """It is JSON, and no tokenizer: the engine's process says so, and the server never says that it is ready."""
    content = json.dumps({"version": "1.0", "model": {"type": "Nonsense"}}).encode()
    folder = checkpoint(tmp_path / "model", replaced("tokenizer.json", content))
    code, lines = run("--model", str(folder), "--port", "0")
    assert code == 2
    assert "--model: " in lines[-1]
    assert "tokenizer" in lines[-1]
    assert not any("ready" in line or "Traceback" in line for line in lines)
