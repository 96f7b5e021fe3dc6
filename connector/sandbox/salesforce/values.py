"""What a value that was sent becomes when it is stored, or why it is refused. One reader for each field type.

Stored: text, float for double, currency and percent, int, bool, `YYYY-MM-DD`, stamps as `stamps` spells them,
18-character ids; blank is None. Source: facts/salesforce.md 4, 7.2. This file must not look at other rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connector.sandbox.salesforce import ids, stamps
from connector.sandbox.salesforce.refusals import Refusal, bad_json
from connector.sandbox.salesforce.schema import FieldSpec, Value

_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\"\\]+@[^@\s,;:<>()\[\]\"\\.]+(\.[^@\s,;:<>()\[\]\"\\.]+)+")
_INT_LIMIT = 2**31


def read_value(spec: FieldSpec, sent: Any) -> Value:
    """What is stored of `sent`. Raises Refusal."""
    if spec.type == "boolean":
        return _boolean(spec, sent)
    if sent is None or sent == "":
        return None
    return _READERS[spec.type](spec, sent)


def _text(spec: FieldSpec, sent: Any) -> str:
    if not isinstance(sent, str):
        raise _wrong_type(spec, "string", sent)
    if len(sent) > spec.length:
        shown = sent if len(sent) <= 255 else sent[:252] + "..."
        message = f"{spec.label}: data value too large: {shown} (max length={spec.length})"
        raise Refusal("STRING_TOO_LONG", message, [spec.name])
    return sent


def _email(spec: FieldSpec, sent: Any) -> str:
    text = _text(spec, sent)
    if _EMAIL.fullmatch(text) is None:
        raise Refusal("INVALID_EMAIL_ADDRESS", f"{spec.label}: invalid email address: {text}", [spec.name])
    return text


def _picked(spec: FieldSpec, sent: Any) -> str:
    text = _text(spec, sent)
    if spec.restricted:
        chosen = text.split(";") if spec.type == "multipicklist" else [text]
        for value in chosen:
            if value not in spec.picklist:
                message = f"{spec.label}: bad value for restricted picklist field: {value}"
                raise Refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [spec.name])
    return text


def _boolean(spec: FieldSpec, sent: Any) -> bool:
    if isinstance(sent, bool):
        return sent
    if isinstance(sent, str) and sent.lower() in ("true", "false"):
        return sent.lower() == "true"
    raise _wrong_type(spec, "boolean", sent)


def _int(spec: FieldSpec, sent: Any) -> int:
    number = _decimal(spec, "int", sent)
    if number != number.to_integral_value():
        raise _wrong_type(spec, "int", sent)
    if abs(number) >= _INT_LIMIT:
        raise _out_of_range(spec, sent)
    return int(number)


def _double(spec: FieldSpec, sent: Any) -> float:
    if type(sent) is int and spec.scale == 0 and abs(sent) < 10**spec.precision:
        return float(sent)
    return _bounded(spec, _decimal(spec, spec.type, sent), sent)


def _bounded(spec: FieldSpec, number: Decimal, sent: Any) -> float:
    if abs(number) >= Decimal(10) ** (spec.precision - spec.scale):
        raise _out_of_range(spec, sent)
    return float(number.quantize(Decimal(1).scaleb(-spec.scale), rounding=ROUND_HALF_UP))


def _decimal(spec: FieldSpec, kind: str, sent: Any) -> Decimal:
    if isinstance(sent, bool) or not isinstance(sent, int | float | str):
        raise _wrong_type(spec, kind, sent)
    if isinstance(sent, float) and not math.isfinite(sent):
        raise _wrong_type(spec, kind, sent)
    try:
        number = Decimal(str(sent).strip())
    except InvalidOperation:
        raise _wrong_type(spec, kind, sent) from None
    if not number.is_finite():
        raise _wrong_type(spec, kind, sent)
    return number


def _date(spec: FieldSpec, sent: Any) -> str:
    day = stamps.read_date(sent[:10]) if isinstance(sent, str) and _is_day(sent) else None
    if day is None:
        raise _wrong_type(spec, "date", sent)
    return day


def _is_day(sent: str) -> bool:
    return len(sent) == 10 or stamps.read_datetime(sent) is not None


def _datetime(spec: FieldSpec, sent: Any) -> str:
    moment_ms = stamps.read_datetime(sent) if isinstance(sent, str) else None
    if moment_ms is None:
        raise _wrong_type(spec, "datetime", sent)
    return stamps.stamp_of_ms(moment_ms)


def _reference(spec: FieldSpec, sent: Any) -> str:
    found = ids.canonical(sent)
    if found is None:
        raise Refusal("MALFORMED_ID", f"{spec.label}: id value of incorrect type: {sent}", [spec.name])
    return found


def _compound(spec: FieldSpec, sent: Any) -> Value:
    raise _wrong_type(spec, spec.type, sent)


_READERS: Mapping[str, Callable[[FieldSpec, Any], Value]] = {
    "string": _text,
    "textarea": _text,
    "phone": _text,
    "url": _text,
    "combobox": _text,
    "email": _email,
    "picklist": _picked,
    "multipicklist": _picked,
    "int": _int,
    "double": _double,
    "currency": _double,
    "percent": _double,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
    "id": _reference,
    "address": _compound,
}


def _wrong_type(spec: FieldSpec, kind: str, sent: Any) -> Refusal:
    if isinstance(sent, bool):
        token, shown = ("VALUE_TRUE" if sent else "VALUE_FALSE"), str(sent).lower()
    elif sent is None:
        token, shown = "VALUE_NULL", "null"
    elif isinstance(sent, str):
        token, shown = "VALUE_STRING", sent
    elif isinstance(sent, int):
        token, shown = "VALUE_NUMBER_INT", str(sent)
    elif isinstance(sent, float):
        token, shown = "VALUE_NUMBER_FLOAT", str(sent)
    else:
        token, shown = ("START_OBJECT" if isinstance(sent, dict) else "START_ARRAY"), spec.name
    return bad_json(
        f"Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a "
        "required field at [line:1, column:2]"
    )


def _out_of_range(spec: FieldSpec, sent: Any) -> Refusal:
    message = f"{spec.label}: value outside of valid range on numeric field: {sent}"
    return Refusal("NUMBER_OUTSIDE_VALID_RANGE", message, [spec.name])
