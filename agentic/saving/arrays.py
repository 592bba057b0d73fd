"""Arrays and tensors as they are saved: memory each once, also where several are views of the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Part = np.ndarray | Tensor
Node = dict[str, Any]


@dataclass
class Arrays:
    """Arrays that are to be saved, each with the node that will describe it."""

    found: list[tuple[Node, Part]] = field(default_factory=list)

    def add(self, part: Part, path: str) -> Node:
        """The node of one array. Until `tensors` is called it does not say where in which memory the array lies."""
        node: Node = {"array": path, "shape": list(part.shape)}
        if isinstance(part, np.ndarray):
            node |= {"numpy": part.dtype.str, **({} if part.flags.writeable else {"frozen": True})}
        else:
            node |= {"torch": str(part.dtype)[6:], **{name: True for name in _flags(part)}}
            if not part.is_inference() and part._version:
                node["writes"] = part._version  # by which others tell whether it has changed
        self.found.append((node, part))
        return node

    def tensors(self) -> dict[str, Tensor]:
        """All memory, by the path of the first array in it. Where there are others, each is a view of the bytes.

        So is one that lies in its memory otherwise than a new one would: sums depend on it, in the last bits.
        """
        sharing = dict[int, list[tuple[Node, Part]]]()
        for node, part in self.found:
            sharing.setdefault(_home(part), []).append((node, part))
        saved = dict[str, Tensor]()
        for (first, part), *others in sharing.values():
            name = first["array"]
            views = [(first, part), *others] if others or not _is_plain(part) else []
            saved[name] = _whole(part) if views else _alone(part)
            for node, view in views:
                node |= {"array": name, "offset": _start(view) - _home(view), "strides": _strides(view)}
        return saved


class Memory:
    """Saved memory, from which arrays are made again."""

    def __init__(self, saved: Mapping[str, Tensor]) -> None:
        self._saved = {name: tensor.clone() for name, tensor in saved.items()}  # where memory of its own begins

    def part(self, node: Node) -> Part:
        """The array of a node; raises KeyError, TypeError, ValueError or RuntimeError where memory has no such."""
        memory, shape = self._saved[node["array"]], [int(size) for size in node["shape"]]
        if "numpy" in node:
            found = self._numpy(node, memory, np.dtype(str(node["numpy"])), shape)
            found.flags.writeable = "frozen" not in node
            return found
        kind = getattr(torch, str(node["torch"]))
        if not isinstance(kind, torch.dtype):
            raise TypeError(f"{kind!r} is no type of tensors")
        if "offset" in node:
            size = torch.empty((), dtype=kind).element_size()
            strides = [int(stride) // size for stride in node["strides"]]
            tensor = torch.empty(0, dtype=kind).set_(
                memory.untyped_storage(), int(node["offset"]) // size, shape, strides
            )
        else:
            tensor = memory.view(kind).view(shape) if memory.dtype != kind else memory.view(shape)
        tensor = nn.Parameter(tensor, requires_grad=False) if "parameter" in node else tensor
        return tensor.requires_grad_("grad" in node)

    def _numpy(self, node: Node, memory: Tensor, kind: np.dtype, shape: list[int]) -> np.ndarray:
        if kind.hasobject:
            raise TypeError("an array of objects is no memory")
        data = memory.reshape(-1).view(torch.uint8).numpy()
        if "offset" in node:
            return np.ndarray(shape, kind, data.data, int(node["offset"]), [int(each) for each in node["strides"]])
        return data.view(kind).reshape(shape)


def _flags(part: Tensor) -> list[str]:
    return [name for name, yes in (("parameter", isinstance(part, nn.Parameter)), ("grad", part.requires_grad)) if yes]


def _root(part: np.ndarray) -> np.ndarray:
    while isinstance(part.base, np.ndarray) and (part.base.flags.c_contiguous or part.base.flags.f_contiguous):
        part = part.base
    return part


def _home(part: Part) -> int:
    """The address of the memory an array lies in; one of its own where it has none."""
    if not (part.numel() if isinstance(part, Tensor) else part.size):
        return -id(part)
    return part.untyped_storage().data_ptr() if isinstance(part, Tensor) else _root(part).ctypes.data


def _start(part: Part) -> int:
    return part.data_ptr() if isinstance(part, Tensor) else part.ctypes.data


def _is_plain(part: Part) -> bool:
    """Whether an array is in order and begins where a processor likes it to, or has no memory."""
    if _home(part) < 0:
        return True
    ordered = part.is_contiguous() if isinstance(part, Tensor) else part.flags.c_contiguous
    return bool(ordered) and (_start(part) - _home(part)) % 64 == 0


def _strides(part: Part) -> list[int]:
    return (
        [stride * part.element_size() for stride in part.stride()] if isinstance(part, Tensor) else list(part.strides)
    )


def _whole(part: Part) -> Tensor:
    """A copy of the bytes of the memory that an array lies in."""
    if isinstance(part, Tensor):
        return torch.empty(0, dtype=torch.uint8).set_(part.untyped_storage()).clone()
    root = _root(part)
    return torch.from_numpy(root.reshape(-1, order="A").view(np.uint8).copy())


def _alone(part: Part) -> Tensor:
    """A copy of an array; of one whose type torch does not have its bytes."""
    if isinstance(part, Tensor):
        return part.detach().cpu().clone(memory_format=torch.contiguous_format)
    plain = np.array(part, order="C")
    try:
        return torch.from_numpy(plain)
    except TypeError:
        return torch.from_numpy(plain.reshape(-1).view(np.uint8))
