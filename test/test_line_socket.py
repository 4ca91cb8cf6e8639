"""Messages arrive whole, in order and each once, however the socket cuts them."""

import json
import socket

from camera_mp.line_socket import LineSocket
from hypothesis import given
from hypothesis import strategies as st
import pytest

MESSAGES = st.lists(st.dictionaries(st.text(max_size=9), st.text(max_size=9), min_size=1),
                    max_size=9)


@given(MESSAGES, st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_messages_arrive_as_they_were_sent(messages: list[dict[str, str]],
                                           pieces: list[int]) -> None:
    theirs, ours = socket.socketpair()
    with theirs:
        end = LineSocket(ours)
        text = b''.join(json.dumps(message).encode() + b'\n' for message in messages)
        got = []
        for piece in pieces:
            theirs.sendall(text[:piece])
            text = text[piece:]
            while message := end.receive(0):
                got.append(message)
        theirs.sendall(text)
        while message := end.receive(0):
            got.append(message)
        assert got == messages
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            end.receive()
        end.close()


def test_what_was_said_before_the_end_is_still_received() -> None:
    one, other = (LineSocket(end) for end in socket.socketpair())
    one.send({'number': 1})
    one.send({'number': 2})
    one.close()
    assert [other.receive(), other.receive()] == [{'number': 1}, {'number': 2}]
    with pytest.raises(EOFError):
        other.receive()
    other.close()
