"""Passwords out of texts that people and topics see."""

import re

_USER_PASSWORD = re.compile(r'(://[^:/@\s]*):\S*@')
_QUERY_SECRET = re.compile(r'([?&](?:pass\w*|pwd|token|key|secret|auth)=)[^&#\s]*', re.IGNORECASE)


def redact(text: str) -> str:
    """Give the text with the password of every URL in it replaced by ***."""
    return _QUERY_SECRET.sub(r'\1***', _USER_PASSWORD.sub(r'\1:***@', text))
