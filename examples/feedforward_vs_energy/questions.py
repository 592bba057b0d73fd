"""The questions by name, at full size or as small as shows that everything runs; and the settings that were chosen."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from . import conservation, latents, relations
from .study import Question, Setting

SETTINGS = Path(__file__).with_name("settings.toml")
#  question: numbers of data, in full and quick
SIZES = {
    "relations": ((30, 100, 300, 1000), (30,)),
    "one-sided": ((100, 1000), (30,)),
    "conservation": ((10, 30, 100, 300, 1000), (10,)),
    "latents": ((100, 300, 1000), (100,)),
}
SHARED = {"one-sided": "relations"}  # whose settings are those of another question


def questions(*, quick: bool = False) -> dict[str, Question]:
    """Every question by name."""
    sizes = {name: small if quick else full for name, (full, small) in SIZES.items()}
    found = (
        relations.question("relations", sizes["relations"], both=True),
        relations.question("one-sided", sizes["one-sided"], both=False),
        conservation.question(sizes["conservation"]),
        latents.question(sizes["latents"]),
    )
    return {question.name: question for question in found}


def chosen(*, quick: bool = False) -> Mapping[str, Mapping[str, Setting]]:
    """The setting of every learner, by question."""
    read = tomllib.loads(SETTINGS.read_text())
    least = {"updates": 20} if quick else {}
    found = {
        name: {learner: Setting(**(numbers | least)) for learner, numbers in part.items()}
        for name, part in read.items()
    }
    return found | {name: found[other] for name, other in SHARED.items()}
