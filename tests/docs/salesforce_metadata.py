"""The metadata in deploy/salesforce, read back: what an org has after it was deployed. Reads files only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

from tests.docs.pages import ROOT

SOURCE = ROOT / "deploy" / "salesforce"
MAIN = SOURCE / "force-app" / "main" / "default"
OBJECTS = ("Lead", "Contact")
_NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


@dataclass(frozen=True)
class DeployedField:
    """One custom field. `length` is a text's, `precision` and `scale` a number's, `values` a picklist's."""

    name: str
    label: str
    type: str
    help: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldAccess:
    """What a permission set allows on one field."""

    field: str
    readable: bool
    editable: bool


def fields_of(object_name: str) -> dict[str, DeployedField]:
    """The fields of one object, by name, in the order of the file names."""
    found = [_field(path) for path in sorted((MAIN / "objects" / object_name / "fields").iterdir())]
    return {field.name: field for field in found}


def access_of(permission_set: str) -> dict[str, FieldAccess]:
    """The field permissions of a permission set, by `Object.Field`."""
    root = _root(MAIN / "permissionsets" / f"{permission_set}.permissionset-meta.xml", "PermissionSet")
    found = [
        FieldAccess(_text(each, "field"), _true(each, "readable"), _true(each, "editable"))
        for each in root.findall(f"{_NAMESPACE}fieldPermissions")
    ]
    return {access.field: access for access in found}


def _field(path: Path) -> DeployedField:
    root = _root(path, "CustomField")
    name = _text(root, "fullName")
    assert path.name == f"{name}.field-meta.xml"
    values = [each for each in root.iter(f"{_NAMESPACE}value") if len(each)]
    return DeployedField(
        name=name,
        label=_text(root, "label"),
        type=_text(root, "type"),
        help=_text(root, "inlineHelpText"),
        length=int(_text(root, "length") or 0),
        precision=int(_text(root, "precision") or 0),
        scale=int(_text(root, "scale") or 0),
        unique=_true(root, "unique"),
        external_id=_true(root, "externalId"),
        case_sensitive=_true(root, "caseSensitive"),
        restricted=_true(root, "restricted"),
        required=_true(root, "required"),
        values=tuple(_text(each, "fullName") for each in values),
        labels=tuple(_text(each, "label") for each in values),
    )


def _root(path: Path, kind: str) -> Element:
    root: Element = parse(path).getroot()
    assert root.tag == _NAMESPACE + kind, path
    return root


def _text(element: Element, tag: str) -> str:
    found = element.find(f".//{_NAMESPACE}{tag}")
    return (found.text or "") if found is not None else ""


def _true(element: Element, tag: str) -> bool:
    return _text(element, tag) == "true"
