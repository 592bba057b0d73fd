"""A chain of springs: it moves as its matrices say, shows what is seen, and what is beside it is apart."""

import gymnasium
import numpy as np
import pytest

from agentic_envs.planted.beside import Beside
from agentic_envs.planted.springs import Chain, SpringChain
from agentic_envs.point_mass import PointMass


def test_it_moves_as_its_matrices_say() -> None:
    env = SpringChain(masses=3, seen=[0, 2], pushed=[1], sensor_noise=0.0, physics={"noise": 0.0})
    system = env.linear_system()
    env.reset(seed=0)
    z = np.zeros(6)
    for a in (1.0, -0.5, 0.25, 0.0):
        seen, *_ = env.step(np.array([a], np.float32))
        z = system.A.numpy() @ z + system.B.numpy() @ [a]
        np.testing.assert_allclose(env.state, z, atol=1e-12)
        np.testing.assert_allclose(seen, system.C.numpy() @ z, rtol=1e-6)
    assert env.world_state()["position"].tolist() == z[:3].tolist()


def test_noise_is_as_wide_as_they_say() -> None:
    env = SpringChain(steps=3000)
    system = env.linear_system()
    env.reset(seed=1)
    left = []
    for _ in range(3000):
        before = env.state
        env.step(np.zeros(1, np.float32))
        left.append(env.state - system.A.numpy() @ before)
    np.testing.assert_allclose(np.cov(np.array(left).T), system.Q.numpy(), atol=0.003)


def test_two_masses_pull_each_other_and_two_apart_do_not() -> None:
    A = Chain(3, hold=1.0, stiffness=0.5, damping=0.9, dt=0.1).A
    np.testing.assert_allclose(A[3:, :3], 0.1 * np.array([[-1.5, 0.5, 0], [0.5, -2.0, 0.5], [0, 0.5, -1.5]]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"masses": 0}, "masses must be a whole number"),
        ({"seen": [4]}, "must be lists of masses from 0 to 3"),
        ({"physics": {"dt": 0.0}}, "dt must be"),
        ({"physics": {"damping": 0.0}}, "not stable"),
    ],
)
def test_what_makes_no_chain_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SpringChain(**given)  # type: ignore[arg-type]


def test_what_is_beside_a_world_changes_nothing_in_it() -> None:
    alone, other = PointMass(noise=0.1), Beside(PointMass(noise=0.1), masses=2)
    for env in (alone, other):
        env.reset(seed=3)
    for _ in range(5):
        one, two = (env.step(np.array([0.5, -0.5], np.float32)) for env in (alone, other))
        assert (one[0] == two[0]).all()
        assert one[1:4] == two[1:4]
    state = other.world_state()
    assert np.asarray(state["position"]).tolist() == alone.position.tolist()
    assert np.abs(np.asarray(state["beside_position"])).min() > 0


def test_what_is_beside_it_has_the_seed_of_the_world_and_goes_on() -> None:
    def moved(seed: int, env: Beside) -> list[float]:
        env.reset(seed=seed)
        env.step(env.action_space.sample())
        env.reset()
        env.step(env.action_space.sample())
        return list(np.asarray(env.world_state()["beside_velocity"]))

    assert moved(1, Beside.example()) == moved(1, Beside.example())
    assert moved(1, Beside.example()) != moved(2, Beside.example())


def test_it_is_known_by_its_id() -> None:
    assert gymnasium.make("agentic/SpringChain-v0").unwrapped.observation_space.shape == (2,)
