"""The machine of the conformance kit: one test per check, findings of one line, gaps that are known."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor

from agentic import ClosedForm, Energy, Evidence, ExpectedEnergy, UserError
from agentic.testing import Check, Finding, NotApplicable, check, checks, checks_for, lowered
from agentic.testing.parts import AllPlans, BayesRule
from agentic.testing.worlds import Coin, TwoPlaces


class Spring(Energy):
    """|z|^2 / 2, whatever x."""

    def __init__(self, stiffness: float = 1.0) -> None:
        super().__init__()
        self.stiffness = stiffness

    def forward(self, x: Any, z: Tensor) -> Tensor:
        return self.stiffness * (z**2).sum(-1) / 2


class Wrong(ClosedForm, Spring):
    """Its closed form is not its derivative."""

    def gradient(self, x: Any, z: Tensor) -> Tensor:
        return -z


@checks_for(Spring)
def test_a_class(check: Any) -> None:
    check()


@checks_for(Spring(2.0))
def test_an_instance(check: Any) -> None:
    check()


@checks_for(
    Wrong, expected_failures={"gradient_is_the_derivative": "the sign", "hessian_is_the_second_derivative": "so"}
)
def test_known_gaps(check: Any) -> None:
    check()


@checks_for(Coin)
def test_an_agent(check: Any) -> None:
    check()


@checks_for(TwoPlaces)
def test_an_environment(check: Any) -> None:
    check()


def test_one_id_per_check() -> None:
    marks = [mark for mark in test_a_class.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert [parameter.id for parameter in marks[0].args[1]] == [each.name for each in checks("energies", Spring)]


def test_a_gap_that_is_closed_turns_red() -> None:
    @checks_for(Spring, expected_failures={"finite": "once it was not"})
    def decorated(check: Any) -> None: ...

    parameters = {parameter.id: parameter for parameter in decorated.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert parameters["finite"].marks[0].kwargs == {"reason": "once it was not", "strict": True}
    assert not parameters["gradcheck"].marks


def test_a_gap_that_is_no_check_is_refused() -> None:
    with pytest.raises(UserError, match="the check 'gradchek', which there is not, did you mean 'gradcheck'"):
        checks_for(Spring, expected_failures={"gradchek": "typing"})


def test_what_is_no_component_is_refused() -> None:
    with pytest.raises(UserError, match="int is no component: derive it from one of Agent"):
        checks_for(3)
    with pytest.raises(UserError, match="expected a kind of component, one of energies"):
        checks("energy", Spring)


def test_findings_are_lines() -> None:
    findings = {finding.check: finding for finding in check("energies", Wrong)}
    failed = findings["gradient_is_the_derivative"]
    assert not failed.passed
    assert str(failed).startswith(
        "FAILED   gradient_is_the_derivative: gradient against autograd of forward: expected ["
    )
    assert "\n" not in str(failed)
    assert str(findings["finite"]) == "passed   finite"


def test_what_cannot_be_made_has_one_finding() -> None:
    class Closed(Spring):
        """Needs its stiffness."""

        def __init__(self, stiffness: float) -> None:
            super().__init__(stiffness)

    (only,) = check("energies", Closed)
    assert not only.passed
    assert "give it a classmethod example()" in only.message


def test_an_example_is_preferred() -> None:
    class Stiff(Spring):
        """Offers an example."""

        @classmethod
        def example(cls) -> "Stiff":
            return cls(3.0)

    assert checks("energies", Stiff)[0].make().stiffness == 3.0


def test_a_check_that_does_not_apply_is_skipped() -> None:
    def never(make: Any) -> None:
        raise NotApplicable("there is no moon")

    from agentic.testing.kit import find

    assert str(find(Check("never", never, Spring))) == "skipped  never: there is no moon"


def test_an_exception_is_a_finding() -> None:
    def breaks(make: Any) -> None:
        raise ZeroDivisionError("by\nzero")

    from agentic.testing.kit import find

    assert find(Check("breaks", breaks, Spring)) == Finding("breaks", False, "raised ZeroDivisionError: by zero")


def test_a_part_of_a_component_gets_the_common_checks() -> None:
    class Backup:
        """How values are passed up."""

    findings = check("optimizers", Backup)
    assert all(finding.passed for finding in findings)
    (found,) = [finding.message for finding in findings if finding.check == "meets_a_contract"]
    assert "is none of Minimizer, Learner, Loss, Selection, Backup, Quadrature: there is no contract" in found


def test_checking_draws_nothing_from_the_global_generators() -> None:
    before = torch.get_rng_state()
    check("agents", Coin)
    assert torch.equal(before, torch.get_rng_state())


def test_pytest_is_imported_only_when_used() -> None:
    code = "import sys, agentic.testing as t; t.check('agents', t.agents.Agent); assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_a_solver_lowers_is_tried() -> None:
    assert lowered(BayesRule()) == {Evidence}
    assert lowered(AllPlans()) == {ExpectedEnergy}
