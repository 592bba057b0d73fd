"""Which check's failure is the cause of which other's: a cause is told once, its consequences are "not tried".

A check is not tried where one of its causes fails. Those that all others need are the basic ones of a contract, which
stand with its suite in `agentic.testing`; here are the rest.
"""

from collections.abc import Mapping

_SOUND = ("convergence_is_true", "stays_in_bounds", "stays_on_the_simplex")
_SIMPLER = {  # problems that are harder versions of others
    "convex": (),
    "rotated": ("convex",),
    "boxed": ("convex",),
    "kalman": ("convex",),
    "simplex": (),
    "bayes": ("simplex",),
    "finite_plan": (),
    "stationary_plan": ("finite_plan",),
    "linear_plan": (),
    "boxed_plan": ("linear_plan",),
}

CAUSES: Mapping[str, tuple[str, ...]] = {
    # chance
    "same_seed_same_answer": ("global_randomness_untouched",),
    "pickles": ("same_seed_same_answer", "same_seed_same_trajectory", "state_is_a_value"),
    # energies and populations: rows before batches, forward before its gradient, that before its hessian
    "permuting_rows_permutes_answers": ("same_seed_same_answer", "inputs_untouched"),
    "batch_equals_row_by_row": ("permuting_rows_permutes_answers",),
    "order_of_rows_has_no_meaning": ("same_seed_same_answer", "inputs_untouched"),
    "sample_axes_broadcast": ("same_seed_same_answer", "inputs_untouched"),
    "gradcheck": ("batch_equals_row_by_row", "order_of_rows_has_no_meaning"),
    "gradient_is_the_derivative": ("sample_axes_broadcast", "gradcheck"),
    "hessian_is_the_second_derivative": ("gradient_is_the_derivative",),
    "value_and_gradient_are_those": ("gradient_is_the_derivative",),
    "closed_form_is_used": ("gradient_is_the_derivative",),
    "residuals_are_of_the_energy": ("batch_equals_row_by_row",),
    "terms_sum_to_the_energy": ("batch_equals_row_by_row",),
    "given_agrees_with_the_energy": ("batch_equals_row_by_row",),
    "probabilities_sum_to_one": ("given_agrees_with_the_energy",),
    "expected_is_the_mean": ("expected_is_one_number_per_row",),
    # models
    "predict_equals_brute_force": ("dynamics_equal_the_transition",),
    "predict_equals_monte_carlo": ("predict_equals_brute_force",),
    # solvers: where it looks before what it finds, and that before what it says of it
    "steps_are_a_fold": ("global_randomness_untouched", "start_untouched"),
    "stays_in_bounds": ("steps_are_a_fold",),
    "stays_on_the_simplex": ("steps_are_a_fold",),
    "evaluations_are_counted": ("steps_are_a_fold",),
    "nothing_is_drawn_without_a_generator": ("global_randomness_untouched",),
    "convergence_is_true": ("converged_rows_are_frozen", "steps_are_a_fold"),
    "rows_are_independent": ("steps_are_a_fold",),
    "draws_follow_the_energy": ("steps_are_a_fold",),
    **{
        f"solves_{problem}": (*_SOUND, *(f"solves_{simpler}" for simpler in simpler_ones))
        for problem, simpler_ones in _SIMPLER.items()
    },
    # backups
    "beliefs_are_independent": ("energies_untouched", "value_is_one_number_per_belief"),
    # learners
    "counts_its_changes": ("skips_steps_that_did_not_happen",),
    "skips_steps_that_did_not_happen": ("starts_from_what_was_loaded",),
    # agents
    "acts_within_its_space": ("global_randomness_untouched", "observations_untouched"),
    "state_is_a_value": ("global_randomness_untouched", "same_seed_same_answer", "observations_untouched"),
    "can_be_sealed": ("state_is_a_value",),
    # environments
    "a_seed_decides_an_episode": ("global_randomness_untouched",),
    "same_seed_same_trajectory": ("a_seed_decides_an_episode",),
    "spaces_contain_what_is_seen": ("same_seed_same_trajectory",),
    "gymnasium_accepts_it": ("same_seed_same_trajectory", "spaces_contain_what_is_seen"),
    "agents_can_live_in_it": ("spaces_contain_what_is_seen",),
    "true_model_is_lived": ("a_reset_continues_the_stream", "agents_can_live_in_it"),
    # metrics
    "prints_itself": ("accounts_for_its_value",),
    "round_trips_json": ("accounts_for_its_value",),
}
