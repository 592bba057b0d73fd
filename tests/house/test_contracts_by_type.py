"""A contract is a type: nothing of ours is found by its name, and nobody asks whether a method was overridden."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.repository import FOLDERS, ROOT

POLICY = "a third party's policy: Stable-Baselines3's, a function, anything that predicts"
GYMNASIUM = "Gymnasium's own classes, of which only some have it"
COMPONENT = "a component is whatever class or function a plugin offers; from_env is optional"
OTHERS = "a module or a distribution that somebody else wrote"
MINARI = "Minari's data sets"
ARRAY = "whatever comes in, an array or not"
STATE = "a state is a value of the agent's own, of any type"
SYSTEM = "what not every system has"
SAVED = "anybody's objects are looked into, which promise nothing"
KIT = "the kit reports what a component lacks, in a sentence"

# (file, name that is looked for): whose it is. Dynamic names stand as they are written.
ALLOWED = {
    ("agentic/agents/policy_agent.py", "predict"): POLICY,
    ("agentic/agents/policy_agent.py", "__name__"): POLICY,
    ("agentic/agents/policy_agent.py", "policy"): POLICY,
    ("agentic/agents/policy_agent.py", "get_distribution"): POLICY,
    ("agentic/experiments/agent_file.py", "predict"): POLICY,
    ("agentic/metrics/subject.py", "predict"): POLICY,
    ("agentic/metrics/subject.py", "iterate_episodes"): MINARI,
    ("agentic/runs/minari.py", "dataset_id"): MINARI,
    ("agentic/runs/minari.py", "spec"): MINARI,
    ("agentic/environments/environment.py", "spec"): GYMNASIUM,
    ("agentic/environments/states.py", "data"): GYMNASIUM,
    ("agentic/environments/states.py", "qpos"): GYMNASIUM,
    ("agentic/environments/states.py", "state"): GYMNASIUM,
    ("agentic/environments/states.py", "s"): GYMNASIUM,
    ("agentic/environments/transparent.py", "envs"): GYMNASIUM,
    ("agentic/environments/pomdp.py", "P"): GYMNASIUM,
    ("agentic/environments/pomdp.py", "initial_state_distrib"): GYMNASIUM,
    ("agentic/environments/pomdp.py", "fickle_passenger"): GYMNASIUM,
    ("agentic/testing/environments.py", "shape"): ARRAY,
    ("agentic/testing/environments.py", "dtype"): ARRAY,
    ("agentic/engine/state.py", "where"): STATE,
    ("agentic/engine/state.py", "_make"): STATE,
    ("agentic/plugins/making.py", "from_env"): COMPONENT,
    ("agentic/plugins/parameters.py", "from_env"): COMPONENT,
    ("agentic/experiments/worlds.py", "__module__"): COMPONENT,
    ("agentic/experiments/worlds.py", "__version__"): OTHERS,
    ("agentic/experiments/worlds.py", "__all__"): OTHERS,
    ("agentic/experiments/worlds.py", "wanted"): OTHERS,
    ("agentic/experiments/worlds.py", "metadata"): OTHERS,
    ("agentic/front/installed.py", "command"): OTHERS,
    ("agentic/jobs/executor.py", "sched_getaffinity"): SYSTEM,
    ("agentic/jobs/lock.py", "O_NOFOLLOW"): SYSTEM,
    ("agentic/jobs/lock.py", "O_NONBLOCK"): SYSTEM,
    ("agentic/plugins/discover.py", "_path"): OTHERS,
    ("agentic/plugins/loading.py", "AGENTIC_API"): OTHERS,
    ("agentic/plugins/loading.py", "__dict__"): OTHERS,
    ("agentic/runs/recorder.py", "strerror"): "any exception: those of the operating system have one",
    (
        "agentic/testing/agents.py",
        "model",
    ): "an agent may show what world it is for; the kit has one of its own",
    ("agentic/testing/agents.py", "outcome"): "the same",
    ("agentic/testing/agents.py", "action"): "the same",
    ("agentic/testing/learners.py", "model"): "a learner may show what it changes; the kit skips what it cannot see",
    ("agentic/testing/models.py", "name"): KIT,
    ("agentic/saving/capture.py", "unchanged"): SAVED,
    ("agentic/saving/capture.py", "__dict__"): SAVED,
    ("agentic/saving/capture.py", "__del__"): SAVED,
    ("agentic/saving/capture.py", "name"): SAVED,
    ("agentic/saving/restore.py", "unchanged"): SAVED,
    ("agentic/saving/restore.py", "__dict__"): SAVED,
    ("agentic/saving/restore.py", "__self__"): SAVED,
    ("agentic/saving/restore.py", "__dataclass_params__"): SAVED,
    ("agentic/saving/restore.py", "__dataclass_fields__"): SAVED,
    ("agentic/saving/values.py", "__dict__"): SAVED,
    ("agentic/saving/values.py", "name"): SAVED,
}


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def looked_for(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """What is found by name: `hasattr`, `getattr` of a name written out, and `getattr` that may find nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
            name = node.args[1]
            written = isinstance(name, ast.Constant)
            if node.func.id == "hasattr" or (node.func.id == "getattr" and (written or len(node.args) > 2)):
                yield str(name.value) if isinstance(name, ast.Constant) else ast.unparse(name), node.lineno


def identities(tree: ast.Module) -> Iterator[int]:
    """Lines that compare a method of an object or of its class with that of a contract, by identity or equality."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
            continue
        sides = [each for each in (node.left, *node.comparators) if isinstance(each, ast.Attribute)]
        named = [each for each in sides if isinstance(each.value, ast.Name) and _is_class(each.value.id)]
        if len(sides) == 2 and len(named) > 0 and sides[0].attr == sides[1].attr:
            yield node.lineno


def _is_class(name: str) -> bool:
    return name[0].isupper() and not name.isupper()


def test_the_core_finds_nothing_of_its_own_by_name() -> None:
    found = {(file, name): line for file, tree in trees("agentic") for name, line in looked_for(tree)}
    new = [f"{file}:{found[file, name]} looks for {name!r}" for file, name in found if (file, name) not in ALLOWED]
    assert not new, "give the contract a member with a default and call it, or ask isinstance: " + "; ".join(new)


def test_what_is_allowed_is_still_there() -> None:
    found = {(file, name) for file, tree in trees("agentic") for name, _ in looked_for(tree)}
    assert set(ALLOWED) <= found, f"no longer looked for, take it off the list: {sorted(set(ALLOWED) - found)}"


def test_nobody_asks_whether_a_method_was_overridden() -> None:
    found = [f"{file}:{line}" for file, tree in trees(*FOLDERS) for line in identities(tree)]
    assert not found, "a default belongs into the contract, or the method into one of its own: " + ", ".join(found)


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("type(self).gradient is not Energy.gradient", True),
        ("cls.alive is Model.alive", True),
        ("Energy.gradient != type(self).gradient", True),
        ("metric.access is Access.MODEL", False),
        ("UNIFORM.access is OWN.access is Access.MODEL", False),
        ("self.target is None", False),
    ],
)
def test_the_rule_knows_what_it_looks_for(code: str, caught: bool) -> None:
    assert bool(list(identities(ast.parse(code)))) is caught


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("hasattr(part, 'for_env')", "for_env"),
        ("getattr(agent, 'selection', None)", "selection"),
        ("getattr(agent, 'selection')", "selection"),
        ("getattr(table, field)", None),
        ("getattr(table, field, None)", "field"),
    ],
)
def test_and_what_is_looking_by_name(code: str, name: str | None) -> None:
    assert [found for found, _ in looked_for(ast.parse(code))] == ([] if name is None else [name])
