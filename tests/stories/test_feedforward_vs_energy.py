"""The study of feedforward regression against settled energies: worlds, energies, budgets, statements."""

from math import log, pi
from pathlib import Path

import pytest
import torch
from torch import Tensor

from agentic import Energy, LeastSquares
from agentic_energies.emission import GaussianEmission
from agentic_energies.feedforward import Feedforward
from agentic_energies.network import Network
from agentic_energies.perceptron_energy import EnergyNetwork
from agentic_energies.vae import VAE
from agentic_optimizers.gauss_newton import GaussNewton
from agentic_optimizers.gradient import Adam
from examples.feedforward_vs_energy import arm, command, conservation, glyphs, latents, page, pendulum, relations
from examples.feedforward_vs_energy.arm_energies import Contrast, ForwardModel, MixtureDensity, Posture
from examples.feedforward_vs_energy.observed import Observed
from examples.feedforward_vs_energy.pendulum_energies import Conservation, Motion
from examples.feedforward_vs_energy.questions import chosen, questions
from examples.feedforward_vs_energy.runs import Job, Row, spread
from examples.feedforward_vs_energy.sections import SECTIONS
from examples.feedforward_vs_energy.study import Setting
from examples.feedforward_vs_energy.summary import Estimate, Rows

BUDGETS = {
    "relations": relations.BUDGET,
    "one-sided": relations.BUDGET,
    "conservation": conservation.BUDGET,
    "latents": latents.BUDGET,
}


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=source(5), dtype=torch.float64)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer places, courses and pictures to be asked for."""
    monkeypatch.setattr(relations, "TESTS", 30)
    monkeypatch.setattr(conservation, "TESTS", 4)
    monkeypatch.setattr(conservation, "STEPS", 1)
    monkeypatch.setattr(latents, "TESTS", 4)


def test_both_postures_reach_the_place_and_one_is_the_one_it_came_from() -> None:
    place, angles = arm.draw(50, both=True, generator=source())
    place = arm.hand(angles)
    both = arm.postures(place)
    torch.testing.assert_close(arm.hand(both), place.expand(2, -1, -1), atol=1e-5, rtol=0)
    away = (arm.encode(both) - arm.encode(angles)).norm(dim=-1)
    assert bool((away.amin(0) < 1e-3).all())
    assert bool((away.amax(0) > 0.3).all())
    torch.testing.assert_close(arm.encode(arm.decode(2 * arm.encode(angles))), arm.encode(angles))


def test_one_sided_data_bend_the_elbow_one_way() -> None:
    assert bool((arm.draw(50, both=False, generator=source())[1][:, 1] > 0).all())
    assert 0.2 < float((arm.draw(500, both=True, generator=source())[1][:, 1] > 0).double().mean()) < 0.8


def test_the_pendulum_keeps_its_energy_and_swings_with_the_small_angle_period() -> None:
    state = pendulum.draw(30, pendulum.BEYOND, generator=source()).double()
    low, high = pendulum.BEYOND
    assert bool(((pendulum.mechanical(state) > low) & (pendulum.mechanical(state) < high)).all())
    torch.testing.assert_close(pendulum.mechanical(pendulum.advance(state)), pendulum.mechanical(state))
    slight = torch.tensor([[1e-4, 0.0]], dtype=torch.float64)
    known = torch.tensor(pendulum.STEP, dtype=torch.float64)
    after = 1e-4 * torch.stack([known.cos(), -known.sin()])
    torch.testing.assert_close(pendulum.advance(slight)[0], after, atol=1e-11, rtol=0)


def test_pictures_are_digits_of_about_one_brightness_and_noise_is_noise() -> None:
    pictures = glyphs.clean(200, generator=source())
    assert pictures.shape == (200, 64)
    assert 0.5 < float(pictures.amax(-1).mean()) < 1.2
    assert float(pictures.amin()) >= 0
    noise = glyphs.noisy(pictures, generator=source(1)) - pictures
    assert float(noise.std()) == pytest.approx(glyphs.NOISE, rel=0.05)


def energies() -> dict[str, tuple[Energy, object, Tensor]]:
    seen = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64).expand(6, 3)
    model = VAE.of(3, 2, (5,), emission=GaussianEmission(0.3), generator=source(), dtype=torch.float64)
    function = Feedforward.of((4, 5, 2), variance=0.2, generator=source(), dtype=torch.float64)
    change = Feedforward.of((3, 5, 2), generator=source(), dtype=torch.float64)
    return {
        "network": (Posture(EnergyNetwork(4, 2, hidden=[5], generator=source()).double()), normal(6, 2), normal(6, 2)),
        "forward model": (Posture(ForwardModel(function)), normal(6, 2), normal(6, 2)),
        "observed": (Observed(model), (normal(6, 3), seen), normal(6, 2)),
        "law": (Motion(change) + Conservation(0.1), normal(6, 2), normal(6, 2).flip(0)),
    }


@pytest.mark.parametrize("name", energies())
def test_slopes_written_out_are_those_of_autograd(name: str) -> None:
    energy, x, z = energies()[name]
    free = z.clone().requires_grad_()
    expected = torch.autograd.grad(energy(x, free).sum(), free)[0]
    torch.testing.assert_close(energy.gradient(x, z), expected)
    value, slope = energy.value_and_gradient(x, z)
    torch.testing.assert_close(value, energy(x, z))
    torch.testing.assert_close(slope, expected)


@pytest.mark.parametrize("name", ["observed", "law"])
def test_residuals_are_the_energy_but_for_a_constant(name: str) -> None:
    energy, x, z = energies()[name]
    assert isinstance(energy, LeastSquares)
    residuals, elsewhere = energy.residuals(x, z), energy.residuals(x, z + 1)
    assert residuals is not None
    assert elsewhere is not None
    change = 0.5 * (elsewhere.square().sum(-1) - residuals.square().sum(-1))
    torch.testing.assert_close(energy(x, z + 1) - energy(x, z), change)


def test_what_is_not_seen_does_not_matter() -> None:
    energy, x, z = energies()["observed"]
    assert isinstance(x, tuple)
    whole, seen = x
    torch.testing.assert_close(energy((whole + 7 * (1 - seen), seen), z), energy((whole, seen), z), rtol=0, atol=0)


def test_a_mixture_of_one_part_is_a_gaussian_and_of_equal_parts_the_same() -> None:
    network = Network((2, 6), generator=source(), dtype=torch.float64)
    one, x, y = MixtureDensity(network), 0.1 * normal(5, 2), normal(5, 4)  # widths within their limits
    output = network(x)
    deviation = output[:, 1].exp()
    known = (y - output[:, 2:]).square().sum(-1) / (2 * deviation**2) + 4 * output[:, 1] + 2 * log(2 * pi)
    torch.testing.assert_close(one(x, y), known)
    with torch.no_grad():  # two parts with the same mean and width
        twice = Network((2, 12), generator=source(), dtype=torch.float64)
        rows = [0, 0, 1, 1, 2, 3, 4, 5, 2, 3, 4, 5]
        twice.weights[0].copy_(network.weights[0][rows])
        torch.testing.assert_close(MixtureDensity(twice)(x, y), known)
    torch.testing.assert_close(MixtureDensity(twice).given(x).z[1], output[:, 2:])


def test_contrast_of_a_flat_energy_is_the_logarithm_of_the_choices() -> None:
    flat = EnergyNetwork(4, 2, hidden=[3], confinement=0, generator=source())
    with torch.no_grad():
        flat.network.weights[-1].zero_()
    value, _ = Contrast(0.3, others=10)(Posture(flat), (torch.zeros(4, 2), torch.zeros(4, 2)), generator=source())
    assert float(value.detach()) == pytest.approx(log(11))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["relations", "conservation", "latents"])
def test_every_learner_has_the_same_budget_whatever_its_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relations, "SOLVER", Adam(steps=1))
    monkeypatch.setattr(latents, "ANSWERING", GaussNewton(steps=1))
    for learner in questions()[name].learners:
        for extra in learner.extras:
            for measures in learner.run(8, 100, Setting(1e-3, extra, 1)).values():
                assert measures["weights"] == pytest.approx(BUDGETS[name], rel=0.02), (learner.name, extra)


def test_every_learner_has_a_setting_that_was_a_candidate() -> None:
    for name, question in questions().items():
        for learner in question.learners:
            assert chosen()[name][learner.name] in learner.candidates
        assert len({len(learner.candidates) for learner in question.learners}) == 1


@pytest.mark.usefixtures("small")
def test_a_job_is_repeatable_to_the_last_digit() -> None:
    job = Job("relations", "forward-model energy", 20, 100, Setting(1e-2, 2, 10))
    first = job.run()
    assert job.run() == first
    assert [row["variant"] for row in first] == ["forward-model energy"]
    assert Job("relations", "forward-model energy", 20, 101, Setting(1e-2, 2, 10)).run() != first


@pytest.mark.usefixtures("small")
def test_where_two_answers_are_right_a_settled_energy_finds_both_and_regression_their_mean() -> None:
    learners = questions()["relations"]
    energy = learners.learner("forward-model energy").run(100, 100, Setting(1e-2, 2, 300))["forward-model energy"]
    mean = learners.learner("feedforward").run(100, 100, Setting(1e-2, 2, 300))["feedforward"]
    assert energy["found"] > 0.8
    assert mean["found"] == 0
    assert energy["error"] < 0.1 < mean["error"]


@pytest.mark.usefixtures("small")
def test_the_law_as_an_energy_holds_at_the_answer() -> None:
    learner = questions()["conservation"].learner("feedforward")
    found = learner.run(30, 100, Setting(1e-2, 2, 100))
    assert found["feedforward (settled)"]["beyond energy"] < 0.01 < found["feedforward"]["beyond energy"]


def test_an_estimate_has_the_interval_of_student() -> None:
    found = Estimate.of([1.0, 2.0, 3.0])
    assert (found.mean, found.low, found.high) == pytest.approx((2.0, 2 - 2.484138, 2 + 2.484138))
    assert found.verdict == "not told apart"
    assert Estimate.of([1.0, 1.1, 1.2]).verdict == "higher"
    assert Estimate.of([-1.0, -1.1, -1.2]).verdict == "lower"


def test_differences_are_taken_seed_by_seed_and_said_in_a_sentence() -> None:
    rows: list[Row] = [
        {"variant": variant, "size": size, "seed": seed, "error": 10.0 * seed + (size if variant == "b" else 0)}
        for variant in "ab"
        for seed in (1, 0, 2)
        for size in (10, 1000)
    ]
    found = Rows(rows)
    assert found.values("b", "error", 10) == [10.0, 20.0, 30.0]
    assert found.difference("b", "a", "error", 10) == Estimate(10.0, 10.0, 10.0)
    assert found.compared("b", "a", "error") == (
        "**b** against a: *higher* with 10 (+10 [10, 10]) and 1,000 (+1e+03 [1e+03, 1e+03])."
    )
    assert found.estimate("a", "missing", 10) is None


def test_the_page_shows_every_question_and_its_pictures_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    rows = [row for seed in (0, 1) for row in made_up(seed)]
    written = page.write(rows, tmp_path / "one").read_text()
    assert "seeds 0 to 1" in written
    for section in SECTIONS:
        assert f"## {section.title}" in written
        assert f"(pictures/feedforward_vs_energy_{section.question}.svg)" in written
    again = page.write([row for row in rows if row["question"] == "one-sided"], tmp_path / "two").read_text()
    assert SECTIONS[1].setup in again
    assert SECTIONS[0].setup not in again
    name = Path("pictures") / "feedforward_vs_energy_one-sided.svg"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def made_up(seed: int) -> list[Row]:
    """A row for every variant that the sections compare, of numbers that differ."""
    rows = list[Row]()
    for section in SECTIONS:
        variants = dict.fromkeys(name for pair in section.compared for name in (pair.one, pair.other))
        for place, variant in enumerate(variants):
            about: Row = {"question": section.question, "variant": variant, "size": 10, "seed": seed, "weights": 9}
            rows.append(about | {shown.measure: 1.0 + place + 0.1 * seed for shown in section.shown})
    return rows


@pytest.mark.slow
def test_the_smoke_run_is_the_same_with_one_worker_and_two(tmp_path: Path) -> None:
    settings = chosen(quick=True)["conservation"]
    jobs = [Job("conservation", name, 10, seed, setting) for name, setting in settings.items() for seed in (0, 1)]
    assert spread([job.run for job in jobs], 1, "one") == spread([job.run for job in jobs], 2, "two")
    rows = command.everything(2, 1, quick=True)
    shown = {(section.question, shown.measure) for section in SECTIONS for shown in section.shown}
    assert shown <= {(row["question"], measure) for row in rows for measure in row}
    assert "## 3. " in page.write(rows, tmp_path).read_text()
