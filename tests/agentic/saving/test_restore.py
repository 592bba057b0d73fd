"""Captures that somebody wrote: each is unfit, nothing of it is run, and no memory but its own is read."""

import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from agentic.saving import Fixtures, Unfit, restore
from agentic.saving.arrays import Memory

RAN: list[str] = []


class Part:
    """A thing of a run: it opens its `path` when it acts."""

    unchanged = ("path",)

    def __init__(self) -> None:
        self.path, self.number = Path("own"), 1

    def act(self) -> None:
        RAN.append("act")

    def get(self) -> Path:
        return self.path


class Closer:
    def __del__(self) -> None:
        RAN.append("closed")


class Maker(dict[str, Any]):
    def __new__(cls) -> "Maker":
        RAN.append("made")
        return super().__new__(cls)

    def __init__(self) -> None:
        RAN.append("begun")


class Looked:
    @property
    def look(self) -> Any:
        RAN.append("looked")
        return print


def tree() -> dict[str, Any]:
    part = Part()
    everything: dict[str, Any] = {"part": part, "act": part.act, "looked": Looked(), "rest": None}
    return everything | {"stream": np.random.default_rng(1), "old": np.random.RandomState(1), "os": os}


def put(node: Any, key: str = "rest", **saved: torch.Tensor) -> Any:
    """What comes back where this node is put under a key."""
    fresh = tree()
    restore({"dict": [[key, node]], "id": 10**6}, saved, fresh, Fixtures(fresh))
    return fresh["part"]


def array(**more: Any) -> dict[str, Any]:
    return {"array": "m", "shape": [2], "torch": "float32", "offset": 0, "strides": [4], **more}


PART = f"{__name__}:Part"
SOME = {"object": PART, "has": {"number": 1}}
ACT = {"fixed": "['act'].__func__"}
MT = {"bit_generator": "MT19937", "state": {"key": {"array": "k", "shape": [624], "numpy": "<u4"}}}


def table(found: Any) -> Any:
    """Plain tables as a capture has them."""
    return {"dict": [[key, table(part)] for key, part in found.items()]} if isinstance(found, dict) else found


NODES = {
    "unknown": {"exec": "import os"},
    "private": {"container": []},
    "empty": {},
    "no id": {"see": 77},
    "no vars": {"vars": 77},
    "no fixture": {"fixed": "['os'].system"},
    "class of a module": {"object": "subprocess:Popen", "has": {}},
    "class of os": {"object": "os:_wrap_close", "has": {}},
    "class of torch": {"object": "torch.package.package_importer:PackageImporter", "has": {}},
    "class of numpy": {"class": "numpy:memmap", "list": []},
    "path": {"object": "pathlib:PosixPath", "has": {"_raw_paths": ["/"]}},
    "closer": {"object": f"{__name__}:Closer"},
    "function": {"object": f"{__name__}:tree"},
    "another module's": {"object": f"{__name__}:Path"},
    "an exit": {"object": "builtins:SystemExit"},
    "a name in a class": {"object": f"{PART}.act"},
    "no class": {"object": 7},
    "class as value": {"cls": "subprocess:Popen"},
    "class of numpy as value": {"cls": "numpy:memmap"},
    "type": {"cls": "builtins:type"},
    "eval": {"cls": "builtins:eval"},
    "attribute of torch": {"type": "load"},
    "lazy module": {"type": "_inductor"},
    "hidden function": {"object": PART, "has": {"act": None}},
    "method by name": {"method": "act", "of": SOME},
    "method of others": {"method": {"fixed": "['looked']"}, "of": SOME},
    "method of another class": {"method": ACT, "of": {"object": f"{__name__}:Looked"}},
    "property": {"method": {"fixed": "['looked'].look"}, "of": {"object": f"{__name__}:Looked"}},
    "factory": {"dict": [], "class": "collections:defaultdict", "factory": {"cls": "os:abort"}},
    "factory of no dict": {"list": [], "class": "collections:defaultdict"},
    "enum": {"enum": PART, "member": "act"},
    "state of others": {"state": None, "of": PART, "chance": {}},
    "state of no Generator": {"state": {"bytes": "00"}, "of": "torch._C:Generator", "chance": {}},
    "stream of others": {"stream": table({"bit_generator": "__class__"})},
    "stream of none": {"stream": 3},
    "far in the stream": {"stream": table({**MT, "state": {**MT["state"], "pos": 10**6}})},  # type: ignore[dict-item]
    "before the stream": {"stream": table({**MT, "state": {**MT["state"], "pos": -5}})},  # type: ignore[dict-item]
    "far in the old one": {
        "state": {"tuple": ["MT19937", {"array": "k", "shape": [624], "numpy": "<u4"}, 10**6, 0, 0.0]},
        "of": "numpy.random.mtrand:RandomState",
        "chance": {},
    },
    "random": {"twister": {"tuple": [3, {"tuple": [1]}, None]}},
    "nothing of that name": array(array="n"),
    "objects": {"objects": [1, 2], "shape": [10**12]},
    "negative": array(offset=-4),
    "after the end": array(offset=4 * 7),
    "stride": array(strides=[4 * 8]),
    "stride back": array(strides=[-4], offset=4),
    "between": array(offset=2),
    "strides short": array(strides=[]),
    "strides long": array(strides=[4, 4]),
    "huge": array(shape=[2**62, 2**62], strides=[0, 4]),
    "huge and plain": {"array": "m", "shape": [2**62], "torch": "float32"},
    "less than nothing": {"array": "m", "shape": [-1, -8], "torch": "float32"},
    "not a number": array(shape=["x"]),
    "endless": array(shape=[float("inf")]),
    "gradient of whole numbers": {"array": "m", "shape": [8], "torch": "int32", "grad": True},
    "gradient of another shape": {"array": "m", "shape": [8], "torch": "float32", "slope": {"see": 10**6}},
    "no device": array(device="nowhere"),
    "writes": array(writes="many"),
    "numpy back": {**array(numpy="<f4", strides=[-4])},
    "numpy after": {**array(numpy="<f4", offset=28)},
    "numpy before": {**array(numpy="<f4", offset=-4)},
    "numpy overflow": {**array(numpy="<f4", shape=[2], strides=[2**63 - 4], offset=2**62)},
    "numpy objects": {**array(numpy="|O")},
    "numpy objects in fields": {**array(numpy="O,f4")},
    "number of objects": {"number": "00" * 8, "numpy": "|O"},
    "number of nothing": {"number": "", "numpy": "<f4"},
    "sparse": {"sparse": "sparse_coo", "shape": [1], "parts": [array(torch="int64", strides=[8]), array()]},
    "sparse of none": {"sparse": "strided", "shape": [1], "parts": []},
    "deque": {"deque": [], "most": -1},
    "deque of texts": {"deque": [1], "most": "x"},
    "unhashable": {"set": [{"list": []}]},
    "keys": {"dict": [[{"list": []}, 1]]},
    "pairs": {"dict": [1, 2]},
    "no pairs": {"dict": 3},
    "tuples": {"tuple": [1], "class": PART},
    "sets": {"set": [1], "class": "builtins:frozenset"},
    "hexadecimal": {"bytes": "zz"},
    "whole": {"int": "many"},
    "size": {"size": ["x"]},
    "complex": {"complex": ["a", "b"]},
    "float": {"float": "00"},
}


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
def test_hostile_captures_are_unfit(node: Any) -> None:
    RAN.clear()
    before = set(sys.modules)
    memory: dict[str, Any] = {"m": torch.zeros(8), "k": torch.zeros(624, dtype=torch.uint32)}
    with pytest.raises(Unfit):
        put(node, **memory)
    assert not RAN
    assert set(sys.modules) == before


def test_nested_too_deep_is_unfit() -> None:
    node: Any = {"list": []}
    for _ in range(100_000):
        node = {"list": [node]}
    with pytest.raises(Unfit, match="recursion"):
        put(node)
    while node["list"]:  # else its end is as deep
        node = node["list"][0]


def test_a_mapping_is_filled_without_the_code_of_its_class() -> None:
    fresh = {"maker": Maker()}
    RAN.clear()
    found = restore(
        {"dict": [["maker", {"dict": [["a", 1]], "class": f"{__name__}:Maker"}]]}, {}, fresh, Fixtures(fresh)
    )
    assert found["maker"] == {"a": 1}
    assert not RAN


def test_what_no_run_changes_stays_as_it_is() -> None:
    """The place of a file, for one."""
    part = put({"object": PART, "has": {"path": "/etc/passwd", "number": 2}}, "part")
    assert (part.path, part.number) == (Path("own"), 2)


def test_chance_of_a_state_is_chance() -> None:
    class Own:
        def __init__(self) -> None:
            self.path, self.draws = "own", np.random.default_rng(1)

        def get_state(self) -> None: ...

        def set_state(self, state: Any) -> None: ...

    for chance in (
        {"path": "/etc/passwd"},
        {"draws": "x"},
        {"get_state": {"twister": {"tuple": [3, {"tuple": [0] * 625}, None]}}},
    ):
        fresh = {"own": Own()}
        node = {"state": None, "of": f"{__name__}:{Own.__qualname__}", "chance": chance}
        with pytest.raises(Unfit):
            restore({"dict": [["own", node]]}, {}, fresh, Fixtures(fresh))
        assert fresh["own"].path == "own"


def test_every_view_of_memory_lies_in_it() -> None:
    """All offsets, strides and lengths about the bounds: what is given out reads the bytes that were saved, or none."""
    saved = torch.arange(6, dtype=torch.uint8)
    for kind, size in (("uint8", 1), ("int16", 2)):
        for offset in range(-3, 9):
            for stride in range(-6, 7):
                for length in range(-1, 6):
                    node = {"array": "m", "shape": [length], "offset": offset, "strides": [stride]}
                    last = offset + (length - 1) * stride
                    inside = length > 0 and 0 <= min(offset, last) and max(offset, last) + size <= 6
                    for name in ("torch", "numpy"):
                        try:
                            found = Memory({"m": saved}).part({**node, name: kind})
                        except (ValueError, RuntimeError):
                            assert not inside or name == "torch"
                            continue
                        assert inside
                        data = bytes(np.asarray(found)[-1:].tobytes())
                        assert data == bytes(range(last, last + size))


def test_a_default_made_by_a_function_of_the_tree_stays() -> None:
    made: dict[str, Any] = {"table": defaultdict(lambda: 3)}
    found = restore(
        {"dict": [["table", {"dict": [], "class": "collections:defaultdict", "factory": {"fixed": FACTORY}}]]},
        {},
        made,
        Fixtures(made),
    )
    assert found["table"]["x"] == 3


FACTORY = "['table'].default_factory"


def test_parameters_stay_the_objects_they_are() -> None:
    net = nn.Linear(2, 1, bias=False)
    weight = net.weight
    node = {"array": "m", "shape": [1, 2], "torch": "float32", "parameter": True, "grad": True}
    fresh = {"weight": weight}
    restore({"dict": [["weight", node]]}, {"m": torch.ones(1, 2)}, fresh, Fixtures(fresh))
    assert net.weight is weight
    assert net(torch.ones(1, 2)).item() == 2
