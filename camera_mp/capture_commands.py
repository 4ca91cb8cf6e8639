"""What a parent can ask of a capture that runs; each question has a number and gets an answer."""

from collections.abc import Mapping
from typing import Any

from camera_mp.capture_loop import Capture, Report
from camera_mp.errors import CameraError
from camera_mp.sources import source_class


def carry_out(message: Mapping[str, Any], capture: Capture, report: Report) -> None:
    """
    Carry out one message: {id, command, ...}; the answer is an event {id, error, value}.

    set_control: name, value. configure: settings, all of the source's.
    """
    def answer(error: str = '', value: object = None) -> None:
        report({'event': 'answer', 'id': message['id'], 'error': error, 'value': value})
    try:
        if message['command'] == 'set_control':
            answer(value=capture.set_control(message['name'], message['value']))
        else:
            values = message['settings']
            kind = source_class(values['source']).Settings
            capture.configure(kind.from_values(values), answer)
    except CameraError as error:
        answer(str(error))
