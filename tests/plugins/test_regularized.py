"""An energy beside energies of the population: what is summed, and what is told."""

import pytest
import torch
from torch.testing import assert_close

from agentic import UserError
from agentic_energies.anti_collapse import Covariance, InverseDynamics, SketchedGaussian, Variance
from agentic_energies.feedforward import Feedforward
from agentic_energies.jepa import JointEmbedding
from agentic_optimizers.regularized import Regularized

ROWS = torch.randn(20, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64).split([3, 1, 3], -1)


def small() -> JointEmbedding:
    populations = {
        "variance": Variance(),
        "covariance": Covariance(),
        "inverse_dynamics": InverseDynamics(2, 1, [4]),
        "sigreg": SketchedGaussian(2),
    }
    return JointEmbedding(3, 1, 2, hidden=[4], populations=populations).double()


def test_it_is_the_mean_energy_plus_weights_times_populations() -> None:
    jepa = small()
    value, info = Regularized({"variance": 2.0, "inverse_dynamics": 0.5})(
        jepa, ROWS, generator=torch.Generator().manual_seed(0)
    )
    represented = jepa.encode(ROWS[0])
    assert_close(info["energy"], jepa(ROWS[:2], ROWS[2]).mean())
    assert_close(info["variance"], Variance()(represented))
    assert_close(value, info["energy"] + 2 * info["variance"] + 0.5 * info["inverse_dynamics"])


def test_it_tells_every_part_and_whether_it_collapsed() -> None:
    _, info = Regularized({})(small(), ROWS, generator=torch.Generator().manual_seed(0))
    assert set(info) == {
        *("energy", "variance", "covariance", "inverse_dynamics", "sigreg"),
        *("effective_rank", "smallest_deviation", "largest_deviation", "collapsed"),
    }
    jepa = small()
    with torch.no_grad():
        for weight in jepa.encoder.parameters():
            weight.zero_()
    assert float(Regularized({})(jepa, ROWS, generator=torch.Generator().manual_seed(0))[1]["collapsed"]) == 1


def test_the_weights_of_inverse_dynamics_are_learned_with_the_rest() -> None:
    jepa = small()
    value, _ = Regularized({"inverse_dynamics": 1.0})(jepa, ROWS, generator=torch.Generator().manual_seed(0))
    torch.autograd.backward(value)
    asked = {name for name, weight in jepa.named_parameters() if weight.grad is not None}
    assert {name.split(".")[0] for name in asked} == {"encoder", "predictor", "populations"}


def test_random_directions_are_drawn_for_every_batch_from_the_generator() -> None:
    loss, source = Regularized({"sigreg": 1.0}), torch.Generator().manual_seed(5)
    jepa = small()
    first, second = (loss(jepa, ROWS, generator=source)[0].item() for _ in range(2))
    assert first != second
    assert loss(jepa, ROWS, generator=torch.Generator().manual_seed(5))[0].item() == first


def test_a_look_at_validation_data_moves_no_target() -> None:
    jepa = JointEmbedding(3, 1, 2, hidden=[4], momentum=0.5).double()
    assert jepa.target is not None
    with torch.no_grad():
        jepa.encoder.weights[0].add_(1)
    old = jepa.target.weights[0].clone()
    with torch.no_grad():
        Regularized({})(jepa, ROWS, generator=torch.Generator().manual_seed(0))
    Regularized({})(jepa.eval(), ROWS, generator=torch.Generator().manual_seed(0))
    assert torch.equal(jepa.target.weights[0], old)
    Regularized({})(jepa.train(), ROWS, generator=torch.Generator().manual_seed(0))
    assert_close(jepa.target.weights[0], old + 0.5)


def test_a_weight_without_a_population_is_refused() -> None:
    with pytest.raises(
        UserError, match="regularized weighs entropy, and the populations of the module are: variance, "
    ):
        Regularized({"entropy": 1.0})(small(), ROWS, generator=torch.Generator().manual_seed(0))


def test_other_energies_are_refused() -> None:
    with pytest.raises(UserError, match=r"regularized needs an energy between representations.*got Feedforward"):
        Regularized({})(Feedforward.example(), ROWS, generator=torch.Generator().manual_seed(0))
