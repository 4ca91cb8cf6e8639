"""No reader ever sees a torn frame, whatever the writer's speed and sizes."""

from contextlib import ExitStack
import json

import pytest
from ring_processes import running

COMMITS = 30_000


@pytest.mark.parametrize('ways', [('wait', 'next'), ('borrow', 'borrow_next')])
def test_no_frame_is_torn(ring_name: str, ways: tuple[str, str]) -> None:
    """Four readers check each frame while the writer runs at full speed."""
    with ExitStack() as stack:
        readers = [stack.enter_context(running('check', ring_name, way, COMMITS))
                   for way in ways * 2]
        writer = stack.enter_context(running('write', ring_name, 1, 100))
        assert writer.ask(f'storm {COMMITS}') == 'done'
        for way, reader in zip(ways * 2, readers, strict=True):
            seen = json.loads(reader.hear())
            assert seen['torn'] == 0
            assert seen['read'] > 0
            if way == 'next':
                assert seen['read'] + seen['missed'] == COMMITS
