"""What a component takes, read from its own signature, and whether what a file gives it fits.

A component is called through its class method `from_env(environment, ...)` where it has one, else through its
constructor. Where `from_env` passes its keywords on (`**parameters`), those of the constructor and of the class's other
class methods count as its own.
"""

import inspect
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from agentic.errors import RunError, UserError, described, listed, suggest


class Accepted(NamedTuple):
    """The parameters of a component; `free` where it takes any other name too."""

    names: dict[str, inspect.Parameter]
    free: bool

    def needs(self, name: str) -> bool:
        """Whether this parameter is one that must be given."""
        return name in self.names and self.names[name].default is inspect.Parameter.empty


def accepted(target: Any, leading: int = 0) -> Accepted:
    """What can be written for `target`, whose first `leading` arguments (after the environment) are given by us."""
    own = _signature(target, leading)
    if not hasattr(target, "from_env"):
        return own
    door = _signature(target.from_env, leading + 1)
    if not door.free:
        return door
    methods = [_signature(getattr(target, key)) for key, each in vars(target).items() if isinstance(each, classmethod)]
    keywords = {k: each for method in methods for k, each in method.names.items() if each.kind is each.KEYWORD_ONLY}
    passed_on = {key: each.replace(default=None) for key, each in (own.names | keywords).items()}
    return Accepted(passed_on | door.names, own.free)


def fit(takes: Accepted, given: Mapping[str, Any], label: str, others: Iterable[str] = ()) -> dict[str, Any]:
    """The parameters as the component takes them. Raises UserError for one that is unknown, missing or mistyped.

    `label` names the component in messages; `others` are further keys of its table, to be suggested too.
    """
    check_names(takes, given, label, others)
    for key in takes.names:
        if takes.needs(key) and key not in given:
            raise UserError(f"{label} needs the parameter '{key}': write {key} = ...")
    for key, value in given.items():
        if _has_nan(value):
            raise UserError(f"{label}: {key} holds nan, which is no number: give {key} = ... without it")
    return {key: _typed(takes.names.get(key), value, f"{label}: {key}") for key, value in given.items()}


def plain(annotation: Any) -> bool:
    """Whether an annotation asks for values that a file can hold, and for nothing else."""
    return annotation not in (Any, object) and _adapter(annotation) is not None


def _has_nan(value: Any) -> bool:
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return (isinstance(value, float) and value != value) or any(map(_has_nan, parts))


def check_names(takes: Accepted, given: Iterable[str], label: str, others: Iterable[str] = ()) -> None:
    """Raises UserError for the name of a parameter that the component does not have."""
    known = [*takes.names, *(key for key in others if key != "name")]
    for key in given:
        if key not in takes.names and not takes.free:
            raise UserError(f"{label} has no parameter '{key}'{suggest(key, known)}; known: {listed(known)}")


def maker(target: Any, takes: Accepted, given: Mapping[str, Any], label: str, plugin: str, *others: str) -> Any:
    """A function that makes the component from what a file gives, checked here, and from its own arguments.

    What the component says about its parameters is the user's business, anything else its plugin's.
    """
    values = fit(takes, given, label, others)
    construct = getattr(target, "from_env", target)

    def make(*leading: Any, **parts: Any) -> Any:
        try:
            return construct(*leading, **parts, **values)
        except UserError as error:
            raise UserError(f"{label}: {error}") from error
        except (TypeError, ValueError) as error:
            raise UserError(_refused(error, takes, label)) from error
        except Exception as error:
            raise RunError(f"{label} of plugin {plugin} broke while being made, {described(error)}") from error

    return make


def _refused(error: Exception, takes: Accepted, label: str) -> str:
    """What a constructor said, in the words of a file where it misses a parameter that one may write."""
    missing = re.search(r"missing \d+ required .*", str(error))
    names = [name for name in re.findall(r"'(\w+)'", missing[0]) if name in takes.names] if missing else []
    if names:
        return f"{label} needs the parameter '{names[0]}': write {names[0]} = ..."
    return f"{label} cannot be made: {' '.join(str(error).split())}"


def _signature(function: Any, leading: int = 0) -> Accepted:
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # annotations that only type checkers can read
        signature = inspect.signature(function)
    given = list(signature.parameters.values())
    named = [each for each in given if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    return Accepted({each.name: each for each in named[leading:]}, any(each.kind is each.VAR_KEYWORD for each in given))


def _typed(parameter: inspect.Parameter | None, value: Any, label: str) -> Any:
    """The value in the type of the annotation, lists as tuples; unchanged where that cannot be said in TOML."""
    adapter = None if parameter is None else _adapter(parameter.annotation)
    if adapter is None:
        return value
    try:
        text = json.dumps(value)
    except TypeError:  # it is a component, or has one within
        return value
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        raise UserError(f"{label} {complaint(error)}") from None


def _adapter(annotation: Any) -> TypeAdapter[Any] | None:
    """What reads values of an annotation; None for a component's, and for what only type checkers can read."""
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return None
    try:
        return TypeAdapter[Any](annotation)
    except (TypeError, PydanticUserError):
        return None


def complaint(error: ValidationError) -> str:
    """The first thing that pydantic found wrong with a value, in the words of a TOML file."""
    first = error.errors(include_url=False)[0]
    reason = first["msg"].replace("an object", "a table")
    return f"is wrong: {reason[:1].lower()}{reason[1:]}, got {first['input']!r}"
