"""Ensembles: what their plans gain, how they learn, whose course a particle follows, what a latent remembers."""

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from agentic import (
    Box,
    Decision,
    ExpectedEnergy,
    Gaussian,
    Particles,
    Point,
    Purpose,
    Real,
    Replay,
    Simplex,
    Step,
    Tick,
    UserError,
)
from agentic.tick import Native
from agentic_energies.ensemble import Ensemble
from agentic_energies.gains import Disagreement, JointGain
from agentic_energies.goals import PredictedReward, QuadraticGoal
from agentic_energies.latent_layout import Layout
from agentic_optimizers.gradient_learner import GradientLearner

F64 = torch.float64
A, B = torch.tensor([[0.9, 0.2], [-0.3, 0.8]]), torch.tensor([[0.0], [0.5]])
NOISE = 0.05


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tick(obs: Tensor, action: Tensor, after: Tensor, t: int = 0, reward: object = 0.0, ended: object = False) -> Tick:
    """One step of episode 0 in every row."""
    rows = len(obs)
    flags, episode, time = np.zeros(rows, bool), np.zeros(rows, np.int64), np.full(rows, t)
    rewards, ends = (np.broadcast_to(np.asarray(each), rows) for each in (reward, ended))
    decision, native = Decision(action), Native(None, None, None)
    return Tick(
        obs, action, after, rewards.astype(float), ends.astype(bool), flags, ~flags, episode, time, decision, native
    )


def truth(obs: Tensor, action: Tensor) -> Tensor:
    return obs @ A.T + action @ B.T


def taught(model: Ensemble, seed: int, updates: int, **parameters: float) -> GradientLearner:
    """A learner of a noisy linear system that has seen 400 steps and has gone over them once."""
    draws = source(seed)
    learner = GradientLearner(model, every=10**6, updates=updates, **parameters)  # type: ignore[arg-type]
    learner.start(generator=draws)
    for t in range(20):
        obs, action, noise = (torch.randn(20, n, generator=draws) for n in (2, 1, 2))
        learner.update(tick(obs, action, truth(obs, action) + NOISE * noise, t))
    learner.study()
    return learner


def example() -> Ensemble:
    """The example in float64, its linear part and scales not trivial."""
    model = Ensemble.example().double()
    t, draws = model.transition, source(1)
    for buffer in (t.linear, t.shift, t.center):
        buffer.copy_(0.3 * torch.randn(buffer.shape, generator=draws, dtype=F64))
    t.scale.mul_(2.0)
    return model


def alone(model: Ensemble, member: int, z: Tensor, action: Tensor) -> Tensor:
    """The mean of z' of one member, written out."""
    t = model.transition
    x = (torch.cat([z, action], -1) - t.center) / t.scale
    h, weights = x, [weight[member] for weight in t.network.weights]
    for k, (weight, bias) in enumerate(zip(weights, t.network.biases, strict=True)):
        h = (torch.nn.functional.silu(h) if k else h) @ weight + bias[member]
    return z + t.shift + x @ t.linear + t.step * h[:, : t.layout.learned]


class TestGainOfPlans:
    def test_it_is_credited_at_the_end_of_a_plan_and_bounded(self) -> None:
        model = Ensemble.example()
        purpose = Purpose(QuadraticGoal([1.0, 1.0]), horizon=3, gain=JointGain("weights"))
        belief = Gaussian(torch.zeros(4, 2), 0.1 * torch.eye(2).expand(4, 2, 2))
        parts = ExpectedEnergy(model, belief, purpose).terms(torch.randn(6, 4, 3, 1, generator=source()))
        gain = parts["latent_parameter_gain"].detach()
        assert gain.shape == (6, 4)
        assert bool((gain > 0).all())
        assert bool((gain <= log(3) + 1e-6).all())

    def test_longer_paths_teach_more(self) -> None:
        model, z = Ensemble.example(), torch.zeros(2, 2)
        steps = [Step(Point(z), torch.full((2, 1), force), Point(z)) for force in (0.1, -0.4)]
        short, long = (model.parameter_gain(steps[:n])["latent_parameter_gain"] for n in (1, 2))
        assert bool((long >= short).all())

    def test_disagreement_is_the_members_variance(self) -> None:
        model, action = example(), torch.full((3, 1), 0.7, dtype=F64)
        belief = model.initial_belief(Point(torch.randn(3, 2, generator=source(), dtype=F64)))
        after = model.predict(belief, action)
        _, gains = Disagreement(2.5).step(model, None, Step(belief, action, after), True)
        means = torch.stack([alone(model, k, belief.z[k], action) for k in range(3)])
        assert_close(gains["disagreement"], 2.5 * means.var(0, correction=0).sum(-1))

    def test_it_lowers_the_expected_energy(self) -> None:
        model, belief = Ensemble.example(), Point(torch.zeros(1, 2))
        plan = torch.ones(1, 1, 2, 1)
        plain, curious = (
            ExpectedEnergy(model, belief, Purpose(QuadraticGoal([1.0, 1.0]), horizon=2, gain=gain))
            for gain in (None, Disagreement(3.0))
        )
        bonus = curious.terms(plan)["disagreement"]
        assert bool((bonus > 0).all())
        assert_close(curious(plan), plain(plan) - bonus)

    def test_without_particles_it_is_refused(self) -> None:
        step = Step(Point(torch.zeros(1, 2)), torch.zeros(1, 1), Point(torch.zeros(1, 2)))
        with pytest.raises(UserError, match="a particle for each member, got a Point of Ensemble"):
            Disagreement().step(Ensemble.example(), None, step, True)
        with pytest.raises(UserError, match="weight > 0"):
            Disagreement(0.0)


class TestLearning:
    def test_a_noisy_linear_system(self) -> None:
        model = Ensemble(Real((2,)), Real((1,)), members=3, hidden=(16,))
        learner = taught(model, 0, 200, batch=64)
        draws = source(9)
        obs, action = torch.randn(300, 2, generator=draws), torch.randn(300, 1, generator=draws)
        with torch.no_grad():
            means, _ = model.transition.shared(obs, action)
        error = (means.mean(0) - truth(obs, action)).square().mean().sqrt()
        assert float(error) < 0.3 * NOISE
        assert model.version == 1
        assert learner.replay.total == 400

    def test_its_noise_is_found(self) -> None:
        model = Ensemble(Real((2,)), Real((1,)), members=3, hidden=(16,))
        taught(model, 0, 200, batch=64)
        draws = source(9)
        obs, action = torch.randn(300, 2, generator=draws), torch.randn(300, 1, generator=draws)
        with torch.no_grad():
            _, variances = model.transition.shared(obs, action)
        assert variances.mean().sqrt().item() == pytest.approx(NOISE, rel=0.25)

    def test_where_nothing_was_seen_the_members_disagree_more(self) -> None:
        model = Ensemble(Real((2,)), Real((1,)), members=5, hidden=(16,))
        taught(model, 0, 200, batch=64)
        near, far = (torch.full((1, 2), where) for where in (0.3, 8.0))
        with torch.no_grad():
            spreads = [model.transition.shared(z, torch.zeros(1, 1))[0].var(0).sum() for z in (near, far)]
        assert float(spreads[1]) > 10 * float(spreads[0])

    def test_bootstrap_shares_differ_between_members(self) -> None:
        model, replay = Ensemble(Real((2,)), Real((1,)), members=3, bootstrap=True), Replay()
        obs = torch.randn(50, 2, generator=source())
        replay.add(tick(obs, obs[:, :1], obs))
        shares = model.dataset(replay, generator=source())[2]
        assert shares.shape == (50, 3)
        assert not torch.equal(shares[:, 0], shares[:, 1])
        assert_close(shares, shares.round())

    def test_the_prior_is_where_it_has_been(self) -> None:
        model, replay = Ensemble(Real((2,)), Real((1,))), Replay()
        obs = torch.tensor([3.0, -1.0]) + 0.1 * torch.randn(200, 2, generator=source())
        replay.add(tick(obs, obs[:, :1], obs))
        model.dataset(replay, generator=source())
        begun = model.begin(4)
        assert_close(begun.mean, obs.mean(0).expand(4, 2))

    def test_reward_and_ending(self) -> None:
        """The reward is -x - 3 a, and the world ends where x > 0.5."""
        model = Ensemble(Real((1,)), Real((1,)), members=3, hidden=(16,), reward=True, mortal=True)
        learner, draws = GradientLearner(model, every=10**6, updates=300, batch=64, rate=3e-3), source()
        learner.start(generator=draws)
        for t in range(20):
            obs, action = (2 * torch.rand(20, 1, generator=draws) - 1 for _ in range(2))
            place, reward = obs + 0.3 * action, -obs - 3 * action
            learner.update(tick(obs, action, place, t, reward[:, 0].numpy(), (place > 0.5)[:, 0].numpy()))
        learner.study()
        z, action = torch.tensor([[0.2, 7.0], [-0.4, -9.0]]), torch.tensor([[0.5], [-1.0]])
        with torch.no_grad():
            after = model.predict(model.initial_belief(Point(z)), action)
            alive = model.alive(torch.tensor([[0.0, 5.0], [0.8, 5.0]]))
        assert alive is not None
        assert_close(after.mean, torch.tensor([[0.35, -1.7], [-0.7, 3.4]]), atol=0.05, rtol=0)  # whatever it was before
        assert alive[0] > 0.8
        assert alive[1] < 0.2
        goal = PredictedReward(scale=2.0)
        assert_close(goal.expected(model, Step(Point(z), action, after)), -2.0 * after.mean[:, -1])

    def test_a_course_counts_while_it_lives(self) -> None:
        model = Ensemble(Real((1,)), Real((1,)), members=3, hidden=(8,), mortal=True)
        model.initialize(generator=source())
        purpose = Purpose(QuadraticGoal([2.0], [3.0], after=5.0), horizon=2)
        with torch.no_grad():
            terms = ExpectedEnergy(model, Point(torch.zeros(1, 1)), purpose).terms(torch.zeros(1, 1, 2, 1))
            first = model.predict(model.initial_belief(Point(torch.zeros(1, 1))), torch.zeros(1, 1))
            living, alive = model.condition_on_alive(first)
            second = model.predict(living, torch.zeros(1, 1))
            near = purpose.goal.expected(model, Step(first, torch.zeros(1, 1), first))
            far = purpose.goal.expected(model, Step(living, torch.zeros(1, 1), second))
        assert alive is not None
        assert 0 < alive.item() < 1
        assert_close(terms["pragmatic"][0], near + alive * far + (1 - alive) * 5.0)

    def test_too_short_episodes_teach_nothing(self) -> None:
        model, replay = Ensemble(Real((2,)), Real((1,)), memory=2), Replay()
        replay.add(tick(torch.zeros(3, 2), torch.zeros(3, 1), torch.zeros(3, 2)))
        assert not any(len(rows) for rows in model.dataset(replay, generator=source()))

    def test_what_was_done_may_add_up_to_one(self) -> None:
        """One-hot actions that a latent remembers are collinear: beliefs about them keep a density in float32."""
        model, replay, draws = Ensemble(Real((1,)), Simplex((2,)), memory=1), Replay(), source(3)
        for t in range(2):
            obs, action = torch.randn(4, 1, generator=draws), Simplex((2,)).draw(4, generator=draws).float()
            replay.add(tick(obs, action, torch.zeros(4, 1), t))
        assert len(model.dataset(replay, generator=draws)[0]) == 4
        belief = model.predict(model.begin(2), torch.eye(2))
        assert isinstance(belief, Gaussian)
        assert torch.isfinite(belief.energy(belief.mean)).all()


class TestMembers:
    def test_every_particle_is_moved_by_its_own_member(self) -> None:
        model, draws = example(), source(4)
        z, action = torch.randn(3, 5, 2, generator=draws, dtype=F64), torch.randn(5, 1, generator=draws, dtype=F64)
        after = model.predict(Particles(z, torch.full((3, 5), -log(3), dtype=F64)), action)
        assert isinstance(after, Particles)
        assert_close(after.z, torch.stack([alone(model, k, z[k], action) for k in range(3)]))

    def test_of_more_particles_the_ith_by_member_i_modulo_their_number(self) -> None:
        model, draws = example(), source(5)
        z = torch.randn(6, 4, 5, 2, generator=draws, dtype=F64)
        action = torch.randn(4, 5, 1, generator=draws, dtype=F64)
        weights = torch.randn(6, 4, 5, generator=draws, dtype=F64).log_softmax(0)
        after = model.predict(Particles(z, weights), action)
        assert isinstance(after, Particles)
        for i in range(6):
            expected = torch.stack([alone(model, i % 3, z[i, s], action[s]) for s in range(4)])
            assert_close(after.z[i], expected)
        assert_close(after.log_weights, weights)

    def test_candidates_beside_one_belief(self) -> None:
        model, draws = example(), source(6)
        belief = model.initial_belief(Point(torch.randn(5, 2, generator=draws, dtype=F64)))
        action = torch.randn(7, 5, 1, generator=draws, dtype=F64)
        after = model.predict(belief.beside(1), action)
        assert isinstance(after, Particles)
        assert after.z.shape == (3, 7, 5, 2)
        assert after.log_weights.shape == (3, 7, 5)
        single = model.predict(belief, action[4])
        assert isinstance(single, Particles)
        assert_close(after.z[:, 4], single.z)

    def test_a_number_that_does_not_divide_is_refused(self) -> None:
        with pytest.raises(UserError, match="4 particles cannot be shared by 3 members"):
            example().predict(
                Particles(torch.zeros(4, 1, 2, dtype=F64), torch.zeros(4, 1)), torch.zeros(1, 1, dtype=F64)
            )

    def test_the_transition_is_the_even_mixture(self) -> None:
        model, draws = example(), source(7)
        z, action, after = (torch.randn(4, n, generator=draws, dtype=F64) for n in (2, 1, 2))
        means, variances = model.transition.shared(z, action)
        each = torch.distributions.Normal(means, variances.sqrt()).log_prob(after).sum(-1)
        assert_close(model.transition((z, action), after), -(torch.logsumexp(each, 0) - log(3)))
        assert_close(means, torch.stack([alone(model, k, z, action) for k in range(3)]))

    def test_a_point_has_the_moments_of_the_mixture(self) -> None:
        model, draws = example(), source(8)
        z, action = (torch.randn(4, n, generator=draws, dtype=F64) for n in (2, 1))
        with torch.no_grad():
            belief = model.predict(Point(z), action)
            sample = model.transition.given((z, action)).sample(100_000, draws)
        assert isinstance(belief, Gaussian)
        assert_close(belief.mean, sample.mean(0), atol=2e-3, rtol=0)
        gap = sample - sample.mean(0)
        spread = (gap.unsqueeze(-1) * gap.unsqueeze(-2)).mean(0)
        assert float((belief.covariance - spread).abs().max()) < 0.03 * float(spread.abs().max())

    def test_what_lies_outside_the_observations_space_is_moved_to_its_edge(self) -> None:
        model = Ensemble(Box(torch.tensor([-1.0]), torch.tensor([1.0])), Real((1,)), members=2)
        model.transition.shift.fill_(5.0)
        after = model.predict(model.initial_belief(Point(torch.zeros(1, 1))), torch.zeros(1, 1))
        assert_close(after.mean, torch.ones(1, 1))


class TestMemory:
    layout = Layout(obs=2, action=1, memory=2, reward=True)

    def test_what_a_latent_remembers_moves_on_by_one(self) -> None:
        z = torch.tensor([[1.0, 2.0, 11.0, 12.0, 21.0, 22.0, 101.0, 102.0, -1.0]])
        after = self.layout.after(z, torch.tensor([[100.0]]), torch.tensor([[5.0, 6.0]]), torch.tensor([[7.0]]))
        assert_close(after, torch.tensor([[5.0, 6.0, 1.0, 2.0, 11.0, 12.0, 100.0, 101.0, 7.0]]))
        assert self.layout.size == after.shape[-1]

    def test_networks_see_changes_and_never_the_reward(self) -> None:
        z = torch.tensor([[1.0, 2.0, 11.0, 12.0, 21.0, 22.0, 101.0, 102.0, -1.0]])
        seen = self.layout.inputs(z, torch.tensor([[100.0]]))
        assert_close(seen, torch.tensor([[1.0, 2.0, -10.0, -10.0, -10.0, -10.0, 101.0, 102.0, 100.0]]))

    def test_experience_is_laid_out_as_planning_lays_it_out(self) -> None:
        """The latent of a step in the replay is that of the step before, moved on."""
        model, replay, draws = Ensemble(Real((2,)), Real((1,)), memory=2, reward=True), Replay(), source()
        obs, action = torch.randn(6, 1, 2, generator=draws), torch.randn(5, 1, 1, generator=draws)
        for t in range(5):
            replay.add(tick(obs[t], action[t], obs[t + 1], t))
        model.initialize(generator=draws)
        inputs, _, _, entered, _ = model.dataset(replay, generator=draws)
        assert len(inputs) == 3  # steps 2, 3 and 4 have two before them
        assert_close(entered, obs[3:, 0])
        z = torch.cat([obs[2, 0], obs[1, 0], obs[0, 0], action[1, 0], action[0, 0], torch.zeros(1)]).unsqueeze(0)
        transition = model.transition
        for step in range(2, 5):
            assert_close(inputs[step - 2 : step - 1], transition.normalized(z, action[step]))
            z = transition.layout.after(z, action[step], obs[step + 1], torch.zeros(1, 1))

    def test_it_finds_a_hidden_velocity(self) -> None:
        """x'' = a of which x alone is seen: two looks tell the velocity."""
        model = Ensemble(Real((1,)), Real((1,)), members=2, hidden=(8,), memory=1)
        learner, draws = GradientLearner(model, every=10**6, updates=50), source()
        learner.start(generator=draws)
        place, speed = torch.zeros(10, 1), torch.zeros(10, 1)
        for t in range(30):
            action = torch.randn(10, 1, generator=draws)
            speed = speed + 0.1 * action
            learner.update(tick(place, action, place + speed, t))
            place = place + speed
        learner.study()
        z, action = torch.tensor([[0.5, 0.3, 0.0]]), torch.tensor([[1.0]])  # it has moved by .2
        with torch.no_grad():
            after = model.predict(model.initial_belief(Point(z)), action).mean
        assert_close(after, torch.tensor([[0.5 + 0.2 + 0.1, 0.5, 1.0]]), atol=0.02, rtol=0)


class TestDoors:
    def test_discrete_observations(self) -> None:
        with pytest.raises(UserError, match="vectors of real numbers"):
            Ensemble(Simplex((3,)), Real((1,)))

    @pytest.mark.parametrize("wrong", [{"members": 0}, {"hidden": ()}, {"memory": -1}, {"sensor_noise": 0.0}])
    def test_numbers(self, wrong: dict[str, object]) -> None:
        with pytest.raises(UserError, match="expected members and hidden units"):
            Ensemble(Real((2,)), Real((1,)), **wrong)  # type: ignore[arg-type]

    def test_actions_may_be_one_hot(self) -> None:
        model = Ensemble(Real((2,)), Simplex((3,)), members=2, hidden=(4,))
        model.initialize(generator=source())
        belief = model.initial_belief(Point(torch.zeros(1, 2))).beside(1)
        after = model.predict(belief, torch.eye(3).unsqueeze(1))
        assert after.mean.shape == (3, 1, 2)
