"""The pictures of empowerment can be drawn, and show what they are drawn for."""

from pathlib import Path

import matplotlib
import numpy as np

from figures import empowerment


def test_where_a_pendulum_is_most_in_control_is_a_matter_of_the_noise() -> None:
    angles = np.linspace(-np.pi, np.pi, 73)
    readout = [empowerment.pendulum(angle, 20, noise=0.01, process_noise=0.0) for angle in angles]
    process = [empowerment.pendulum(angle, 20, noise=0.0, process_noise=0.01) for angle in angles]
    assert angles[np.argmax(readout)] == 0
    assert abs(angles[np.argmax(process)]) == np.pi / 2


def test_pictures_are_drawn(tmp_path: Path) -> None:
    matplotlib.use("svg")
    paths = list(empowerment.draw(tmp_path))
    assert [path.name.removeprefix("empowerment_") for path in paths] == [
        "lake.svg", "cliff.svg", "taxi.svg", "maze.svg", "pendulum.svg"
    ]  # fmt: skip
    assert all(path.stat().st_size > 10_000 for path in paths)
