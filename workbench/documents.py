"""YAML documents that are checked as a whole.

A document's model is made of `Section`s. `read_document` reports every problem of a file at once,
each with its line, its key, what was given and what is allowed. `Family` lets a key of a document
name any member of a family (`kind: poisson`), also one that a user has registered.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from workbench.errors import DocumentError, NotFoundError, Problem

MAX_BYTES = 1_000_000
MAX_NODES = 100_000
_SHOWN = 60


class Section(BaseModel):
    """A part of a document: frozen, and a key that it does not know is an error naming those it does.

    The context of a validation, where it has one, holds `folder`: the `Path` from which files that
    the document names are found.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", ignored_types=(staticmethod,), use_attribute_docstrings=True
    )

    @model_validator(mode="wrap")
    @classmethod
    def _name_known_keys(cls, value: Any, handler: Callable[[Any], Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            details = [_with_known_keys(cls, cast(dict[str, Any], item)) for item in error.errors()]
        raise ValidationError.from_exception_data(cls.__name__, details)


def _with_known_keys(model: type[Section], item: dict[str, Any]) -> InitErrorDetails:
    message, kind = item["msg"].removeprefix("Value error, "), item["type"]
    if kind == "extra_forbidden" and len(item["loc"]) == 1:
        known = [field.alias or name for name, field in model.model_fields.items()]
        kind, message = "unknown_key", _choices(str(item["loc"][0]), known)
    safe = message.replace("{", "(").replace("}", ")")
    return InitErrorDetails(type=PydanticCustomError(kind, safe), loc=item["loc"], input=item["input"])


def _choices(given: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(given, allowed, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"one of {', '.join(allowed)}{hint}"


class Member(Section):
    """One member of a family: its own configuration, named by `kind`."""

    kind: str
    summary: ClassVar[str] = ""


M = TypeVar("M", bound=Member)
T = TypeVar("T", bound=Member)
S = TypeVar("S", bound=Section)


class Family(Generic[M]):
    """The members that a document's key may name, by their kind.

    Used as an annotation, `Annotated[ArrivalProcess, ARRIVALS]`: a bare text `poisson` stands for
    `{kind: poisson}`.

    Args:
        noun: what a member is, for messages, such as "arrival process".
        base: the class that all members extend.
    """

    def __init__(self, noun: str, base: type[M]) -> None:
        self.noun = noun
        self.base = base
        self._members: dict[str, type[M]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __getitem__(self, kind: str) -> type[M]:
        """Look up a member.

        Raises:
            NotFoundError: there is no such member; the message names those there are.
        """
        if kind not in self._members:
            raise NotFoundError(f"no {self.noun} is called {kind!r}; allowed: {_choices(kind, list(self))}")
        return self._members[kind]

    def register(self, member: type[T]) -> type[T]:
        """Add a member under the default of its `kind`; usable as a decorator.

        Raises:
            TypeError: the class does not extend the family's base.
        """
        if not issubclass(member, self.base):
            raise TypeError(f"{member.__name__} does not extend {self.base.__name__}")
        self._members[member.model_fields["kind"].default] = member
        return cast(type[T], member)

    def read(self, value: Any, info: core_schema.ValidationInfo | None = None) -> M:
        """Make the member that a value of a document stands for."""
        if isinstance(value, self.base):
            return value
        content = {"kind": value} if isinstance(value, str) else value
        kind = content.get("kind") if isinstance(content, dict) else None
        if not isinstance(content, dict) or kind is None:
            raise PydanticCustomError("kind", f"{self._article()} with its kind: one of {', '.join(self)}")
        if not isinstance(kind, str) or kind not in self._members:
            detail = PydanticCustomError("kind", _choices(str(kind), list(self)))
            error = InitErrorDetails(type=detail, loc=("kind",), input=kind)
            raise ValidationError.from_exception_data(self.noun, [error])
        return self._members[kind].model_validate(content, context=info.context if info else None)

    def _article(self) -> str:
        return f"an {self.noun}" if self.noun[0] in "aeiou" else f"a {self.noun}"

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda member: member.model_dump(mode="json") if isinstance(member, BaseModel) else member
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        members = [self._member_schema(member, handler) for member in self._members.values()]
        names: JsonSchemaValue = {"enum": list(self), "description": f"{self._article()} with its defaults"}
        return {"anyOf": [names, *members]}

    @staticmethod
    def _member_schema(member: type[Member], handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(member.__pydantic_core_schema__)
        return schema | {"description": member.summary, "required": ["kind", *schema.get("required", [])]}


class OneOrMany:
    """Annotation of a list that may be written as its only item: `Annotated[list[Item], OneOrMany()]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: [value] if isinstance(value, dict) else value, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def read_document(file: Path, model: type[S]) -> S:
    """Read and check a YAML file.

    Raises:
        DocumentError: the file is missing, is not YAML, or holds what the model does not allow.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise DocumentError(
                [Problem(str(file), 0, "", "more than 1 MB", "a YAML document of at most 1 MB")]
            )
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DocumentError(
            [Problem(str(file), 0, "", f"what cannot be read ({reason})", "a YAML file")]
        ) from None
    return parse_document(text, model, name=str(file), folder=file.parent)


def parse_document(text: str, model: type[S], *, name: str, folder: Path) -> S:
    """Check a YAML text; `name` stands for the file in messages, `folder` is where it finds other files.

    Raises:
        DocumentError: the text is not YAML, or holds what the model does not allow.
    """
    tree = _load(text, name)
    if not isinstance(tree, CommentedMap):
        raise DocumentError(
            [Problem(name, 1, "", _shown(tree), "keys with values, such as `name: my scenario`")]
        )
    try:
        return model.model_validate(_plain(tree, name), context={"folder": folder})
    except ValidationError as error:
        problems = [_problem(cast(dict[str, Any], item), tree, name) for item in error.errors()]
        raise DocumentError(problems) from None


def check(content: Any, model: type[S], *, name: str, folder: Path) -> S:
    """Check what is already in memory, such as a dict from Python code; errors carry no lines.

    Raises:
        DocumentError: the content is not what the model allows.
    """
    try:
        return model.model_validate(content, context={"folder": folder})
    except ValidationError as error:
        problems = [_problem(cast(dict[str, Any], item), None, name) for item in error.errors()]
        raise DocumentError(problems) from None


def _load(text: str, name: str) -> Any:
    try:
        return YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise DocumentError([Problem(name, line, "", "a key twice", "each key once")]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        given = f"what is not YAML ({error.problem or error.context})"
        raise DocumentError([Problem(name, mark.line + 1 if mark else 0, "", given, "YAML")]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise DocumentError([Problem(name, 0, "", f"what is not YAML ({error})", "YAML")]) from None


def _plain(node: Any, name: str) -> Any:
    """Turn the tree into dicts and lists; a tree that aliases blow up or close to a ring is refused."""
    left = MAX_NODES

    def convert(item: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise DocumentError([Problem(name, 0, "", f"more than {MAX_NODES} values", "a smaller document")])
        if isinstance(item, CommentedMap):
            return {key: convert(value) for key, value in item.items()}
        if isinstance(item, CommentedSeq):
            return [convert(value) for value in item]
        return item

    try:
        return convert(node)
    except RecursionError:
        problem = Problem(name, 0, "", "values nested without end", "a smaller document")
        raise DocumentError([problem]) from None


def _problem(item: dict[str, Any], tree: CommentedMap | None, name: str) -> Problem:
    location = tuple(item["loc"])
    line, path = _place(tree, location)
    given = "nothing" if item["type"] == "missing" else _shown(item["input"])
    return Problem(name, line, path, given, _allowed(item))


def _allowed(item: dict[str, Any]) -> str:
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return "a value (the key is required)" if item["type"] == "missing" else message


def _place(tree: Any, location: tuple[Any, ...]) -> tuple[int, str]:
    """Find the line of the deepest node on the way to a location, and spell the location as a path."""
    line, node, path = 1 if tree is not None else 0, tree, ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
        if isinstance(node, CommentedMap) and part in node:
            own = (node.lc.data or {}).get(part)  # a key that `<<` merges in has no line of its own
            line, node = own[0] + 1 if own else line, node[part]
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line, node = node.lc.item(part)[0] + 1, node[part]
        else:
            node = None
    return line, path


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
