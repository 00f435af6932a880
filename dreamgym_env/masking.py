"""Hiding secrets in what is shown or written: users and queries of URLs, and whatever looks like an API key."""

from __future__ import annotations

import re

__all__ = ["mask_secrets"]

_LONGEST = 4_000
_IN_URL = r"(?!,https?:)[^\s'\"]"  # URLs of one string are joined by commas
_USER = re.compile(rf"://(?:{_IN_URL})*@(?!https?:)", re.IGNORECASE)
_QUERY = re.compile(rf"(://(?:(?!,https?:)[^\s'\"?#])*)[?#](?:{_IN_URL})*[^\s'\":;.,)]", re.IGNORECASE)
_KEY = re.compile(r"\b(?:sk|pk|rk|xai|nvapi|gsk|hf|ghp)[-_][\w-]{12,}|\bAIza[\w-]{20,}")
_NAMED = re.compile(
    r"\b(api[-_ ]?key|access[-_]?token|auth[-_]?token|password|secret)(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&)]+",
    re.IGNORECASE,
)


def mask_secrets(text: str) -> str:
    """Return a text with ``***`` in place of secrets; what is masked already stays as it is.

    Masked are the user and password of a URL, its query and fragment (keys are passed there), words in the form of a
    known provider's keys, and the values of names such as ``api_key``.  A text of over 4,000 characters is cut there.
    """
    if len(text) > _LONGEST:
        return mask_secrets(text[:_LONGEST]) + "…"  # the patterns take their time with long texts
    text = _USER.sub("://***@", text)
    text = _QUERY.sub(r"\1?***", text)
    text = _KEY.sub("***", text)
    return _NAMED.sub(r"\1\2***", text)
