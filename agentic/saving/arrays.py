"""Arrays and tensors as they are saved: memory each once, also where several are views of the same."""

from collections.abc import Iterator, Mapping
from ctypes import string_at
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Part = np.ndarray | Tensor
Node = dict[str, Any]
KNOWN = {torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64} | {
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64)
}


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
            node |= {} if part.device.type == "cpu" else {"device": str(part.device)}
            if not part.is_inference() and part._version:
                node["writes"] = part._version  # by which others tell whether it has changed
        self.found.append((node, part))
        return node

    def tensors(self) -> dict[str, Tensor]:
        """All memory, by the path of the first array in it. Where there are others, each is a view of the bytes.

        So is one that lies in its memory otherwise than a new one would: sums depend on it, in the last bits.
        """
        saved = dict[str, Tensor]()
        for begin, end, members in _sharing(self.found):
            first, part = members[0]
            name = first["array"] if first["array"] not in saved else f"{first['array']} {len(saved)}"
            views = members if len(members) > 1 or not _is_plain(part) else []
            saved[name] = _whole(part, begin, end) if views else _alone(part)
            for node, view in views:
                node |= {"array": name, "offset": _start(view) - begin, "strides": _strides(view)}
        return saved


class Memory:
    """Saved memory, from which arrays are made again: on `device` what was not on the CPU, None for where it was."""

    def __init__(self, saved: Mapping[str, Tensor], device: str | None = None) -> None:
        self._device = device
        self._saved = {name: tensor.clone() for name, tensor in saved.items()}  # where memory of its own begins
        self._moved = dict[tuple[str, str], Tensor]()

    def part(self, node: Node) -> Part:
        """The array of a node; raises KeyError, TypeError, ValueError or RuntimeError where memory has no such."""
        memory, shape = self._saved[node["array"]], [int(size) for size in node["shape"]]
        if min(shape, default=0) < 0:
            raise ValueError(f"{shape} is no shape")
        if "numpy" in node:
            found = self._numpy(node, memory, np.dtype(str(node["numpy"])), shape)
            found.flags.writeable = "frozen" not in node
            return found
        tensor = self._torch(node, self._there(node, memory), torch_type(node["torch"]), shape)
        tensor = nn.Parameter(tensor, requires_grad=False) if "parameter" in node else tensor
        return tensor.requires_grad_("grad" in node)

    def _there(self, node: Node, memory: Tensor) -> Tensor:
        """Memory on the device of an array: that of all who share it."""
        if "device" not in node:
            return memory
        key = node["array"], self.place(node)
        if key not in self._moved:
            self._moved[key] = memory.to(key[1])
        return self._moved[key]

    def place(self, node: Node) -> str:
        """The device of what a node says to have been on one."""
        saved = str(node["device"])
        return saved if self._device is None or saved == "cpu" else self._device

    def _torch(self, node: Node, memory: Tensor, kind: torch.dtype, shape: list[int]) -> Tensor:
        if "offset" not in node:
            return memory.view(kind).view(shape) if memory.dtype != kind else memory.view(shape)
        offset, strides = _within(node, memory, shape, kind.itemsize)
        if offset % kind.itemsize or any(stride % kind.itemsize or stride < 0 for stride in strides):
            raise ValueError("its elements do not lie where elements can")
        strides = [stride // kind.itemsize for stride in strides]
        return torch.empty(0, dtype=kind, device=memory.device).set_(
            memory.untyped_storage(), offset // kind.itemsize, shape, strides
        )

    def _numpy(self, node: Node, memory: Tensor, kind: np.dtype, shape: list[int]) -> np.ndarray:
        if kind.hasobject:
            raise TypeError("an array of objects is no memory")
        data = memory.reshape(-1).view(torch.uint8).numpy()
        if "offset" in node:
            offset, strides = _within(node, memory, shape, kind.itemsize)
            return np.ndarray(shape, kind, data.data, offset, strides)
        return data.view(kind).reshape(shape)


def torch_type(name: Any) -> torch.dtype:
    """The type of tensors of that name. Raises TypeError where there is none."""
    kind = vars(torch).get(str(name))
    if not isinstance(kind, torch.dtype):
        raise TypeError(f"{name!r} is no type of tensors")
    return kind


def _within(node: Node, memory: Tensor, shape: list[int], size: int) -> tuple[int, list[int]]:
    """The offset and the strides of an array. Raises ValueError where any of its elements is out of its memory."""
    offset, strides = int(node["offset"]), [int(stride) for stride in node["strides"]]
    steps = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
    low, high = offset + sum(min(0, step) for step in steps), offset + sum(max(0, step) for step in steps) + size
    if low < 0 or high > memory.untyped_storage().nbytes() or not prod(shape):
        raise ValueError("it reaches out of its memory")
    return offset, strides


def _sharing(found: list[tuple[Node, Part]]) -> Iterator[tuple[int, int, list[tuple[Node, Part]]]]:
    """Memory from its first address to its end, with all arrays in it, by the order in which the first were found."""
    order = {id(node): place for place, (node, _) in enumerate(found)}
    groups = list[tuple[Any, int, int, list[tuple[Node, Part]]]]()
    for (device, begin, end), node, part in sorted(
        ((_span(part), node, part) for node, part in found), key=lambda each: each[0]
    ):
        if groups and groups[-1][0] == device and begin < groups[-1][2]:
            _, first, last, members = groups.pop()
            groups.append((device, first, max(last, end), [*members, (node, part)]))
        else:
            groups.append((device, begin, end, [(node, part)]))
    for *_, members in groups:
        members.sort(key=lambda member: order[id(member[0])])
    groups.sort(key=lambda group: order[id(group[3][0][0])])
    yield from ((begin, end, members) for _, begin, end, members in groups)


def _flags(part: Tensor) -> list[str]:
    return [name for name, yes in (("parameter", isinstance(part, nn.Parameter)), ("grad", part.requires_grad)) if yes]


def _root(part: np.ndarray) -> np.ndarray:
    while isinstance(part.base, np.ndarray) and (part.base.flags.c_contiguous or part.base.flags.f_contiguous):
        part = part.base
    return part


def _span(part: Part) -> tuple[str, int, int]:
    """The device and the addresses of the memory an array lies in; those of nothing where it has none."""
    device = str(part.device)
    if not (part.numel() if isinstance(part, Tensor) else part.size):
        return device, -id(part), -id(part)
    if isinstance(part, Tensor):
        storage = part.untyped_storage()
        return device, storage.data_ptr(), storage.data_ptr() + storage.nbytes()
    return device, *np.lib.array_utils.byte_bounds(_root(part))


def _start(part: Part) -> int:
    return part.data_ptr() if isinstance(part, Tensor) else part.ctypes.data


def _is_plain(part: Part) -> bool:
    """Whether an array is in order and begins where a processor likes it to, or has no memory."""
    begin = _span(part)[1]
    ordered = part.is_contiguous() if isinstance(part, Tensor) else part.flags.c_contiguous
    return begin < 0 or (bool(ordered) and (_start(part) - begin) % 64 == 0)


def _strides(part: Part) -> list[int]:
    return (
        [stride * part.element_size() for stride in part.stride()] if isinstance(part, Tensor) else list(part.strides)
    )


def _whole(part: Part, begin: int, end: int) -> Tensor:
    """A copy of the bytes of the memory that an array lies in."""
    if isinstance(part, Tensor) and part.device.type != "cpu":
        return torch.empty(0, dtype=torch.uint8, device=part.device).set_(part.untyped_storage()).cpu().clone()
    return torch.frombuffer(bytearray(string_at(begin, end - begin)), dtype=torch.uint8)


def _alone(part: Part) -> Tensor:
    """A copy of an array; of one whose type a file of tensors does not have its bytes."""
    if isinstance(part, np.ndarray):
        plain = np.array(part, order="C")
        try:
            return _known(torch.from_numpy(plain))
        except (TypeError, ValueError):
            return torch.from_numpy(plain.reshape(-1).view(np.uint8))
    return _known(part.detach().cpu().clone(memory_format=torch.contiguous_format))


def _known(part: Tensor) -> Tensor:
    return part if part.dtype in KNOWN else torch.empty(0, dtype=torch.uint8).set_(part.untyped_storage())
