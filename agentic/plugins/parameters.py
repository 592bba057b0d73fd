"""The parameters of a component, read from its own signature, and values of a file checked against them.

A component is called through its class method `from_env(environment, ...)` where it has one, else through its
constructor. Where `from_env` passes its keywords on (`**parameters`), those of the constructor and of the class's other
class methods count as its own.
"""

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from agentic.errors import UserError, listed, suggest

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError


class Accepted(NamedTuple):
    """The parameters of a component by name; `free` where it takes any other name too."""

    names: dict[str, inspect.Parameter]
    free: bool

    def annotation(self, name: str) -> Any:
        """The annotation of a parameter; `inspect.Parameter.empty` where it has none, or there is no such parameter."""
        return self.names[name].annotation if name in self.names else inspect.Parameter.empty

    def needs(self, name: str) -> bool:
        """Whether this parameter is one that must be given."""
        return name in self.names and self.names[name].default is inspect.Parameter.empty

    def check(self, given: Iterable[str], label: str, others: Iterable[str] = ()) -> None:
        """Check the names in `given`. Raises UserError for one that is unknown, and for one that is missing there.

        `label` names the component in messages; `others` are further keys of its table, to be suggested too.
        """
        known = [*self.names, *(key for key in others if key != "name")]
        for key in given:
            if key not in self.names and not self.free:
                raise UserError(f"{label} has no parameter '{key}'{suggest(key, known)}; known: {listed(known)}")
        for key in self.names:
            if self.needs(key) and key not in given:
                raise UserError(f"{label} needs the parameter '{key}': write {key} = ...")


def accepted(target: Any, leading: int = 0) -> Accepted:
    """The parameters that can be written for `target`: all but its first `leading` ones (after the environment)."""
    own = _signature(target, leading)
    if not hasattr(target, "from_env"):
        return own
    door = _signature(target.from_env, leading + 1)
    if not door.free:
        return door
    methods = [_signature(getattr(target, key)) for key, each in vars(target).items() if isinstance(each, classmethod)]
    keywords = {k: each for method in methods for k, each in method.names.items() if each.kind is each.KEYWORD_ONLY}
    passed_on = {
        key: each.replace(default=None) if each.default is each.empty else each
        for key, each in (own.names | keywords | own.names).items()
    }
    return Accepted(passed_on | door.names, own.free)


def reader(annotation: Any) -> "TypeAdapter[Any] | None":
    """The reader of values that a file can hold; None for an annotation that asks for anything, or for a component's.

    So it is for annotations that only type checkers can read.
    """
    if annotation in (Any, object, inspect.Parameter.empty) or isinstance(annotation, str):
        return None
    from pydantic import PydanticUserError, TypeAdapter  # not where only names are looked up

    try:
        return TypeAdapter[Any](annotation)
    except (TypeError, PydanticUserError):
        return None


def typed(value: Any, wanted: "TypeAdapter[Any] | None", label: str) -> Any:
    """A value in the type that is `wanted`, lists as tuples; unchanged where that cannot be said in TOML.

    Raises UserError, about `label`, for a value of another type and for nan.
    """
    if any(isinstance(part, float) and part != part for _, part in walk(value)):
        raise UserError(f"{label} holds nan, which is no number: give {label.rpartition(' ')[2]} = ... without it")
    from pydantic import ValidationError

    try:
        text = json.dumps(value)
    except TypeError:  # it is a component, or has one within
        return value
    try:
        return value if wanted is None else wanted.validate_json(text, strict=True)
    except ValidationError as error:
        raise UserError(f"{label} {complaint(error)}") from None


def complaint(error: "ValidationError") -> str:
    """The complaint of pydantic about a value, its first, in the words of a TOML file."""
    first = error.errors(include_url=False)[0]
    reason = first["msg"].removeprefix("Value error, ").replace("an object", "a table")
    return f"is wrong: {reason[:1].lower()}{reason[1:]}, got {first['input']!r}"


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """A value of plain tables and everything within it, each with the key that it stands under."""
    yield key, value
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from walk(part, name)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from walk(part, key)


def _signature(function: Any, leading: int = 0) -> Accepted:
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # annotations that only type checkers can read
        signature = inspect.signature(function)
    given = list(signature.parameters.values())
    named = [each for each in given if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    return Accepted({each.name: each for each in named[leading:]}, any(each.kind is each.VAR_KEYWORD for each in given))
