"""Writing frames to the server from any thread of the engine process, without ever waiting for the server."""

import logging
import socket
import threading
from collections import deque

_log = logging.getLogger(__name__)

# Asks one call not to wait on a socket that otherwise does; None where the system has no such flag.
_DONT_WAIT: int | None = getattr(socket, "MSG_DONTWAIT", None)


class FrameWriter:
    """Writes each frame where it is made, on its maker's thread: the engine's costs a system call, not a switch of
    threads. What the server does not take in at once, and all behind it, is left to a thread of the writer's own.

    A connection that breaks is logged; who reads from it learns of it too.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._left: deque[memoryview] = deque()  # not empty: the thread is writing
        self._is_left = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._write_left, name="slipform-writer", daemon=True)
        self._thread.start()

    def write(self, frame: bytes) -> None:
        """Send a frame, or leave its rest to the thread."""
        with self._lock:
            sent = 0 if self._left else self._send(frame)
            if sent == len(frame):
                return
            self._left.append(memoryview(frame)[sent:])
        self._is_left.set()

    def close(self) -> None:
        """End the thread, once the connection is closed at the other end."""
        self._closing = True
        self._is_left.set()
        self._thread.join(5)

    def _send(self, frame: bytes) -> int:
        """Bytes that were taken in, or that nobody will ever take in."""
        if _DONT_WAIT is None:
            return 0
        try:
            return self._connection.send(frame, _DONT_WAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            _log.info("the server's connection broke: %s", error)
            return len(frame)

    def _write_left(self) -> None:
        while not self._closing:
            self._is_left.wait()
            self._is_left.clear()
            while self._left:
                try:
                    self._connection.sendall(self._left[0])
                except OSError as error:
                    _log.info("the server's connection broke: %s", error)
                    return
                with self._lock:
                    self._left.popleft()
