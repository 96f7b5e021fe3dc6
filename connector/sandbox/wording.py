"""What Python says of keys that it does not take or misses, in words for whoever wrote them. Pure text."""

from __future__ import annotations

import re

_UNKNOWN = re.compile(r"^[\w.]+\(\) got an unexpected keyword argument")
_MISSING = re.compile(r"^[\w.]+\(\) missing \d+ required (?:positional|keyword-only) arguments?:")


def of_keys(error: Exception) -> str:
    """`unknown key 'lenght'` instead of `Field.__init__() got an unexpected keyword argument 'lenght'`."""
    return _MISSING.sub("missing", _UNKNOWN.sub("unknown key", str(error)))
