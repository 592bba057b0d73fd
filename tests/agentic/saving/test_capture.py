"""Trees of objects captured, written as JSON and tensors, and put back into objects made anew: the same bits again."""

import json
import math
import random
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, Flag
from functools import cached_property
from itertools import count
from types import MappingProxyType
from typing import Any
from weakref import ref

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from safetensors.torch import load, save
from torch import nn

from agentic.saving import Fixtures, Unsavable, capture, restore
from agentic.saving.beside import Beside

Pair = namedtuple("Pair", "one other")


class Color(Enum):
    RED = 1
    BLUE = 2


class Slotted:
    __slots__ = ("__own", "part")

    def __init__(self, part: Any) -> None:
        self.part, self.__own = part, part


@dataclass(frozen=True)
class Frozen:
    part: Any
    more: Any = field(default=None, compare=False)


class Thing:
    unchanged = ("size",)

    def __init__(self, part: Any = None) -> None:
        self.part, self.size = part, 3

    def act(self) -> Any:
        return self.part

    def rest(self) -> str:
        return "rest"

    @cached_property
    def opaque(self) -> Any:
        return count()


class Own:
    """What says itself what its state is, and holds chance that its state leaves out."""

    def __init__(self) -> None:
        self.steps, self.chance, self.hidden = 0, np.random.default_rng(3), count()

    def get_state(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def set_state(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]


def again(thing: Any, fresh: Any, began: Any = None) -> Any:
    """The thing as it comes back where `fresh` was made anew, as `began` was in the beginning."""
    tree, tensors = capture(thing, Fixtures(thing if began is None else began))
    text = json.dumps(tree, allow_nan=False)
    return restore(json.loads(text), load(save(tensors)), fresh, Fixtures(fresh))


def same(one: Any, other: Any) -> bool:
    """Whether two trees are the same, to the bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())
    if isinstance(one, torch.Tensor):
        alike = one.is_contiguous() or one.stride() == other.stride()
        return one.dtype == other.dtype and alike and same(_array(one), _array(other))
    if isinstance(one, float):
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    if isinstance(one, dict | MappingProxyType):
        return len(one) == len(other) and all(
            same(a, b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, list | tuple | deque):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Thing | Frozen):
        return same(vars(one), vars(other))
    return bool(one == other)


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().numpy()


ARRAYS = st.builds(
    lambda kind, shape, seed: np.frombuffer(
        np.random.default_rng(seed).bytes(math.prod(shape) * np.dtype(kind).itemsize), kind
    ).reshape(shape),
    st.sampled_from(["<f4", "<f8", ">f8", "<i2", ">u4", "<u8", "<c16", "<M8[s]", "S3", "<f2"]),
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    st.integers(0, 99),
)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([4096, 20_000]).map(lambda bits: -(2**bits)),
    st.floats(),
    st.text(max_size=4),
    st.binary(max_size=4),
    st.complex_numbers(),
    st.sampled_from([*Color, torch.float32, np.dtype(">i4"), torch.device("cpu"), int, np.float32]),
    st.floats(width=32).map(np.float32),
    st.just(np.datetime64("2020-01-01T00:00:00")),
    st.just(torch.Size([2, 3])),
    ARRAYS,
    st.sampled_from([torch.complex128, torch.complex64, torch.uint16, torch.uint64, torch.int16]).map(
        lambda kind: torch.tensor([[1, 2], [3, 4]]).to(kind)
    ),
    ARRAYS.filter(lambda each: each.dtype.kind in "fi" and each.dtype.isnative).map(
        lambda each: torch.from_numpy(each.copy())
    ),
)
KEYS = st.one_of(st.text(max_size=3), st.integers(-3, 3), st.tuples(st.integers(0, 3), st.booleans()))
TREES = st.recursive(
    PLAIN,
    lambda part: st.one_of(
        st.lists(part, max_size=3),
        st.lists(part, max_size=3).map(tuple),
        st.lists(part, max_size=3).map(lambda each: deque(each, 5)),
        st.sets(KEYS, max_size=3),
        st.frozensets(KEYS, max_size=3),
        st.dictionaries(KEYS, part, max_size=3),
        st.dictionaries(KEYS, part, max_size=3).map(OrderedDict),
        st.dictionaries(KEYS, part, max_size=3).map(lambda each: defaultdict(list, each)),
        st.dictionaries(KEYS, part, max_size=3).map(MappingProxyType),
        st.lists(st.sampled_from("abc"), max_size=4).map(Counter),
        st.tuples(part, part).map(lambda each: Pair(*each)),
        part.map(Thing),
        part.map(Frozen),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_what_is_put_back_is_what_was_there_to_the_bit(part: Any) -> None:
    live = [Pair(0, 0), Thing(), Frozen(0), *Color]
    fresh = [None, [Pair(0, 0), Thing(), Frozen(0), *Color]]
    found = again([part, live], fresh, began=[None, live])
    assert same(found[0], part)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_views_of_the_same_memory_share_it_again(data: st.DataObject) -> None:
    """Whatever part of whose memory they are, of NumPy or of torch, in order or not."""
    base = np.arange(24.0).reshape(4, 6)
    views: list[Any] = []
    for _ in range(data.draw(st.integers(1, 4))):
        rows, columns = (slice(data.draw(st.integers(0, 1)), None, data.draw(st.integers(1, 2))) for _ in range(2))
        view: Any = base[rows, columns]
        view = data.draw(st.sampled_from([view, view.T, view[::-1], torch.from_numpy(view), torch.from_numpy(view).T]))
        views.append(view.numpy()[1:] if isinstance(view, torch.Tensor) and data.draw(st.booleans()) else view)
    found = again({"views": views}, {"views": None})["views"]
    assert all(map(same, views, found))
    for each in (views, found):
        each[0][0, 0] = -1.0
    assert all(map(same, views, found))


def test_an_array_and_a_tensor_that_begin_in_the_middle_share_memory_again() -> None:
    tensor = torch.zeros(10)
    view = tensor[3:].numpy()
    found = again({"view": view, "tensor": tensor}, {"view": None, "tensor": None})
    found["view"][0] = 7
    assert found["tensor"][3] == 7


def test_two_names_of_one_thing_are_two_names_of_one_thing_again() -> None:
    part, row = [1], bytearray(b"ab")
    loop: dict[str, Any] = {"part": part, "self": None, "row": row, "rows": [row], "cell": np.empty(1, object)}
    loop["self"], loop["cell"][0] = loop, loop
    found = again({"a": part, "b": loop}, {"a": [], "b": {}})
    assert found["a"] is found["b"]["part"]
    assert found["b"]["self"] is found["b"] is found["b"]["cell"][0]
    assert found["b"]["rows"][0] is found["b"]["row"] == b"ab"


def test_objects_stand_where_those_made_anew_stood() -> None:
    kept, color, slotted = Thing(), Frozen(Color.RED), Slotted(2.0)
    fresh = Thing([kept, color, slotted])
    made = Thing([Thing(5), Frozen(Color.RED), Slotted(-0.0)])
    made.size = 9
    assert again(made, fresh) is fresh
    assert fresh.part[0] is kept
    assert (kept.part, kept.size, fresh.size) == (5, 3, 3)
    assert fresh.part[1] is color
    assert fresh.part[2] is slotted
    assert math.copysign(1, slotted.part) == -1


def test_a_frozen_root_is_changed_in_place() -> None:
    fresh = Frozen(1)
    assert again(Frozen(2), fresh) is fresh
    assert fresh.part == 2


def test_what_is_worked_out_when_asked_for_is_left_out() -> None:
    made = Thing()
    assert made.opaque
    assert "opaque" not in vars(again(made, Thing()))


def test_a_state_that_a_thing_offers_is_its_own_and_its_chance_goes_on() -> None:
    made, fresh = Own(), Own()
    made.steps = 4
    made.chance.random(5)
    assert again(made, fresh) is fresh
    assert fresh.steps == 4
    assert fresh.chance.random() == made.chance.random()


def test_methods_are_those_of_the_objects_put_back() -> None:
    made, fresh = Thing(1), Thing(0)
    found = again([made, made.rest], [fresh, fresh.act], began=[made, made.act])
    assert found[1].__self__ is fresh
    assert found[1]() == "rest"


@pytest.mark.parametrize("name", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_every_stream_goes_on(name: str) -> None:
    made = np.random.Generator(getattr(np.random, name)(1))
    made.integers(9, size=7, dtype=np.uint32)
    fresh = np.random.Generator(np.random.MT19937())
    for found in (again([made], [fresh])[0], again([made], [None])[0]):
        assert found.bit_generator.state["bit_generator"] == name
        state = made.bit_generator.state
        assert found.integers(9, size=3, dtype=np.uint32).tolist() == made.integers(9, size=3, dtype=np.uint32).tolist()
        assert found.normal(size=700).tolist() == made.normal(size=700).tolist()
        made.bit_generator.state = state


def test_other_sources_of_chance_go_on() -> None:
    made: list[Any] = [random.Random(3), np.random.RandomState(3), torch.Generator().manual_seed(3)]
    made[0].gauss(0, 1), made[1].normal(), torch.rand(5, generator=made[2])
    fresh = [random.Random(), np.random.RandomState(), torch.Generator()]
    for found in (again(made, fresh), again(made, [None] * 3)):
        draws = [found[0].gauss(0, 1), found[1].normal(), torch.randn(3, generator=found[2]).tolist()]
        states = made[0].getstate(), made[1].get_state(), made[2].get_state()
        assert draws == [made[0].gauss(0, 1), made[1].normal(), torch.randn(3, generator=made[2]).tolist()]
        made[0].setstate(states[0]), made[1].set_state(states[1]), made[2].set_state(states[2])


class Learned:
    """A network that learns, with weights that are tied, a mean that is taken along, and gradients between steps."""

    def __init__(self, kind: Any) -> None:
        torch_seed = torch.Generator().manual_seed(5)
        self.net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 3))
        with torch.no_grad():
            for part in self.net.parameters():
                part.uniform_(-1, 1, generator=torch_seed)
        self.net[2].weight = self.net[0].weight
        self.optimizer = kind(self.net.parameters(), lr=0.1)
        self.rate = torch.optim.lr_scheduler.StepLR(self.optimizer, 2)
        self.mean = torch.optim.swa_utils.AveragedModel(self.net)

    def learn(self, steps: int) -> list[bytes]:
        for step in range(steps):
            loss = (self.net(torch.arange(6.0).reshape(2, 3) + step) ** 2).sum()
            loss.backward()  # gradients of the last step are still there
            self.optimizer.step()
            self.rate.step()
            self.mean.update_parameters(self.net)
        every = [*self.net.state_dict().values(), *self.mean.state_dict().values()]
        return [part.numpy().tobytes() for part in every]


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD, torch.optim.RMSprop, torch.optim.AdamW])
def test_learning_goes_on_to_the_bit(kind: Any) -> None:
    made, fresh = Learned(kind), Learned(kind)
    began = Fixtures(made)
    made.learn(3)
    weight = fresh.net[0].weight
    tree, tensors = capture(made, began)
    restore(json.loads(json.dumps(tree)), load(save(tensors)), fresh, Fixtures(fresh))
    assert fresh.net[0].weight is weight is fresh.net[2].weight is fresh.optimizer.param_groups[0]["params"][0]
    assert fresh.learn(3) == made.learn(3)


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")
def test_tensors_without_order_come_back() -> None:
    plain = torch.tensor([[0.0, 2.0], [3.0, 0.0]])
    for tensor in (plain.to_sparse_coo(), plain.to_sparse_csr(), plain.to_sparse_csc()):
        found = again([tensor], [None])[0]
        assert found.layout == tensor.layout
        assert found.to_dense().equal(plain)


def _itself() -> Any:
    inner: list[Any] = []
    inner.append((inner,))
    return inner[0]


def _deep() -> Any:
    found: list[Any] = []
    for _ in range(3000):
        found = [found]
    return found


class Number(float):
    pass


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (count(), r"\['b'\]\['c'\] is a count, whose state cannot be seen"),
        ((each for each in "ab"), "is a generator, whose state cannot be seen"),
        (lambda: 1, r"\['b'\]\['c'\] holds a function that was not there when the run began"),
        (Thing, "holds a type that was not there"),
        (Thing(1), "of which nothing was there when the run began"),
        (Thing(1).act, "holds a function that was not there"),
        (torch.ones(1, requires_grad=True) * 2, "part of a computation: detach it"),
        (torch.ones(1, dtype=torch.complex64).conj(), "of a kind that cannot be saved"),
        (torch.ones(1, device="meta"), "of a kind that cannot be saved"),
        (torch.ones(2, 2).to_mkldnn() if torch.backends.mkldnn.is_available() else count(), "cannot be s"),
        (np.zeros(2, [("a", "f4")]), "which cannot be saved"),
        (np.zeros(2, [("a", "f4")])[0], "which cannot be saved"),
        (np.ma.masked_array([1]), "is a MaskedArray, whose state cannot be seen"),
        (np.array(["a"], np.dtypes.StringDType()), "which cannot be saved"),
        (torch.max(torch.ones(1, 1), 0), "is a max, whose state cannot be seen"),
        (Number(1), "is a Number, whose state cannot be seen"),
        (_itself(), "that holds itself"),
        (_deep(), "too deep to follow"),
    ],
)
def test_what_cannot_be_saved_is_said_with_its_place(thing: Any, words: str) -> None:
    with pytest.raises(Unsavable, match=words):
        capture({"b": {"c": thing}}, Fixtures({}))


class Doubling(list[int]):
    """A list that puts in something else than it is given."""

    def append(self, number: int) -> None:
        super().append(2 * number)


class Recent(deque[int]):
    pass


class Telling(random.Random):
    """Chance that counts what it draws."""

    drawn = 0

    def random(self) -> float:
        self.drawn += 1
        return super().random() + self.drawn


class Mode(Flag):
    FAST = 1
    LOUD = 2


def test_containers_of_others_get_what_was_in_them() -> None:
    numbers, recent = Doubling(), Recent(maxlen=2)
    numbers.append(3)
    recent.extend([1, 2, 3])
    found = again({"numbers": numbers, "recent": recent}, {"numbers": Doubling(), "recent": Recent()})
    assert found["numbers"] == [6]
    assert (type(found["recent"]), list(found["recent"]), found["recent"].maxlen) == (Recent, [2, 3], 2)


def test_chance_of_others_goes_on_with_what_it_counts() -> None:
    made = {"one": Telling(3)}
    made["one"].random()
    found = again(made, {"one": Telling(1)})
    assert found["one"].random() == made["one"].random()


def test_streams_that_are_spawned_are_not_spawned_twice() -> None:
    made, fresh = {"one": np.random.default_rng(3)}, {"one": np.random.default_rng(3)}
    made["one"].spawn(2)
    assert again(made, fresh)["one"] is fresh["one"]
    assert fresh["one"].spawn(1)[0].random() == made["one"].spawn(1)[0].random()


def test_flags_texts_and_what_is_written_on_tensors_come_back() -> None:
    weight = nn.Parameter(torch.zeros(2))
    weight.count = 3  # type: ignore[attr-defined]
    made = {
        "flags": Mode.FAST | Mode.LOUD,
        "mode": Mode.FAST,
        "none": np.str_(""),
        "bytes": np.bytes_(b"ab"),
        "w": weight,
    }
    fresh = {"mode": Mode.LOUD, "w": nn.Parameter(torch.ones(2))}
    found = again(made, fresh, {"mode": Mode.LOUD})
    assert found["flags"] is Mode.FAST | Mode.LOUD
    assert (found["mode"], found["none"], found["bytes"]) == (Mode.FAST, "", b"ab")
    assert type(found["bytes"]) is np.bytes_
    assert found["w"] is fresh["w"]
    assert vars(found["w"])["count"] == 3


def test_memory_of_recurrent_nets_goes_on() -> None:
    """Their weights are pointed at by weak references, too."""
    made, fresh, seen = nn.LSTM(2, 3), nn.LSTM(2, 3), torch.ones(1, 1, 2)
    found = again({"net": made}, {"net": fresh})["net"]
    assert found is fresh
    assert all(
        each is not None and each() is weight
        for each, weight in zip(found._flat_weight_refs, found.parameters(), strict=True)
    )
    with torch.no_grad():
        assert torch.equal(found(seen)[0], made(seen)[0])


@pytest.mark.parametrize("numbers", [{8, 1}, set(range(100)), {(0, 1), (1.0, True)}])
def test_a_set_whose_order_would_be_another_is_named(numbers: set[Any]) -> None:
    large = {*range(1000), *numbers}
    for number in large - numbers:
        large.discard(number)
    lost = list[str]()
    capture({"large": large, "texts": {"a", "b"}, "fresh": {1, 2}}, Fixtures({}), lost)
    assert lost == ["the order of ['large'], which is a set"]


def test_what_is_worked_out_when_asked_for_and_moves_is_named() -> None:
    made, lost = Thing(), list[str]()
    assert made.opaque
    capture(made, Fixtures(made), lost)
    assert lost == ["opaque"]


class Broken:
    def get_state(self) -> Any:
        raise ValueError("not now")

    def set_state(self, state: Any) -> None: ...


class Clock:
    """Something that a weak reference points at."""


def hooked() -> torch.Tensor:
    tensor = torch.ones(2, requires_grad=True)
    tensor.register_hook(lambda grad: 2 * grad)
    return tensor


CLOCK, OBJECTS = Clock(), np.array([[1], None], object)


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (random.SystemRandom(), "is a SystemRandom, whose state cannot be seen"),
        (Broken(), "whose get_state broke, ValueError: not now"),
        (ref(CLOCK), "is a weak reference to what nothing else has"),
        (hooked(), "is a tensor with hooks"),
        ([OBJECTS, OBJECTS[1:]], "is an array of objects that shares them with another"),
        (np.random.default_rng(0).random, "whose state cannot be seen"),
    ],
)
def test_what_would_come_back_as_another_is_said(thing: Any, words: str) -> None:
    with pytest.raises(Unsavable, match=words):
        capture({"thing": thing}, Fixtures({"thing": thing}))


class Nameless(type):
    """As classes of some extensions: SWIG gives those of Box2D no module."""

    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise AttributeError("__module__")


class Grumpy:
    """What breaks when it is looked into."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        raise RuntimeError("do not look")


@pytest.mark.parametrize("thing", [Nameless("Odd", (), {"__slots__": ("a",)})(), Grumpy()], ids=["nameless", "grumpy"])
def test_what_cannot_be_looked_into_is_unsavable_at_most(thing: Any) -> None:
    tree = {"thing": thing}
    fixtures = Fixtures(tree)
    with suppress(Unsavable):
        capture(tree, fixtures)
    assert Beside(fixtures).changed() == []
