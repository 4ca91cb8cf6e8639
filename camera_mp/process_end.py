"""In words, how a child process ended."""

import signal


def how_it_ended(code: int) -> str:
    """Say what subprocess's return code means: below zero it is a signal."""
    return f'was killed by {signal.Signals(-code).name}' if code < 0 else f'ended with code {code}'
