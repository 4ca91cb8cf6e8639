"""Messages between a program and the child it started: a line of JSON each, over a socket."""

from collections import deque
from collections.abc import Mapping
import json
import select
import socket
import threading
import time
from typing import Any


class LineSocket:
    """One end; one thread receives, any thread may send."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._begun = b''
        self._come: deque[dict[str, Any]] = deque()
        self._sending = threading.Lock()
        self._waiting = select.poll()  # not select(): that has no room for descriptors over 1023
        self._waiting.register(end, select.POLLIN)

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message; BrokenPipeError or ConnectionResetError if the other end is gone."""
        with self._sending:
            self._end.sendall(json.dumps(message).encode() + b'\n')

    def receive(self, timeout: float | None = None) -> dict[str, Any] | None:
        """
        Give the next message, None if `timeout` seconds were too short (None: wait for it).

        Raises EOFError once the other end has let go and all it said was received.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._come:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0) * 1000
            if not self._waiting.poll(left):
                return None
            self._read()
        return self._come.popleft()

    def _read(self) -> None:
        try:
            text = self._end.recv(65536)
        except ConnectionResetError:  # it died with our message unread
            text = b''
        if not text:
            raise EOFError
        *lines, self._begun = (self._begun + text).split(b'\n')
        self._come.extend(map(json.loads, lines))

    def let_go(self) -> None:
        """Tell the other end that nothing more comes; what it says can still be received."""
        self._end.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close this end."""
        self._end.close()
