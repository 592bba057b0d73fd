"""No circle of imports anywhere: in what is installed, in the tests, in the tools of development, in the examples."""

from itertools import pairwise

from tests.house.import_graph import circle, import_graph
from tests.house.repository import module_name, python_files


def test_there_is_no_circle() -> None:
    files = {module_name(path): path for path in python_files()}
    assert len(files) == len(python_files()), "two files of one name"
    packages = [name for name, path in files.items() if path.name == "__init__.py"]
    graph = import_graph({name: path.read_text(encoding="utf-8") for name, path in files.items()}, packages)
    assert {"agentic.tick", "benchmarks.planning", "tests.agentic.worlds", "agentic_envs.tiger"} <= set(graph)
    assert sum(map(len, graph.values())) > len(graph), "too few arrows: is the graph read rightly?"
    found = circle(graph)
    assert not found, f"a circle of imports: {' -> '.join(found)}; give what they share a module of its own"


def test_a_circle_is_found_wherever_the_import_stands() -> None:
    sources = {
        "house": "",
        "house.a": "from house import b\n",
        "house.b": "def late():\n    from .c import Thing\n",
        "house.c": "import house.a\n",
    }
    assert import_graph(sources, ["house"]) == {
        "house": set(),
        "house.a": {"house.b"},
        "house.b": {"house.c"},
        "house.c": {"house.a"},
    }
    found = circle(import_graph(sources, ["house"]))
    assert found[0] == found[-1]
    assert set(found) == {"house.a", "house.b", "house.c"}
    ring = [*found, found[1]]
    assert ("house.a", "house.b") in pairwise(ring)


def test_annotations_and_a_package_around_it_make_no_circle() -> None:
    sources = {
        "house": "from .a import Thing\nimport os\n",
        "house.a": "from .c import x\nif TYPE_CHECKING:\n    from house import Thing\n",
        "house.c": "from house.d.e import y\n",
        "house.d": "from .e import y\n",
        "house.d.e": "",
    }
    graph = import_graph(sources, ["house", "house.d"])
    assert graph["house"] == {"house.a"}
    assert graph["house.a"] == {"house.c"}
    assert graph["house.c"] == graph["house.d"] == {"house.d.e"}
    assert circle(graph) == []
