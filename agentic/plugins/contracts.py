"""Contracts: what a component must be to fill a place, read from the annotation of the parameter it fills.

Each kind of component holds several contracts (see `hookspecs.CONTRACTS`). A name stands for a component of whatever
kind holds the contract that is wanted; a contract of a third party's own is looked for in all kinds.
"""

import inspect
from collections.abc import Iterator, Sequence
from functools import cache, reduce
from importlib import import_module
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from agentic.plugins.hookspecs import CONTRACTS, KINDS

Contract: TypeAlias = Any  # a class, or a union of classes: what `issubclass` takes

_UNIONS: tuple[Any, ...] = (Union, UnionType)
_PLAIN = {"abc", "builtins", "collections", "typing", "numbers", "numpy", "os", "pathlib", "torch"}


@cache
def contracts_of(kind: str) -> tuple[type[Any], ...]:
    """The contracts that components of a kind fulfill, the narrower first."""
    paths = (path.rpartition(".") for path in CONTRACTS[kind])
    return tuple(getattr(import_module(module), name) for module, _, name in paths)


def homes(contract: Contract) -> list[str]:
    """The kinds that hold a contract; all of them where it is nobody's in particular."""
    found = [[kind for kind in KINDS if issubclass(each, contracts_of(kind))] for each in members(contract)]
    return [kind for kind in KINDS if any(kind in each for each in found)] if all(found) else list(KINDS)


def fits(target: Any, contract: Contract) -> bool:
    """Whether a class fulfills a contract; for a function, what it is annotated to return, if that is said."""
    if not isinstance(target, type):
        target = inspect.signature(target).return_annotation
        if not isinstance(target, type) or target is inspect.Signature.empty:
            return True
    if contract is import_module("gymnasium").Env and issubclass(target, import_module("gymnasium").Wrapper):
        return False  # a wrapper is an environment only once it has one to wrap
    return issubclass(target, contract)


def contract_of(target: Any) -> str:
    """The name of the contract that a component fulfills; that of its own class where it is none of ours."""
    if not isinstance(target, type):
        return type(target).__name__
    known = (each for kind in KINDS for each in contracts_of(kind) if issubclass(target, each))
    return next(known, target).__name__


def asked(annotation: Any) -> Contract | None:
    """The contract that an annotation asks for, also as one of several (`tuple[Loss, ...]`); None for plain values."""
    found = list(_asked(annotation))
    return reduce(or_, found) if found else None


def only(annotation: Any) -> bool:
    """Whether nothing but a component, or None, is meant by an annotation."""
    parts = members(annotation)
    return all(part is NoneType or (isinstance(part, type) and any(_asked(part))) for part in parts)


def several(annotation: Any) -> bool:
    """Whether nothing but components in a row, or None, are meant by an annotation, as in `tuple[Loss, ...]`."""
    rows = [part for part in members(annotation) if part is not NoneType]
    return bool(rows) and all(get_origin(row) in (tuple, list, Sequence) and only(get_args(row)[0]) for row in rows)


def members(contract: Contract) -> tuple[type[Any], ...]:
    """The classes of a contract, which may be a union of them."""
    return get_args(contract) if get_origin(contract) in _UNIONS else (contract,)


def named(contract: Contract) -> str:
    """The name of a contract, with its article."""
    return with_article(" or ".join(each.__name__ for each in members(contract)))


def with_article(noun: str) -> str:
    """A noun with its indefinite article: a Goal, an Energy."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def _asked(annotation: Any) -> Iterator[type[Any]]:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and get_origin(annotation) is None:
        ours = any(issubclass(annotation, contracts_of(kind)) for kind in KINDS)
        if ours or (inspect.isabstract(annotation) and annotation.__module__.partition(".")[0] not in _PLAIN):
            yield annotation
        return
    for part in get_args(annotation):
        if part is not Ellipsis:
            yield from _asked(part)
