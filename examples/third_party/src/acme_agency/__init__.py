"""Components of the Acme Agency: one of every contract that plans, chooses and learns, and an agent of two parts."""

from agentic import hookimpl


@hookimpl
def agentic_energies() -> dict[str, str]:
    return {"curiosity": "acme_agency.curiosity:Curiosity", "stubborn": "acme_agency.stubborn:Stubborn"}


@hookimpl
def agentic_optimizers() -> dict[str, str]:
    return {
        "epsilon_greedy": "acme_agency.epsilon_greedy:EpsilonGreedy",
        "worst_case": "acme_agency.worst_case:WorstCase",
        "squashed": "acme_agency.squashed:Squashed",
        "careful": "acme_agency.careful:Careful",
    }


@hookimpl
def agentic_agents() -> dict[str, str]:
    return {"two": "acme_agency.two:Two"}
