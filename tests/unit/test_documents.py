"""A document is checked as a whole: every problem at once, each with its place."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from workbench.documents import (
    MAX_BYTES,
    Family,
    Member,
    OneOrMany,
    Section,
    check,
    parse_document,
    read_document,
)
from workbench.errors import DocumentError, InputError, NotFoundError, Problem
from workbench.quantities import Duration


class Shape(Member):
    """What a picture shows."""


SHAPES: Family[Shape] = Family("shape", Shape)


@SHAPES.register
class Circle(Shape):
    kind: Literal["circle"] = "circle"
    radius: float = Field(1.0, gt=0)


@SHAPES.register
class Polygon(Shape):
    kind: Literal["polygon"] = "polygon"
    corners: list[int] = Field(min_length=3)


class Layer(Section):
    name: str
    shape: Annotated[Shape, SHAPES] = Circle()
    fade: Duration = 0.0


class Picture(Section):
    title: str
    layers: Annotated[list[Layer], OneOrMany()] = Field(default_factory=list)
    frame: Layer | None = None


def parse(text: str) -> Picture:
    return parse_document(text, Picture, name="picture.yaml", folder=Path())


def problems(text: str) -> list[tuple[int, str, str, str]]:
    with pytest.raises(DocumentError) as error:
        parse(text)
    assert all(problem.file == "picture.yaml" for problem in error.value.problems)
    return [(p.line, p.key, p.given, p.allowed) for p in error.value.problems]


def test_a_document_becomes_what_it_says():
    picture = parse("""
title: sea
layers:
  - {name: sun, shape: {kind: circle, radius: 2.5}, fade: 250ms}
  - name: house
    shape: {kind: polygon, corners: [1, 2, 3]}
  - {name: moon, shape: circle}
""")
    assert [layer.shape for layer in picture.layers] == [
        Circle(radius=2.5),
        Polygon(corners=[1, 2, 3]),
        Circle(),
    ]
    assert picture.layers[0].fade == 0.25


def test_a_list_may_be_written_as_its_only_item():
    assert parse("title: a\nlayers: {name: sun}").layers == [Layer(name="sun")]


def test_anchors_and_merged_keys_are_read():
    picture = parse("title: a\nlayers:\n- &base {name: sun, fade: 2s}\n- {<<: *base, name: moon}\n- *base\n")
    assert [(layer.name, layer.fade) for layer in picture.layers] == [("sun", 2), ("moon", 2), ("sun", 2)]


def test_every_problem_is_reported_at_once_where_it_stands():
    assert problems("""title: 3
layers:
  - name: sun
    shape: {kind: circle, radius: -1}
    fade: -5s

  - shape:
      kind: polygon
      corners: [1, two, 3]
    colour: red
frame:
  name: gold
  shape: cirle
titel: x
""") == [
        (1, "title", "3", "a valid string"),
        (4, "layers[0].shape.radius", "-1", "greater than 0"),
        (5, "layers[0].fade", "'-5s'", "a duration of 0 or more, such as 250ms, 5min or 1h 30min"),
        (7, "layers[1].name", "nothing", "a value (the key is required)"),
        (9, "layers[1].shape.corners[1]", "'two'", "a valid integer, unable to parse string as an integer"),
        (10, "layers[1].colour", "'red'", "one of name, shape, fade"),
        (13, "frame.shape.kind", "'cirle'", "one of circle, polygon (did you mean circle?)"),
        (14, "titel", "'x'", "one of title, layers, frame (did you mean title?)"),
    ]


def test_a_problem_reads_as_file_line_key_given_and_allowed():
    with pytest.raises(DocumentError) as error:
        parse("title: a\nfram: 3\nlayers: 4\n")
    assert str(error.value) == (
        "picture.yaml:2: fram: given 3; allowed: one of title, layers, frame (did you mean frame?)\n"
        "picture.yaml:3: layers: given 4; allowed: a valid list"
    )
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("value", "key", "allowed"),
    [
        ("circl", "frame.shape.kind", "one of circle, polygon (did you mean circle?)"),
        ("{kind: circl}", "frame.shape.kind", "one of circle, polygon (did you mean circle?)"),
        ("{kind: [circle]}", "frame.shape.kind", "one of circle, polygon"),
        ("{kind: {circle: 1}}", "frame.shape.kind", "one of circle, polygon"),
        ("{kind: 3}", "frame.shape.kind", "one of circle, polygon"),
        ("{kind: circle, radios: 3}", "frame.shape.radios", "one of kind, radius (did you mean radius?)"),
        ("{radius: 3}", "frame.shape", "a shape with its kind: one of circle, polygon"),
        ("{kind: }", "frame.shape", "a shape with its kind: one of circle, polygon"),
        ("7", "frame.shape", "a shape with its kind: one of circle, polygon"),
        ("[circle]", "frame.shape", "a shape with its kind: one of circle, polygon"),
        ("polygon", "frame.shape.corners", "a value (the key is required)"),
    ],
)
def test_a_member_that_is_not_there_is_answered_with_those_that_are(value: str, key: str, allowed: str):
    [(line, found, _, answer)] = problems(f"title: a\nframe:\n  name: b\n  shape: {value}\n")
    assert (line, found) == (4, key)
    assert answer.startswith(allowed)


def test_problems_of_merged_keys_are_reported():
    text = "title: a\nlayers:\n- &base {name: 5}\n- {<<: *base, fade: -1}\n"
    assert [(line, key) for line, key, _, _ in problems(text)] == [
        (3, "layers[0].name"),
        (4, "layers[1].name"),
        (4, "layers[1].fade"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "given"),
    [
        ("", 1, "nothing"),
        ("# only a comment\n", 1, "nothing"),
        ("- a\n- b\n", 1, "['a', 'b']"),
        ("hello", 1, "'hello'"),
        ("3", 1, "3"),
    ],
)
def test_a_document_that_is_no_mapping_is_refused(text: str, line: int, given: str):
    assert problems(text) == [(line, "", given, "keys with values, such as `name: my scenario`")]


@pytest.mark.parametrize(
    ("text", "line", "given"),
    [
        ("title: a\nlayers: [1, 2\n", 3, "expected ',' or ']'"),
        ("title: a\n\tframe: 3\n", 2, "found character '\\t'"),
        ("title: a\n  frame: 3\n", 2, "mapping values are not allowed"),
        ("title: *nowhere\n", 1, "undefined alias"),
        ("title: a\n---\ntitle: b\n", 2, "another document"),
        ('title: "a\n', 2, "end of stream"),
        ("title: !!int x\n", 0, "invalid literal for int"),
        ("title: a\0b\n", 0, "unacceptable character"),
    ],
)
def test_what_is_not_yaml_is_reported_with_its_line(text: str, line: int, given: str):
    [(found, key, what, allowed)] = problems(text)
    assert (found, key, allowed) == (line, "", "YAML")
    assert what.startswith("what is not YAML (")
    assert given in what


@pytest.mark.parametrize(
    ("text", "line"),
    [("title: a\nframe:\n  name: x\ntitle: b\n", 4), ("title: a\nframe: {name: b, name: c}\n", 2)],
)
def test_a_key_that_stands_twice_is_refused(text: str, line: int):
    assert problems(text) == [(line, "", "a key twice", "each key once")]


@pytest.mark.parametrize("key", ["1", "", "[a, b]", "{a: b}", "true", "2001-01-01"])
def test_a_key_that_is_no_text_is_refused(key: str):
    found = problems(f"title: a\n? {key}\n: 3\n")
    assert found
    assert all("Keys should be strings" in allowed for *_, allowed in found)


@pytest.mark.parametrize(
    "value",
    ["!anything x", "!!python/object/apply:os.system [exit]", "!!set {a, b}", "!!omap [a: 1]", "2001-01-01"],
)
def test_tags_make_nothing_but_values_of_the_wrong_kind(value: str):
    [(line, key, _, allowed)] = problems(f"title: {value}\n")
    assert (line, key, allowed) == (1, "title", "a valid string")


def test_a_bomb_of_aliases_is_refused():
    names = "abcdefghi"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]" for before, name in pairwise(names)]
    assert problems("\n".join(lines)) == [(0, "", "more than 100000 values", "a smaller document")]


@pytest.mark.parametrize("text", ["title: &a [*a]", "title: a\nframe: &a {name: *a}", "&a {title: *a}"])
def test_an_alias_of_what_it_stands_in_is_refused(text: str):
    assert problems(text)


@pytest.mark.parametrize("depth", [200, 1000])
def test_deep_nesting_is_refused(depth: int):
    assert problems("title: " + "[" * depth + "]" * depth)


def test_long_values_are_shown_in_part():
    [(_, _, given, _)] = problems("title: [" + ", ".join(["word"] * 1000) + "]")
    assert len(given) < 80
    assert given.endswith("...")


def test_a_message_may_hold_braces():
    [(_, _, given, allowed)] = problems('title: a\nframe: {name: b, "{x}": "{y}"}\n')
    assert given == "'{y}'"
    assert allowed == "one of name, shape, fade"


def test_a_file_is_named_as_it_was_given(tmp_path: Path):
    file = tmp_path / "picture.yaml"
    file.write_text("titel: ä\n", encoding="utf-8")
    with pytest.raises(DocumentError) as error:
        read_document(file, Picture)
    assert str(error.value).startswith(f"{file}:1: ")


@pytest.mark.parametrize(
    ("content", "given"),
    [
        (None, "what cannot be read (No such file or directory)"),
        (b"title: \xff\n", "what cannot be read (not UTF-8 text)"),
        (b"title: a\n" + b"#" * MAX_BYTES, "more than 1 MB"),
    ],
    ids=["missing", "not UTF-8", "too large"],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, given: str):
    file = tmp_path / "picture.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DocumentError) as error:
        read_document(file, Picture)
    [problem] = error.value.problems
    assert (problem.file, problem.line, problem.given) == (str(file), 0, given)


def test_a_folder_is_no_document(tmp_path: Path):
    with pytest.raises(DocumentError, match="what cannot be read"):
        read_document(tmp_path, Picture)


def test_what_is_in_memory_is_checked_alike_without_lines():
    with pytest.raises(DocumentError) as error:
        check({"title": "a", "layers": [{"name": 3}]}, Picture, name="picture", folder=Path())
    assert str(error.value) == "picture: layers[0].name: given 3; allowed: a valid string"


@pytest.mark.parametrize("content", [None, 3, "title", ["title"], {3: "a"}])
def test_what_is_in_memory_must_be_a_mapping_of_keys(content: Any):
    with pytest.raises(DocumentError):
        check(content, Picture, name="picture", folder=Path())


def test_members_may_be_given_as_they_are():
    layer = Layer(name="a", shape=Polygon(corners=[1, 2, 3]))
    assert layer.model_dump(mode="json")["shape"] == {"kind": "polygon", "corners": [1, 2, 3]}
    assert Layer.model_validate(layer.model_dump(mode="json")) == layer


def test_a_registered_member_can_be_named_at_once():
    family: Family[Shape] = Family("shape", Shape)

    class Drawing(Section):
        shape: Annotated[Shape, family]

    @family.register
    class Star(Shape):
        kind: Literal["star"] = "star"
        points: int = 5

    assert list(family) == ["star"]
    assert family["star"] is Star
    drawing = parse_document("shape: {kind: star, points: 6}", Drawing, name="drawing", folder=Path())
    assert drawing.shape == Star(points=6)


def test_only_members_can_be_registered():
    with pytest.raises(TypeError, match="Layer does not extend Shape"):
        SHAPES.register(Layer)  # type: ignore[type-var]


def test_looking_up_an_unknown_member_names_those_there_are():
    with pytest.raises(NotFoundError, match=r"no shape is called 'star'; allowed: one of circle, polygon"):
        SHAPES["star"]


def test_the_json_schema_offers_every_member_and_its_short_form():
    schema = Layer.model_json_schema()["properties"]["shape"]
    short, *members = schema["anyOf"]
    assert short["enum"] == ["circle", "polygon"]
    assert [member["properties"]["kind"]["const"] for member in members] == ["circle", "polygon"]
    assert [member["required"] for member in members] == [["kind"], ["kind", "corners"]]


def test_sections_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Layer(name="a").name = "b"  # type: ignore[misc]


def test_an_error_keeps_its_problems_between_processes():
    error = DocumentError([Problem("f", 2, "b", "1", "2"), Problem("f", 1, "a", "1", "2")])
    copy = pickle.loads(pickle.dumps(error))
    assert copy.problems == error.problems == sorted(error.problems, key=lambda problem: problem.line)
    assert str(copy) == str(error)
    assert isinstance(copy, InputError)
