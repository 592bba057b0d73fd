"""R15 and R24: on linear-Gaussian models, predicting and minimizing is the Kalman filter (Kalman 1960)."""

import numpy as np
import torch
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torch.testing import assert_close

from agentic import Belief, Evidence, Gaussian, Objective, Point, Real, minimize
from agentic_energies.linear_gaussian import LinearGaussian
from agentic_optimizers.newton import Newton

F64 = torch.float64
HALF = 5e-7  # half a unit of the sixth printed digit
Array = NDArray[np.float64]


def seen_under(model: LinearGaussian, belief: Belief) -> Gaussian:
    """What is expected to be observed."""
    seen = model.emit(belief)
    assert isinstance(seen, Gaussian)
    return seen


def perceive(model: LinearGaussian, predicted: Belief, obs: Tensor) -> Gaussian:
    """One Newton step on the evidence of `obs`."""
    assert isinstance(predicted, Gaussian)
    belief = minimize(Evidence(model, obs, predicted), Newton(), predicted.mean, steps=1).belief
    assert isinstance(belief, Gaussian)
    return belief


class TestR15:
    """x' = x + N(0, .1), y = x + N(0, .5), prior N(0, 1) one step before the first of y = 1, .8, 1.2."""

    model = LinearGaussian([[1.0]], [[0.0]], Q=[0.1], R=[0.5])
    seen = torch.tensor([1.0, 0.8, 1.2], dtype=F64).reshape(3, 1, 1)
    still = torch.zeros(1, 1, dtype=F64)

    def test_means_and_variances(self) -> None:
        belief: Belief = self.model.begin(1)
        means, variances = [], []
        for obs in self.seen:
            belief = perceive(self.model, self.model.predict(belief, self.still), obs)
            means.append(belief.mean)
            variances.append(belief.covariance)
        expected = torch.tensor([[0.6875, 0.740397, 0.924822], [0.34375, 0.235099, 0.200634]], dtype=F64)
        assert_close(torch.stack(means).flatten(), expected[0], atol=HALF, rtol=0)
        assert_close(torch.stack(variances).flatten(), expected[1], atol=HALF, rtol=0)

    def test_an_argmin_in_place_of_the_prediction_is_wrong(self) -> None:
        """Handing on the best guess alone forgets how uncertain it was: too slow, and much too sure of itself."""
        belief: Belief = self.model.begin(1)
        means, variances = [], []
        for obs in self.seen:
            settled = perceive(self.model, self.model.predict(Point(belief.mean), self.still), obs)
            means.append(settled.mean)
            variances.append(settled.covariance)
            belief = settled
        expected = torch.tensor([[0.1667, 0.2722, 0.4269], [0.0833, 0.0833, 0.0833]], dtype=F64)
        assert_close(torch.stack(means).flatten(), expected[0], atol=5e-5, rtol=0)
        assert_close(torch.stack(variances).flatten(), expected[1], atol=5e-5, rtol=0)


class System:
    """A random stable system with everything in it, and `steps` observations drawn from it."""

    def __init__(self, seed: int, steps: int = 10) -> None:
        draws = np.random.default_rng(seed)
        n, k, o = draws.integers(1, 5), draws.integers(1, 3), draws.integers(1, 4)
        A = draws.normal(size=(n, n))
        self.A = A / max(1.0, float(np.abs(np.linalg.eigvals(A)).max()))
        self.B, self.C = draws.normal(size=(n, k)), draws.normal(size=(o, n))
        self.c, self.d, self.mean = draws.normal(size=n), draws.normal(size=o), draws.normal(size=n)
        self.Q, self.R, self.P = (self._spread(draws, int(size)) for size in (n, o, n))
        self.model = LinearGaussian(
            self.A, self.B, Q=self.Q, R=self.R, C=self.C, c=self.c, d=self.d, mean=self.mean, covariance=self.P
        )
        self.actions = draws.normal(size=(steps, k))
        self.seen = self._observations(draws)

    @staticmethod
    def _spread(draws: np.random.Generator, size: int) -> Array:
        root = draws.normal(size=(size, size))
        return root @ root.T + 0.05 * np.eye(size)

    def _observations(self, draws: np.random.Generator) -> Array:
        z, seen = draws.multivariate_normal(self.mean, self.P), []
        for action in self.actions:
            z = self.A @ z + self.B @ action + self.c + draws.multivariate_normal(np.zeros(len(z)), self.Q)
            seen.append(self.C @ z + self.d + draws.multivariate_normal(np.zeros(len(self.R)), self.R))
        return np.array(seen)

    def kalman(self) -> list[tuple[Array, Array, Array, Array]]:
        """The textbook filter in gain form: predicted mean and covariance, filtered mean and covariance."""
        m, P, steps = self.mean, self.P, []
        for action, y in zip(self.actions, self.seen, strict=True):
            ahead, spread = self.A @ m + self.B @ action + self.c, self.A @ P @ self.A.T + self.Q
            gain = spread @ self.C.T @ np.linalg.inv(self.C @ spread @ self.C.T + self.R)
            m, P = ahead + gain @ (y - self.C @ ahead - self.d), spread - gain @ self.C @ spread
            steps.append((ahead, spread, m, P))
        return steps

    def joint_precision(self) -> Array:
        """Second derivatives of -log p(z_0, ..., z_T, y_1, ..., y_T) in all latents."""
        n, steps = len(self.A), len(self.seen)
        H = np.zeros(((steps + 1) * n, (steps + 1) * n))
        H[:n, :n] = np.linalg.inv(self.P)
        move = np.concatenate([-self.A, np.eye(n)], 1)
        for t in range(steps):
            both, new = slice(t * n, (t + 2) * n), slice((t + 1) * n, (t + 2) * n)
            H[both, both] += move.T @ np.linalg.solve(self.Q, move)
            H[new, new] += self.C.T @ np.linalg.solve(self.R, self.C)
        return H


def row(array: Array) -> Tensor:
    return torch.from_numpy(array).unsqueeze(0)


def filtered(system: System) -> list[tuple[Gaussian, Gaussian]]:
    """Ours: predicted and filtered beliefs."""
    belief, steps = system.model.begin(1), []
    for action, y in zip(system.actions, system.seen, strict=True):
        predicted = system.model.predict(belief, row(action))
        settled = perceive(system.model, predicted, row(y))
        steps.append((predicted, settled))
        belief = settled
    return steps


class Trajectory(Objective):
    """The model's own energies summed over a trajectory, with every latent free at once."""

    def __init__(self, system: System) -> None:
        self.model, self.steps = system.model, len(system.seen)
        self.actions, self.seen = torch.from_numpy(system.actions), torch.from_numpy(system.seen)

    @property
    def domain(self) -> Real:
        return Real(((self.steps + 1) * self.model.latent.size,))

    def __call__(self, z: Tensor) -> Tensor:
        path = z.reshape(*z.shape[:-1], self.steps + 1, -1)
        moved = self.model.transition((path[..., :-1, :], self.actions), path[..., 1:, :]).sum(-1)
        observed = self.model.observation(path[..., 1:, :], self.seen).sum(-1)
        value: Tensor = self.model.prior(None, path[..., 0, :]) + moved + observed
        return value


class TestR24:
    """The prediction is the push-forward of the belief, never the best next latent."""

    def test_a_hundred_random_systems_of_ten_steps_match_the_kalman_filter(self) -> None:
        for seed in range(100):
            system = System(seed)
            for (predicted, settled), (m, P, mean, covariance) in zip(filtered(system), system.kalman(), strict=True):
                assert_close(predicted.mean, row(m), atol=1e-9, rtol=1e-9)
                assert_close(predicted.covariance, row(P), atol=1e-9, rtol=1e-9)
                assert_close(settled.mean, row(mean), atol=1e-9, rtol=1e-9)
                assert_close(settled.covariance, row(covariance), atol=1e-9, rtol=1e-9)

    def test_the_last_belief_is_a_marginal_of_the_joint_posterior(self) -> None:
        """The last block of the inverse of the joint Hessian; the inverse of its last block is the wrong argmin's."""
        shrunk = 0
        for seed in range(100):
            system, n = System(seed), len(System(seed).A)
            covariance = filtered(system)[-1][1].covariance[0].numpy()
            H = system.joint_precision()
            np.testing.assert_allclose(covariance, np.linalg.inv(H)[-n:, -n:], rtol=1e-8, atol=1e-8)
            shrunk += np.trace(np.linalg.inv(H[-n:, -n:])) < 0.99 * np.trace(covariance)
        assert shrunk > 90

    def test_lowering_all_latents_at_once_ends_at_the_filters_last_belief_and_evidence(self) -> None:
        for seed in range(3):
            system = System(seed, steps=5)
            n, solution = len(system.A), minimize(Trajectory(system), Newton(), steps=1)
            belief, last = solution.belief, filtered(system)[-1][1]
            assert isinstance(belief, Gaussian)
            assert_close(belief.mean[:, -n:], last.mean, atol=1e-8, rtol=1e-8)
            assert_close(belief.covariance[:, -n:, -n:], last.covariance, atol=1e-8, rtol=1e-8)
            spent = torch.zeros(1, dtype=F64)
            for (predicted, _), y in zip(filtered(system), system.seen, strict=True):
                spent = spent + seen_under(system.model, predicted).energy(row(y))
            assert_close(solution.value, spent, atol=1e-8, rtol=1e-8)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1))
def test_one_newton_step_is_the_kalman_update_from_any_start(seed: int) -> None:
    """Given the predicted belief; and the free energy there is minus log p(y), the prediction's own."""
    system, draws = System(seed, steps=1), np.random.default_rng(seed)
    predicted = system.model.predict(system.model.begin(1), row(system.actions[0]))
    evidence = Evidence(system.model, row(system.seen[0]), predicted)
    start = predicted.mean + row(draws.normal(size=len(system.A)))
    solution = minimize(evidence, Newton(), start, steps=1)
    _, _, mean, covariance = system.kalman()[0]
    assert isinstance(solution.belief, Gaussian)
    assert_close(solution.belief.mean, row(mean), atol=1e-8, rtol=1e-8)
    assert_close(solution.belief.covariance, row(covariance), atol=1e-9, rtol=1e-9)
    assert_close(solution.value, seen_under(system.model, predicted).energy(row(system.seen[0])), atol=1e-8, rtol=1e-8)
