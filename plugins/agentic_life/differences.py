"""Differences between the circumstances of two runs, as their manifests tell them: versions, device, threads, code."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

from agentic.errors import shown

SINGLE = {  # keys of a manifest, in words
    **{key: key for key in ("platform", "threads", "device", "dtype", "seed")},
    "code": "code of agentic and plugins",
    "experiment": "experiment file",
}
OF_COMPONENT = ("plugin", "version", "sha256", "parameters", "files")


@final
@dataclass(frozen=True)
class Difference:
    """A thing that was another `then` than `now`, in words."""

    what: str
    then: str
    now: str

    def to_dict(self) -> dict[str, str]:
        """Plain values for JSON."""
        return asdict(self)


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    """The differences between two manifests, as far as the first says something."""
    for name, version in _table(then.get("versions")).items():
        yield from _pair(name, version, _table(now.get("versions")).get(name))
    for key, name in SINGLE.items():
        if key in then and key in now:
            yield from _pair(name, then[key], now[key])
    for key, value in _table(then.get("git")).items():
        yield from _pair(_git(key), value, _table(now.get("git")).get(key))
    if isinstance(then.get("components"), list) and "components" in now:
        yield from _apart(_components(then), _components(now))


def _apart(then: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> Iterator[Difference]:
    """The differences between components by name."""
    for name in dict.fromkeys([*then, *now]):
        if name not in then or name not in now:
            yield Difference(name, *("there" if name in each else "not there" for each in (then, now)))
            continue
        for key in OF_COMPONENT:
            if key in then[name]:
                yield from _pair(f"{name}: {key}", then[name][key], now[name].get(key))


def unknown_code(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether both ran from a repository with uncommitted changes, of which no manifest knows what they are."""
    return all(_table(each.get("git")).get("dirty") is True and "code" not in each for each in (then, now))


def _git(key: str) -> str:
    return "uncommitted changes" if key == "dirty" else f"git {key}"


def _components(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The rows of components by kind and name, numbered where there are several of one name; loggers decide nothing."""
    rows = manifest.get("components")
    found = dict[str, Mapping[str, Any]]()
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and row.get("kind") != "loggers":
            name = f"{row.get('kind')} {row.get('name')}"
            number = sum(each.partition(" (")[0] == name for each in found)
            found[f"{name} ({number + 1})" if number else name] = row
    return found


def _pair(what: str, then: Any, now: Any) -> Iterator[Difference]:
    if then != now:
        yield Difference(what, _words(then), _words(now))


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value[:12] if len(value) in (40, 64) and value.isalnum() else shown(value)[1:-1]
    return "not there" if value is None else shown(value)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
