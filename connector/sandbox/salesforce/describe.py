"""Describe: the metadata of objects and fields as JSON, key for key as recorded.

Source: recorded describes of real orgs (facts/salesforce.md 4.1). This file must not change anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from connector.sandbox.salesforce.schema import TEXT_TYPES, FieldSpec, ObjectSpec

Json = dict[str, Any]

_SOAP_TYPES: Mapping[str, str] = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
}
_EXTRA_TYPES: Mapping[str, str] = {
    "FirstName": "personname",
    "LastName": "personname",
    "Salutation": "personname",
    "PhotoUrl": "imageurl",
}
_NAME_TYPES: Mapping[str, str] = {
    "Lead": "personname",
    "Contact": "personname",
    "Account": "switchablepersonname",
}
_MAIN_OBJECTS = frozenset({"Lead", "Contact", "Account", "Opportunity", "Campaign", "Task", "Event", "User"})


def describe_field(spec: FieldSpec, object_name: str) -> Json:
    """One entry of `fields`."""
    text = spec.type in TEXT_TYPES
    extra = _EXTRA_TYPES.get(spec.name) or ("plaintextarea" if spec.type == "textarea" else None)
    if spec.name == "Name":
        extra = _NAME_TYPES.get(object_name)
    ungroupable = spec.type in ("double", "currency", "percent", "datetime", "address", "combobox")
    return {
        "aggregatable": spec.filterable and spec.type not in ("boolean", "address"),
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": spec.length * 3 if text else spec.length,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": spec.case_sensitive,
        "compoundFieldName": spec.compound,
        "controllerName": None,
        "createable": spec.createable,
        "custom": spec.custom,
        "defaultValue": spec.default,
        "defaultValueFormula": None,
        "defaultedOnCreate": spec.defaulted,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 8 if spec.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": spec.external_id,
        "extraTypeInfo": extra,
        "filterable": spec.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": spec.filterable and not ungroupable,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": spec.id_lookup or spec.external_id,
        "inlineHelpText": None,
        "label": spec.label,
        "length": spec.length,
        "mask": None,
        "maskType": None,
        "name": spec.name,
        "nameField": spec.name_field,
        "namePointing": spec.polymorphic,
        "nillable": spec.nillable,
        "permissionable": spec.custom or (spec.nillable and spec.createable),
        "picklistValues": [
            {
                "active": True,
                "defaultValue": value == spec.default,
                "label": value,
                "validFor": None,
                "value": value,
            }
            for value in spec.picklist
        ],
        "polymorphicForeignKey": spec.polymorphic,
        "precision": spec.precision,
        "queryByDistance": spec.type == "address",
        "referenceTargetField": None,
        "referenceTo": list(spec.references),
        "relationshipName": spec.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": spec.restricted,
        "scale": spec.scale,
        "searchPrefilterable": False,
        "soapType": _SOAP_TYPES.get(spec.type, "xsd:string"),
        "sortable": spec.sortable,
        "type": spec.type,
        "unique": spec.unique,
        "updateable": spec.updateable,
        "writeRequiresMasterRead": False,
    }


def describe_brief(spec: ObjectSpec, base: str) -> Json:
    """One entry of the global describe. `base` is the path of the API version, `/services/data/v62.0`."""
    path = f"{base}/sobjects/{spec.name}"
    main = spec.name in _MAIN_OBJECTS
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": spec.createable,
        "custom": False,
        "customSetting": False,
        "deepCloneable": spec.name in ("Opportunity", "Campaign"),
        "deletable": spec.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": main,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": spec.prefix,
        "label": spec.label,
        "labelPlural": spec.plural,
        "layoutable": spec.createable,
        "mergeable": spec.mergeable,
        "mruEnabled": main,
        "name": spec.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": main,
        "triggerable": spec.createable,
        "undeletable": spec.undeletable,
        "updateable": spec.updateable,
        "urls": {
            "compactLayouts": f"{path}/describe/compactLayouts",
            "rowTemplate": f"{path}/{{ID}}",
            "describe": f"{path}/describe",
            "layouts": f"{path}/describe/layouts",
            "sobject": path,
        },
    }


def describe_object(spec: ObjectSpec, base: str, hidden: Collection[str] = ()) -> Json:
    """The whole describe of one object, without the fields that are hidden from the caller."""
    brief = describe_brief(spec, base)
    master = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": "012000000000000AAA",
        "urls": {"layout": f"{base}/sobjects/{spec.name}/describe/layouts/012000000000000AAA"},
    }
    more = {
        "actionOverrides": [],
        "childRelationships": [],
        "compactLayoutable": spec.name in _MAIN_OBJECTS,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [
            describe_field(each, spec.name) for each in spec.fields.values() if each.name not in hidden
        ],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [master],
        "searchLayoutable": spec.name in _MAIN_OBJECTS,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {spec.plural.lower()}", "name": "everything"}],
    }
    return dict(sorted((brief | more).items()))


def describe_global(specs: Iterable[ObjectSpec], base: str) -> Json:
    """The answer of `/sobjects`."""
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [describe_brief(spec, base) for spec in sorted(specs, key=lambda each: each.name)],
    }
