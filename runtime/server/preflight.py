"""What can be known to be wrong before the server listens: a model's files, certificates, the port.

Nothing here loads a model or imports torch. What only loading can find out, the engine's process says later.
"""

import json
import os
import socket
import ssl
from pathlib import Path

from slipform.errors import ConfigError
from slipform.runtime.server.settings import ServerSettings

_TOKENIZER_FILES = ("tokenizer*", "vocab*", "*.model", "*.tiktoken")
_BACKLOG = 2048


def check_model(directory: Path, *, needs_weights: bool = True) -> None:
    """Raises: ConfigError for a directory without a readable config.json, tokenizer or, if needed, safetensors."""
    if not directory.is_dir():
        raise ConfigError(
            f"{directory} is not a directory; it takes a local folder with config.json, a tokenizer and safetensors",
            field="model",
        )
    if not (directory / "config.json").is_file():
        raise ConfigError(f"{directory} has no config.json; is it a checkpoint?", field="model")
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json"):
        if (directory / name).exists():
            _check_json(directory / name)
    if not any(any(directory.glob(pattern)) for pattern in _TOKENIZER_FILES):
        raise ConfigError(f"{directory} holds no tokenizer", field="model")
    if needs_weights and not any(directory.glob("*.safetensors")):
        raise ConfigError(f"{directory} holds no weights as safetensors", field="model")


def check_tls(settings: ServerSettings) -> None:
    """Raises: ConfigError naming the file that is missing, not PEM, or does not go with the others."""
    certificate, key, authority = settings.tls_certificate, settings.tls_key, settings.tls_client_ca
    if (certificate is None) != (key is None):
        missing = "tls_key" if key is None else "tls_certificate"
        raise ConfigError("is missing: a certificate and its key are needed together", field=missing)
    if authority is not None:
        if certificate is None:
            raise ConfigError("needs a certificate of the server's own: --tls-certificate", field="tls_client_ca")
        _check_certificates(authority, "tls_client_ca")
    if certificate is None or key is None:
        return
    _check_certificates(certificate, "tls_certificate")
    _check_readable(key, "tls_key")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        reason = "belongs to another certificate" if "MISMATCH" in str(error.reason) else "is not a private key in PEM"
        raise ConfigError(f"{key} {reason}", field="tls_key") from error


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen, one for each of the host's addresses on this machine.

    Raises: ConfigError for an address that does not exist here or is taken.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigError(f"{host} is not an address: {error.strerror}", field="host") from error
    listeners: list[socket.socket] = []
    for family, *_, address in found:
        own_port = port or (listeners[0].getsockname()[1] if listeners else 0)
        try:
            own_address = (str(address[0]), own_port, *address[2:])
            listeners.append(socket.create_server(own_address, family=family, backlog=_BACKLOG))
        except PermissionError as error:
            raise ConfigError(f"this user may not listen on port {own_port}", field="port") from error
        except OSError as error:
            if _can_bind(family, str(address[0])):
                message = f"{own_port} is taken: another program listens there"
                raise ConfigError(message, field="port") from error
    if not listeners:
        raise ConfigError(f"{host} is not an address of this machine", field="host")
    return listeners


def _can_bind(family: int, host: str) -> bool:
    """Whether an address is one of this machine's, so that only its port can be what is wrong."""
    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _check_json(path: Path) -> None:
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", field="model") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}", field="model") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path} is not a JSON object", field="model")


def _check_certificates(path: Path, field: str) -> None:
    _check_readable(path, field)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        raise ConfigError(f"{path} is not a certificate in PEM", field=field) from error


def _check_readable(path: Path, field: str) -> None:
    if not path.is_file():
        raise ConfigError(f"{path} is not a file", field=field)
    if not os.access(path, os.R_OK):
        raise ConfigError(f"{path} may not be read by this user", field=field)


def _no_password() -> str:
    """Without this, OpenSSL asks the terminal for the password of an encrypted key."""
    raise ConfigError("is encrypted; it must be readable without a password", field="tls_key")
