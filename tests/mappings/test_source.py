"""Reading YAML: what texts stay texts, where everything is, and what is refused."""

from __future__ import annotations

import pytest

from mappings.source import ConfigErrors, Source, did_you_mean, nearest, parse


def complaint(text: str) -> str:
    with pytest.raises(ConfigErrors) as found:
        parse(Source("f.yaml", text))
    return str(found.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"), ("yes", "yes"), ("off", "off"), ("12:30", "12:30"), ("0123", "0123"),
        ("1_000", "1_000"), ("2026-01-31", "2026-01-31"), ("'12'", "12"), ("!!str 12", "12"),
        ("<<", "<<"), ("1.2.3", "1.2.3"), ("12", 12), ("-3", -3), ("+5", 5), ("0x1f", 31), ("0o17", 15),
        ("1.5", 1.5), ("1e3", 1000.0),
        (".5", 0.5), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(written: str, meant: object) -> None:
    read = parse(Source("f.yaml", f"a: {written}")).data["a"]
    assert read == meant
    assert type(read) is type(meant)


def test_keys_are_always_texts() -> None:
    assert parse(Source("f.yaml", "NO: 1\n12: 2\ntrue: 3\n")).data == {"NO": 1, "12": 2, "true": 3}


def test_every_value_and_key_has_its_place() -> None:
    document = parse(Source("f.yaml", "a:\n  - b: 1\n    c: two\n"))
    assert document.place(("a", 0, "c")) == (3, 8)
    assert document.place(("a", 0, "c"), key=True) == (3, 5)
    assert document.place(("a", 0, "gone", "deeper")) == (2, 5)
    assert document.place(()) == (1, 1)


def test_an_alias_is_what_it_stands_for() -> None:
    assert parse(Source("f.yaml", "a: &x {k: 1}\nb: *x\n")).data == {"a": {"k": 1}, "b": {"k": 1}}


def test_merge_keys_give_what_is_not_written_out() -> None:
    document = parse(
        Source(
            "f.yaml",
            "a: &a {k: 1, l: 2}\nb: &b {l: 3, m: 4, <<: *a}\nc: {<<: *b, m: 5}\nd: {m: 6, <<: [*a, *b]}\n",
        )
    )
    assert document.data == {
        "a": {"k": 1, "l": 2},
        "b": {"l": 3, "m": 4, "k": 1},
        "c": {"m": 5, "l": 3, "k": 1},
        "d": {"m": 6, "k": 1, "l": 2},
    }


def test_what_an_alias_stands_for_is_where_the_alias_stands() -> None:
    document = parse(Source("f.yaml", "a: &x\n  - k: one\nb: *x\nc: &y {d: *x, e: two}\nf:\n  <<: *y\n"))
    assert document.place(("a", 0, "k")) == document.text_place(("b", 0, "k")) == (2, 8)
    assert document.place(("b", 0, "k")) == document.place(("b",)) == (3, 4)
    assert document.place(("b",), key=True) == (3, 1)
    assert document.place(("b", 0, "k"), key=True) == (3, 4)
    assert document.place(("c", "d", 0, "k")) == (4, 11)
    assert document.place(("f", "d", 0, "k")) == document.place(("f", "e"), key=True) == (6, 7)
    assert document.text_place(("f", "e"), key=True) == (4, 15)
    assert str(document.error(("f", "e"), "this is wrong", "mend it")) == (
        "f.yaml:6:7: this is wrong (in line 4, which *y stands for); mend it"
    )


def test_a_long_chain_of_aliases_is_too_deep() -> None:
    lines = ["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 900))]
    assert "this is nested more than 100 deep" in complaint("\n".join(lines))


def test_an_empty_text_is_an_empty_mapping() -> None:
    assert parse(Source("f.yaml", "# nothing\n")).data == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 'f.yaml:3:1: the key "a" is here twice (first in line 1)'),
        (
            "a: b: c\n",
            "f.yaml:1:5: this is not valid YAML: mapping values are not allowed in this context; "
            'put a text that contains ": " in quotes',
        ),
        (
            "a:\n\t- b\n",
            "f.yaml:2:1: this is not valid YAML: found character that cannot start any token; "
            "indent with spaces, not with a tab",
        ),
        (
            "a: @b\n",
            "f.yaml:1:4: this is not valid YAML: found character that cannot start any token; "
            "put a text that starts with a special character in quotes",
        ),
        (
            "--- a\n--- b\n",
            "f.yaml:2:1: this is not valid YAML: but found another document; one document in a file",
        ),
        (
            "- !!python/object x\n",
            "f.yaml:1:3: tags such as tag:yaml.org,2002:python/object are not used here",
        ),
        ("a: !foo [1]\n", "f.yaml:1:4: tags such as !foo are not used here"),
        ("a: .nan\n", "f.yaml:1:4: .nan is not a finite number"),
        ("? [a]\n: b\n", "f.yaml:1:3: a key must be a text"),
        ("a: 1\nb: x\x07y\n", "f.yaml:2:5: the invisible character U+0007 cannot stand here; delete it"),
        ("a: 1 # x\u2028\n", "f.yaml:1:9: the invisible character U+2028 cannot stand here; delete it"),
        ("a: {<<: {b: 1}}\n", "f.yaml:1:9: << takes in a mapping that has an anchor, such as <<: *name"),
        (
            "a: &a [b]\nc: {<<: *a}\n",
            "f.yaml:2:9: << takes in a mapping that has an anchor, such as <<: *name",
        ),
        ("a: &a {b: 1}\nc: {<<: *a, <<: *a}\n", 'f.yaml:2:13: the key "<<" is here twice (first in line 2)'),
        ("a: &a {b: 1, <<: *a}\n", "f.yaml:1:4: this contains itself"),
        (
            "a: " + "9" * 5000,
            'f.yaml:1:4: "99999999999999999999…" is not a number that can be used',
        ),
        (
            "a: {b: c: d}\n",
            "f.yaml:1:9: this is not valid YAML: did not find expected ',' or '}'; "
            "close the bracket; a text with any of [ ] { } , : in it needs quotes",
        ),
        ("&a [*a]\n", "f.yaml:1:1: this contains itself"),
        ("[" * 200_000 + "]" * 200_000, "f.yaml:1:101: this is nested more than 100 deep"),
    ],
)
def test_what_is_refused_is_told_with_its_place(text: str, message: str) -> None:
    assert complaint(text) == message


def test_aliases_cannot_name_billions_of_values() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    assert "this document has more than 200000 values" in complaint("\n".join(lines))


def test_the_nearest_name_is_offered_whatever_its_case() -> None:
    assert nearest("frist_name", ["first_name", "last_name"]) == "first_name"
    assert nearest("EMAIL", ["email", "phone"]) == "email"
    assert nearest("xyz", ["email", "phone"]) is None
    assert did_you_mean("frist_name", ["first_name"]) == 'did you mean "first_name"?'
    assert did_you_mean("xyz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("xyz", [f"quite_long_{n}" for n in range(40)]) == ""
