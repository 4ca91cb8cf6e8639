"""Messages between a program and the child it started: a line of JSON each, over a socket."""

from collections.abc import Mapping
import json
import select
import socket
import threading
from typing import Any


class LineSocket:
    """One end; one thread receives, any thread may send."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._begun = b''
        self._sending = threading.Lock()

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message; BrokenPipeError or ConnectionResetError if the other end is gone."""
        with self._sending:
            self._end.sendall(json.dumps(message).encode() + b'\n')

    def receive(self, timeout: float | None) -> list[dict[str, Any]] | None:
        """Give what comes within `timeout` seconds, [] if nothing; None: the other end let go."""
        if not select.select([self._end], [], [], timeout)[0]:
            return []
        try:
            text = self._end.recv(65536)
        except ConnectionResetError:  # it died with our message unread
            text = b''
        if not text:
            return None
        *lines, self._begun = (self._begun + text).split(b'\n')
        return [json.loads(line) for line in lines]

    def let_go(self) -> None:
        """Tell the other end that nothing more comes; what it says can still be received."""
        self._end.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close this end."""
        self._end.close()
