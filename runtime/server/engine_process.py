"""The engine process: `python -m slipform.runtime.server.engine_process`, started by the server.

The standard input brings one line of JSON: how to reach the server, and the engine's options. The process lives as long
as its connection.
"""

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from slipform.errors import ConfigError
from slipform.runtime.engine import Engine
from slipform.runtime.server.engine_host import EngineHost
from slipform.runtime.server.frames import Refused, encode
from slipform.runtime.server.logs import set_up_logs
from slipform.runtime.wire import error_to_plain

# A thread that waits for the interpreter gets it after this long: reading and writing must keep up with the steps.
SWITCH_INTERVAL_S = 0.001
# How long a running step may hold up the end of the process.
_EXIT_GRACE_S = 5.0


def main() -> None:
    """Load an engine and serve it. Ends when the server closes the connection, or dies."""
    start = json.loads(sys.stdin.readline())
    # Ctrl-C in a terminal reaches all of its processes; the server decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    set_up_logs(start["log_level"])
    connection = connect(start)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    model = start["model"]
    try:
        engine = Engine(None if model is None else Path(model), **start["options"])
    except ConfigError as error:
        connection.sendall(encode([Refused(error_to_plain(error))]))
        sys.exit(2)
    with engine:
        EngineHost(engine, connection).run()
        # Closing waits for the step in progress; a step that hangs must not keep the process alive.
        timer = threading.Timer(_EXIT_GRACE_S, os._exit, (1,))
        timer.daemon = True
        timer.start()


def connect(start: dict[str, Any]) -> socket.socket:
    """The connection to the server: an inherited socket, or a port of this machine and a token to say first."""
    if "fd" in start:
        return socket.socket(fileno=start["fd"])
    connection = socket.create_connection(("127.0.0.1", start["port"]))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(bytes.fromhex(start["token"]))
    return connection


if __name__ == "__main__":
    main()
