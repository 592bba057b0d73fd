"""What a component takes, read from its own signature, and whether what a file gives it fits.

A component is called through its class method `from_env(environment, ...)` where it has one, else through its
constructor. Where `from_env` passes its keywords on (`**parameters`), those of the constructor and of the class's other
class methods count as its own.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from agentic.errors import RunError, UserError
from agentic.plugins.registry import described, listed, suggest


class Accepted(NamedTuple):
    """The parameters of a component; `free` where it takes any other name too."""

    names: Mapping[str, inspect.Parameter]
    free: bool

    def needs(self, name: str) -> bool:
        """Whether this parameter is one that must be given."""
        return name in self.names and self.names[name].default is inspect.Parameter.empty


def accepted(target: Any, leading: int = 0) -> Accepted:
    """What can be written for `target`, whose first `leading` arguments (after the environment) are given by us."""
    from_env = getattr(target, "from_env", None)
    if from_env is None:
        return _signature(target, leading)
    door = _signature(from_env, leading + 1)
    if not door.free:
        return door
    own = _signature(target, leading)
    methods = [getattr(target, key) for key, each in vars(target).items() if isinstance(each, classmethod)]
    keywords = [(k, each) for m in methods for k, each in _signature(m).names.items() if each.kind is each.KEYWORD_ONLY]
    passed_on = {key: each.replace(default=None) for key, each in (*own.names.items(), *keywords)}
    return Accepted({**passed_on, **door.names}, own.free)


def fit(takes: Accepted, given: Mapping[str, Any], label: str, others: Iterable[str] = ()) -> dict[str, Any]:
    """The parameters as the component takes them. Raises UserError for one that is unknown, missing or mistyped.

    `label` names the component in messages; `others` are further keys of its table, to be suggested too.
    """
    known = [*takes.names, *(key for key in others if key != "name")]
    for key in given if not takes.free else ():
        if key not in takes.names:
            raise UserError(f"{label} has no parameter '{key}'{suggest(key, known)}; known: {listed(known)}")
    for key in takes.names:
        if takes.needs(key) and key not in given:
            raise UserError(f"{label} needs the parameter '{key}': write {key} = ...")
    return {key: _typed(takes.names.get(key), value, f"{label}: {key}") for key, value in given.items()}


def guarded(construct: Callable[[], Any], label: str, plugin: str) -> Any:
    """Make a component: what it says about its parameters is the user's business, anything else its plugin's."""
    try:
        return construct()
    except UserError as error:
        raise UserError(f"{label}: {error}") from error
    except (TypeError, ValueError) as error:
        raise UserError(f"{label} cannot be made: {' '.join(str(error).split())}") from error
    except RunError:
        raise
    except Exception as error:
        raise RunError(f"{label} of plugin {plugin} broke while being made, {described(error)}") from error


def _signature(function: Any, leading: int = 0) -> Accepted:
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # annotations that only type checkers can read
        signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    named = [each for each in parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    free = any(each.kind is each.VAR_KEYWORD for each in parameters)
    return Accepted({each.name: each for each in named[leading:]}, free)


def _typed(parameter: inspect.Parameter | None, value: Any, label: str) -> Any:
    """The value in the type of the annotation, lists as tuples; unchanged where that cannot be said in TOML."""
    if parameter is None or parameter.annotation is parameter.empty or isinstance(parameter.annotation, str):
        return value
    try:
        adapter, text = TypeAdapter[Any](parameter.annotation), json.dumps(value)
    except (TypeError, PydanticUserError):  # a component, or a type that pydantic does not know
        return value
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise UserError(f"{label} is wrong: {reason[:1].lower()}{reason[1:]}, got {value!r}") from None
