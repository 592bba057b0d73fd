"""The kit catches energies and models that break their contract, each in one way."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agentic import (
    Categorical,
    ClosedForm,
    Conditional,
    Energy,
    Gaussian,
    LeastSquares,
    ObservationGoal,
    UncertainWeights,
)
from agentic.testing import check
from agentic.testing.trolley import Trolley
from agentic.testing.worlds import Cart, Ladder, Normal, Tabular
from tests.contracts.broken import assert_only


class Spring(Energy):
    """|z - x|^2 / 2 for three numbers: nothing is wrong with it."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * ((z - x) ** 2).sum(-1)

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x, z = torch.randn(2, batch, 3, generator=generator, dtype=torch.float64)
        return x, z


class SumsTheBatch(Spring):
    """One number for all rows."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return super().forward(x, z).sum()


class KeepsTheEvent(Spring):
    """One number per component."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * (z - x) ** 2


class MixesRows(Spring):
    """Centers the batch."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return super().forward(x, z - z.mean(-2, keepdim=True))


class OrdersRows(Spring):
    """The first row weighs more."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        weight = torch.ones(z.shape[-2], dtype=z.dtype)
        weight[0] = 2
        return super().forward(x, z) * weight


class OneSampleAxis(Spring):
    """Reduces the first axis after the batch, whatever comes before."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * ((z - x) ** 2).sum(1)


class Overflows(Spring):
    """log of a negative number."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return super().forward(x, z).log().sqrt()


class WrongSlope(ClosedForm, Spring):
    """A closed form with a sign error."""

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return x - z


class WrongCurve(Spring):
    """A closed form of another energy."""

    def hessian(self, x: Tensor, z: Tensor) -> Tensor:
        return 2 * torch.eye(3, dtype=z.dtype).expand(*z.shape, 3)


class Doubles(Spring):
    """Twice its gradient, however it is asked."""

    def value_and_gradient(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(x, z), 2 * (z - x)


class TwoMinds(ClosedForm, Spring):
    """Asked for both it doubles the gradient."""

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return z - x

    def value_and_gradient(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(x, z), 2 * (z - x)


class ForgetsItsClosedForm(Spring):
    """Its gradient is written down, and solvers, which ask for both, take autograd's."""

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return z - x


class OtherSquares(Spring, LeastSquares):
    """The residuals of twice the energy."""

    def residuals(self, x: Tensor, z: Tensor) -> Tensor:
        return 2**0.5 * (z - x)


class Detached(Spring):
    """Autograd sees half of it."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * ((z - x) * (z - x).detach()).sum(-1)


class LosesATerm(Spring):
    """Its terms are not all there is."""

    def terms(self, x: Tensor, z: Tensor) -> dict[str, Tensor]:
        return {"first": 0.5 * (z - x)[..., 0] ** 2}


class WritesIntoZ(Spring):
    """Works in place on what it was given."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        value = super().forward(x, z)
        if not z.requires_grad:
            z += 1
        return value


class AlwaysDouble(Spring):
    """Answers in float64 whatever it is asked in."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return super().forward(x, z).double()


class Restless(Spring):
    """Draws from the global generator."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return super().forward(x, z) + torch.rand(())


class Moody(Spring):
    """Draws from a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.mood = np.random.default_rng()

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return super().forward(x, z) + self.mood.random()


class Stale(Spring):
    """Keeps the weights it was made with, whatever is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.center = nn.Buffer(torch.ones(3))

    def load_state_dict(self, *given: Any, **named: Any) -> Any:
        return None


class HidesATensor(Spring):
    """A constant that neither moves nor is saved."""

    def __init__(self) -> None:
        super().__init__()
        self.center = torch.zeros(3)


class HoldsALambda(Spring):
    """Cannot be sent to another process."""

    def __init__(self) -> None:
        super().__init__()
        self.square = lambda value: value**2


class NeedsArguments(Spring):
    """Offers no example()."""

    def __init__(self, stiffness: float) -> None:
        super().__init__()


class Guarded(Energy):
    """Takes nothing that the kit could think of."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        raise ValueError("not like this")


class Undocumented(Spring):
    pass


class Unnormalized(Conditional):
    """A Gaussian without its constant."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * ((z - x) ** 2).sum(-1)

    def given(self, x: Any) -> Gaussian:
        return Gaussian(x, torch.eye(x.shape[-1], dtype=x.dtype).expand(*x.shape, -1))


class SumsToTwo(Conditional):
    """Probabilities of a coin, twice."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return -(z * torch.tensor([0.8, 1.2], dtype=z.dtype).log()).sum(-1)

    def given(self, x: Any) -> Categorical:
        return Categorical(torch.tensor([0.8, 1.2], dtype=torch.float64).expand(*x.shape[:-1], 2))

    def example_inputs(self, batch: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return torch.zeros(batch, 0, dtype=torch.float64), torch.eye(2, dtype=torch.float64)[[0, 1] * batch][:batch]


class MostLikely(Ladder):
    """Predicts the most likely next place: an argmin, not a push-forward."""

    def predict(self, belief: Any, action: Tensor) -> Categorical:
        likely = super().predict(belief, action).probs
        return Categorical(torch.nn.functional.one_hot(likely.argmax(-1), 4).double())


class Certain(Cart):
    """Forgets the uncertainty it had."""

    def predict(self, belief: Any, action: Tensor) -> Gaussian:
        return self.transition.given((belief.mean, action.double()))


class Blurred(Cart):
    """Adds the sensor's noise twice."""

    def emit(self, belief: Any) -> Gaussian:
        seen = super().emit(belief)
        return Gaussian(seen.mean, seen.covariance + self.observation.spread)


class SurelyAmbiguous(Ladder):
    """Counts ambiguity in bits."""

    def ambiguity(self, belief: Any) -> Tensor:
        return super().ambiguity(belief) / 0.6931


class LearnsInItsSleep(Ladder):
    """Changes its version by imagining."""

    def predict(self, belief: Any, action: Tensor) -> Categorical:
        self.version += 1
        return super().predict(belief, action)


class MoreThanAlive(Ladder):
    """Survives with probability 2."""

    def alive(self, z: Tensor) -> Tensor:
        return 2 * torch.ones_like(z[..., 0])


class OtherDynamics(Ladder):
    """Its table is not its energy."""

    def dynamics(self) -> Tensor:
        return self.transition.table.flip(-1)


class OneRow(Ladder):
    """Its prior is of a single episode, whatever the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.prior = Single(self.prior.given(torch.empty(1, 0)).mean[0])


class Single(Tabular):  # type: ignore[misc]
    """A prior of one row."""

    def given(self, x: Any) -> Categorical:
        return super().given(x[:1])


class LooseEvidence(Cart):
    """Its observation is not normalized."""

    def __init__(self) -> None:
        super().__init__()
        self.observation = Halved(
            self.observation.bias, self.observation.spread, self.observation.get_buffer("weight_0")
        )


class Halved(Normal):  # type: ignore[misc]
    """Half of minus a log density."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return 0.5 * super().forward(x, z)


class Backward(Normal):  # type: ignore[misc]
    """Claims that its energy of what is given has no slope."""

    def swapped(self) -> Energy:
        return Flat(self)


class Flat(ClosedForm):
    """An energy with the slope of another."""

    def __init__(self, energy: Energy) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.energy(z, x)

    def gradient(self, x: Tensor, z: Tensor) -> Tensor:
        return torch.zeros_like(z)


class BackwardEvidence(Cart):
    """Its observation has a wrong slope by the latent."""

    def __init__(self) -> None:
        super().__init__()
        self.observation = Backward(
            self.observation.bias, self.observation.spread, self.observation.get_buffer("weight_0")
        )


class Sidesteps(Trolley):  # type: ignore[misc]
    """Predicts a place beside where its transition leads."""

    def predict(self, belief: Any, action: Tensor) -> Gaussian:
        after = super().predict(belief, action)
        return Gaussian(after.mean + 1, after.covariance)


class OneStart(Trolley):  # type: ignore[misc]
    """Encodes the first observation only."""

    def start(self, obs: Tensor) -> Tensor:
        return obs[:1].double()


class NoOutcome(Ladder):
    """Does not say what can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome = None  # type: ignore[assignment]


class OneCandidate(Ladder):
    """Looks at the first of several candidate actions only."""

    def predict(self, belief: Any, action: Tensor) -> Categorical:
        after = super().predict(belief, action)
        return after if action.dim() < 3 else Categorical(after.probs[:1].expand_as(after.probs))


class OtherName(Ladder, UncertainWeights):
    """Calls a gain of its weights by a name that nobody knows."""

    def parameter_gain(self, path: Any) -> Any:
        return {"curiosity": torch.ones(3)}


class Wish(ObservationGoal):
    """What the ladder's top costs: nothing is wrong with it."""

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return -z[..., -1]


class ManyNumbers(Wish):
    """Its expectation is one number per level."""

    def expected(self, model: Any, step: Any) -> Tensor:
        return model.emit(step.after).mean  # type: ignore[no-any-return]


class Optimist(Wish):
    """Expects half the cost."""

    def expected(self, model: Any, step: Any) -> Tensor:
        return 0.5 * super().expected(model, step)


CAUGHT = [
    (Stale, "restores_its_state_dict"),
    (OneStart, "starts_at_latents"),
    (NoOutcome, "declares_its_spaces"),
    (OneCandidate, "candidates_broadcast"),
    (OtherName, "parameter_gains_are_gains"),
    (ManyNumbers, "expected_is_one_number_per_row"),
    (Optimist, "expected_is_the_mean"),
    (SumsTheBatch, "shape_is_one_number_per_row"),
    (KeepsTheEvent, "shape_is_one_number_per_row"),
    (MixesRows, "batch_equals_row_by_row"),
    (OrdersRows, "permuting_rows_permutes_answers"),
    (OneSampleAxis, "sample_axes_broadcast"),
    (Overflows, "finite"),
    (WrongSlope, "gradient_is_the_derivative"),
    (WrongCurve, "hessian_is_the_second_derivative"),
    (Doubles, "gradient_is_the_derivative"),
    (TwoMinds, "value_and_gradient_are_those"),
    (ForgetsItsClosedForm, "closed_form_is_used"),
    (OtherSquares, "residuals_are_of_the_energy"),
    (Detached, "gradcheck"),
    (LosesATerm, "terms_sum_to_the_energy"),
    (WritesIntoZ, "inputs_untouched"),
    (AlwaysDouble, "dtype_kept"),
    (Restless, "global_randomness_untouched"),
    (Moody, "same_seed_same_answer"),
    (HidesATensor, "registers_its_tensors"),
    (HoldsALambda, "pickles"),
    (NeedsArguments, "constructible"),
    (Guarded, "shape_is_one_number_per_row"),
    (Undocumented, "documented"),
    (Unnormalized, "given_agrees_with_the_energy"),
    (SumsToTwo, "probabilities_sum_to_one"),
    (MostLikely, "predict_equals_brute_force"),
    (Certain, "predict_equals_brute_force"),
    (Sidesteps, "predict_equals_monte_carlo"),
    (Blurred, "emit_equals_monte_carlo"),
    (SurelyAmbiguous, "ambiguity_is_the_expected_entropy"),
    (LearnsInItsSleep, "imagining_changes_nothing"),
    (MoreThanAlive, "alive_is_a_probability"),
    (OtherDynamics, "dynamics_equal_the_transition"),
    (OneRow, "begins_with_a_batch"),
    (LooseEvidence, "observation_given_agrees_with_the_energy"),
    (BackwardEvidence, "swapped_is_the_observation"),
]


@pytest.mark.parametrize(("component", "name"), CAUGHT)
def test_it_is_caught(component: type, name: str) -> None:
    assert_only("energies", component, name)


@pytest.mark.parametrize("component", [Spring, Ladder, Cart, Wish, Trolley])
def test_nothing_is_wrong(component: type) -> None:
    assert [str(finding) for finding in check("energies", component) if not finding.passed] == []
