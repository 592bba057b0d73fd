"""What agents answer, looked at and copied: they may write over what they returned, the record holds what it was."""

import sys
from collections.abc import Mapping
from copy import copy
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

from agentic.agents.agent import Agent
from agentic.engine.belief import Categorical
from agentic.errors import RunError, described
from agentic.tick import Decision, Deferred

LARGEST = sys.float_info.max


def own(decision: Any, agent: Agent, batch: int, accounts: bool = True) -> Decision:
    """The decision of `agent`: its action, energies and belief copied. Raises RunError for what cannot be recorded.

    Without `accounts` energies that are deferred stay so.
    """
    if type(decision) is Decision and decision.belief is None and decision.energies == {}:
        if isinstance(decision.action, Tensor):  # the common case, kept short
            if decision.policy is not None:
                _check_policy(decision.policy, type(agent).__name__)
            return Decision(decision.action.clone(), decision.state, decision.policy, None, decision.plan)
    who = type(agent).__name__
    if not isinstance(decision, Decision):
        raise RunError(f"{who} decided with a {type(decision).__name__}, expected an agentic.Decision")
    if not isinstance(decision.action, Tensor):
        kind = type(decision.action).__name__
        raise RunError(f"the action of {who} is a {kind}, expected a tensor (batch, *event)")
    if not isinstance(decision.energies, Mapping):
        kind = type(decision.energies).__name__
        raise RunError(f"the energies of {who} are a {kind}, expected a mapping from names to tensors (batch,)")
    if decision.policy is not None:
        _check_policy(decision.policy, who)
    given, kept = decision.energies, Deferred(lambda: _energies(given, who, batch))
    energies = kept if isinstance(given, Deferred) and not accounts else dict(kept)
    belief = _belief(decision.belief, who, batch)
    return replace(decision, action=decision.action.clone(), energies=energies, belief=belief)


def _energies(given: Mapping[Any, Any], who: str, batch: int) -> Mapping[str, Tensor]:
    return {name: _energy(name, value, who, batch) for name, value in given.items()}


def _check_policy(policy: Any, who: str) -> None:
    probabilities = policy.probs if isinstance(policy, Categorical) else policy.mean
    if probabilities.is_floating_point() and probabilities.numel():  # one look at all, which a NaN fails too
        least, most = probabilities.aminmax()
        if (0 if isinstance(policy, Categorical) else -LARGEST) <= float(least) <= float(most) <= LARGEST:
            return
    wrong = ~probabilities.isfinite() | ((probabilities < 0) if isinstance(policy, Categorical) else False)
    if bool(wrong.any()):
        row = int(wrong.flatten(1).any(-1).nonzero()[0])
        raise RunError(
            f"the policy of {who} in row {row} is {probabilities[row].tolist()}: no distribution over actions"
        )


def _energy(name: Any, value: Any, who: str, batch: int) -> Tensor:
    where = f"{who}: its energies hold {name!r}"
    if not isinstance(name, str) or not name.isprintable() or not name:
        raise RunError(f"{where}, a {type(name).__name__}, where the name of a term is wanted")
    if not isinstance(value, Tensor):
        raise RunError(f"{where}, a {type(value).__name__} where a tensor ({batch},) is wanted")
    if value.shape not in ((), (1,), (batch,)) or value.is_complex():
        kind = f"of shape {tuple(value.shape)} and type {value.dtype}"
        raise RunError(f"{where} {kind} where a real tensor ({batch},) is wanted")
    copied = _copied(value, f"{where}, a tensor")
    if bool(copied.isnan().any()):
        raise RunError(f"{where} = {value.tolist()}, where numbers are wanted")
    return copied


def _copied(value: Tensor, what: str) -> Tensor:
    """A copy that holds numbers. Raises RunError for a tensor that has none to read, or not in rows."""
    if value.layout is not torch.strided or value.is_quantized or value.device.type == "meta":
        kind = "quantized" if value.is_quantized else f"of layout {value.layout} on the device {value.device}"
        raise RunError(f"{what} {kind}, which records cannot hold: return a dense one of plain numbers")
    return value.detach().clone()


def _belief(belief: Any, who: str, batch: int) -> Any:
    """A copy of a dataclass with tensors of its own; anything else is not recorded."""
    if belief is None or not is_dataclass(belief):
        return belief
    kept: Any = copy(belief)
    whole = True
    for field in fields(belief):
        part = getattr(belief, field.name)
        if isinstance(part, Tensor):
            object.__setattr__(kept, field.name, _copied(part, f"{who}: its belief holds a tensor"))
            whole = whole and part.dim() > 0 and len(part) == batch
    if whole:
        return kept
    try:
        shape: Any = tuple(kept.mean.shape)
    except Exception as error:
        raise RunError(f"{who}: the mean of its belief cannot be had, {described(error)}") from error
    if shape[:1] != (batch,):
        raise RunError(f"{who}: the mean of its belief has shape {shape}, expected ({batch}, ...)")
    return kept
