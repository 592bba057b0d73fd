"""Adam by torch's function: the numbers of its class, without what the class brings along."""

import sys
from subprocess import run

import pytest
import torch
from torch import nn

from agentic_optimizers.adam import Adam


class Lines(nn.Module):
    """Two lines, of which a loss may leave one out, and a weight that nothing moves."""

    def __init__(self) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(0)
        self.one = nn.Parameter(torch.randn(3, 2, generator=source))
        self.two = nn.Parameter(torch.randn(2, 3, generator=source, dtype=torch.float64).T)  # not contiguous
        self.still = nn.Parameter(torch.ones(2), requires_grad=False)

    def loss(self, x: torch.Tensor, both: bool) -> torch.Tensor:
        value = (x @ self.one - 1).square().mean().double()
        return value + (x.double() @ self.two + 2).square().mean() if both else value


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_every_step_is_that_of_torchs_class(decay: float) -> None:
    ours, theirs = Lines(), Lines()
    adam = Adam(ours.parameters(), decay)
    reference = torch.optim.AdamW(theirs.parameters(), weight_decay=decay, fused=True)
    source = torch.Generator().manual_seed(1)
    for step in range(30):
        x, both = torch.randn(5, 3, generator=source), step % 3 > 0
        adam.lower(ours.loss(x, both), 0.1 / (1 + step))
        reference.param_groups[0]["lr"] = 0.1 / (1 + step)
        reference.zero_grad(set_to_none=True)
        theirs.loss(x, both).backward()
        reference.step()
        for name, weight in ours.state_dict().items():
            assert torch.equal(weight, theirs.state_dict()[name]), (step, name)


def test_without_decay_it_is_plain_adam() -> None:
    ours, theirs = Lines(), Lines()
    adam, reference = Adam(ours.parameters()), torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)
    for _ in range(10):
        adam.lower(ours.loss(torch.ones(4, 3), True), 0.01)
        reference.zero_grad(set_to_none=True)
        theirs.loss(torch.ones(4, 3), True).backward()
        reference.step()
    assert torch.equal(ours.one, theirs.one)
    assert torch.equal(ours.two, theirs.two)


def test_weights_are_lowered_where_gradients_are_off() -> None:
    lines = Lines()
    adam, before = Adam(lines.parameters()), lines.one.detach().clone()
    loss = lines.loss(torch.ones(4, 3), True)
    with torch.no_grad():
        adam.lower(loss, 0.01)
    assert not torch.equal(lines.one, before)
    assert torch.equal(lines.still, torch.ones(2))


LEARNING = """
import sys, agentic
from agentic.experiments import example
settings = ["learn.steps=60", "learn.warmup=40", "learner.first=50", "learner.sweeps=1", "learner.updates=2"]
built = agentic.build(agentic.Experiment.load(example("continuous"), settings), agentic.load())
agentic.run(built.agent, built.environment, agentic.Schedule(0, 60, 40), seed=0)
assert built.agent.model.version, "it was to learn"
sys.exit("torch._dynamo" in sys.modules)
"""


def test_learning_does_not_wait_for_torchs_compiler() -> None:
    done = run([sys.executable, "-c", LEARNING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr or "torch._dynamo was imported"
