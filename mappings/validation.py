"""Validation: a pydantic model over a parsed document, with pydantic's findings said in the user's words.

Shared by mapping and rules documents. Models are best `extra="forbid"` and `strict=True`, with short forms
unfolded in before-validators rather than by unions, so that each mistake is told once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from mappings.problems import ConfigError, ConfigErrors, Path, did_you_mean

if TYPE_CHECKING:
    from mappings.source import Document

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """The base of all models of documents: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)


def validate(model: type[Model], document: Document, at: Path = ()) -> Model:
    """The part of the document at `at` as an instance of the model. Raises ConfigErrors, all at once."""
    data = document.data
    for step in at:
        data = data[step]
    try:
        return model.model_validate(data)
    except ValidationError as found:
        details = found.errors(include_url=False)
    errors: list[ConfigError] = []
    for detail in details:
        error = _told(model, document, at, data, detail)
        if error not in errors:
            errors.append(error)
    raise ConfigErrors(sorted(errors, key=lambda error: (error.line, error.column)))


def _told(
    model: type[BaseModel], document: Document, at: Path, data: Any, detail: ErrorDetails
) -> ConfigError:
    """One finding, at its place, in words."""
    steps, kind = _steps_in_file(data, detail["loc"]), detail["type"]
    path = (*at, *steps)
    if kind == "extra_forbidden":
        key = str(detail["loc"][-1])
        hint = did_you_mean(key, _keys_at(model, detail["loc"][:-1]))
        return document.error(path, f'unknown key "{key}"', hint, key=True)
    if kind == "missing":
        return document.error(path, f'"{detail["loc"][-1]}" is missing', key=True)
    given, context = detail["input"], detail.get("ctx", {})
    if kind in ("literal_error", "enum"):
        known = _expected(str(context["expected"]))
        return document.error(path, f"{_shown(given)} is not known here", did_you_mean(str(given), known))
    if kind in _WANTED:
        hint = "put it in quotes" if kind == "string_type" and isinstance(given, int | float) else ""
        return document.error(path, f"this must be {_WANTED[kind]}, not {_shown(given)}", hint)
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        return document.error(path, f"this must be {words} {context[name]:g}, not {_shown(given)}")
    if kind == "too_short" or (kind == "string_too_short" and not given):
        return document.error(path, "this must not be empty")
    if kind == "string_too_long":
        most = context["max_length"]
        return document.error(path, f"this has {len(given)} characters; {most} are allowed")
    if kind == "string_pattern_mismatch":
        return document.error(path, f"{_shown(given)} is not of the form {context['pattern']}")
    if kind in ("value_error", "assertion_error"):
        message, _, hint = str(context["error"]).partition("; ")
        return document.error(path, message, hint)
    return document.error(path, f"{detail['msg'][0].lower()}{detail['msg'][1:]}: {_shown(given)}")


_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}

_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _steps_in_file(data: Any, loc: tuple[int | str, ...]) -> Path:
    """The part of pydantic's `loc` that is in the file: it also holds tags of unions and '[key]' marks."""
    steps: list[int | str] = []
    for step in loc:
        listed = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if listed or (isinstance(data, dict) and step in data):
            data = data[step]
            steps.append(step)
    return tuple(steps)


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """The keys that the model takes at this place, read from its annotations."""
    here: list[Any] = [model]
    for step in loc:
        below: list[Any] = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                below += [
                    part
                    for name, info in kind.model_fields.items()
                    if step in (name, info.alias)
                    for part in _models_in(info.annotation)
                ]
            elif get_origin(kind) is dict:
                below += _models_in(get_args(kind)[1])
            else:
                below += [part for inner in get_args(kind) for part in _models_in(inner)]
        here = below or here  # a tag of a union leads nowhere: stay
    return {
        info.alias or name
        for kind in here
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, info in kind.model_fields.items()
    }


def _models_in(annotation: Any) -> list[Any]:
    """The models and containers that an annotation names, unions taken apart."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and origin is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    if origin in (dict, list, tuple):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _models_in(inner)]


def _expected(text: str) -> list[str]:
    """Pydantic's "'a', 'b' or 'c'" taken apart."""
    return [part.strip().strip("'") for part in text.replace(" or ", ", ").split(",")]


def _shown(value: Any) -> str:
    """A value as somebody who wrote YAML knows it, cut short."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the word {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'
