"""What a broken component must fail: the one check it was made for, with that check's sentence, and no other."""

from agentic.testing import check

SAYS = {  # a part of the sentence of every named check of the kit
    "constructible": "give it a classmethod example()",
    "documented": "has no docstring",
    "members_are_asked_for": "nobody asks for its kick: it is gradient(x, z) now",
    "meets_a_contract": "expected a subclass of Metric, got NoMetric",
    "registers_its_tensors": "is neither a parameter nor a buffer: make it an nn.Buffer",
    "restores_its_state_dict": "is not what was saved",
    "pickles": "hold no lambdas and no local classes",
    "same_seed_same_answer": "with the same seed, its answer differs",
    "global_randomness_untouched": "it draws from the global generator of",
    # energies
    "shape_is_one_number_per_row": "",
    "sample_axes_broadcast": "three samples at once against one after the other",
    "finite": "must be finite",
    "batch_equals_row_by_row": "a batch against its rows one by one: expected",
    "permuting_rows_permutes_answers": "rows in another order: expected",
    "gradient_is_the_derivative": "gradient against autograd of forward: expected",
    "hessian_is_the_second_derivative": "hessian against autograd of forward: expected",
    "gradcheck": "",
    "value_and_gradient_are_those": "the gradient of value_and_gradient against gradient: expected",
    "closed_form_is_used": "derive from agentic.ClosedForm",
    "residuals_are_of_the_energy": "|residuals|^2 / 2 against forward: expected",
    "terms_sum_to_the_energy": "the sum of terms() against forward: expected",
    "inputs_untouched": "in place: work on a copy",
    "dtype_kept": "as module.to(torch.float32), it answers in torch.float64",
    "given_agrees_with_the_energy": "the energy against given(x).energy(z): expected",
    "probabilities_sum_to_one": "sum of exp(-E) over the corners: expected",
    "expected_is_one_number_per_row": "expected of 3 rows must be (3,), got (3, 4)",
    "expected_is_the_mean": "expected against the mean of the energy over all levels",
    "one_number": "one number",
    "order_of_rows_has_no_meaning": "rows in another order: expected",
    # models
    "declares_its_spaces": "outcome must be a Domain, got None",
    "begins_with_a_batch": "begin(3) must be (3, 4), got (1, 4)",
    "starts_at_latents": "start(obs) of 3 rows must be (3, 2), got (1, 2)",
    "predict_equals_brute_force": "predict against",
    "dynamics_equal_the_transition": "exp(-transition) against dynamics(): expected",
    "swapped_is_the_observation": "gradient against autograd of forward: expected",
    "predict_equals_monte_carlo": "the mean of predict: expected",
    "emit_equals_monte_carlo": "of emit: expected",
    "ambiguity_is_the_expected_entropy": "(Monte Carlo), got",
    "candidates_broadcast": "candidate actions at once against one after the other",
    "alive_is_a_probability": "alive must lie in [0, 1], got",
    "imagining_changes_nothing": "",
    "parameter_gains_are_gains": "a gain is called 'curiosity'",
    # gains, selections, backups, quadratures, losses
    "gains_are_one_number_per_row": "the gain news of 3 rows must be (3,), got ()",
    "names_are_no_costs": "it calls a gain 'effort', the name of a cost: call it otherwise",
    "chooses_for_every_row": "4 rows need actions (4, 3), got (1, 3)",
    "acts_within_its_space": "off its space: project it (one-hot, or within the bounds)",
    "weighs_plans": "precision must be at least 0, got -1.0",
    "policy_untouched": "it changed the policy in place: work on a copy",
    "policy_is_a_distribution": "the sum of a policy's probabilities: expected",
    "value_is_one_number_per_belief": "the value of energies (4, 3) must be (4,), got ()",
    "beliefs_are_independent": "rows in another order: expected",
    "energies_untouched": "it changed the energies in place: work on a copy",
    "gives_points_and_weights": "points and weights must be float64, got torch.float32",
    "weights_sum_to_one": "the sum of the weights: expected [1.0], got [2.0]",
    "has_the_moments": "the covariance in 1 dimensions: expected [1.0], got [4.0]",
    "is_the_same_every_time": "a second call's answer differs",
    "has_a_gradient": "the loss does not depend on the weights: learning needs its gradient",
    "weights_untouched": "it changed a weight: only a learner does",
    # solvers
    "takes_some_problem": "",
    **dict.fromkeys(
        [
            f"solves_{problem}"
            for problem in "convex rotated boxed simplex bayes kalman finite_plan stationary_plan".split()
        ],
        "of the first gap is left, expected",
    ),
    "solves_linear_plan": "of the first gap is left, expected",
    "solves_boxed_plan": "of the first gap is left, expected",
    "stays_in_bounds": "it leaves the box by",
    "stays_on_the_simplex": "",
    "converged_rows_are_frozen": "",
    "convergence_is_true": "nats above the minimum",
    "draws_follow_the_energy": "expected about",
    "rows_are_independent": "a batch against one of its rows alone: expected",
    "start_untouched": "it changed the start in place: work on a copy",
    "nothing_is_drawn_without_a_generator": "it draws from the global generator where it is given none",
    "steps_are_a_fold": "the second step from the same iterate differs",
    "evaluations_are_counted": "evaluations; it asked for",
    "nothing_is_hidden_by_nan": "an energy of NaN gave a solution of NaN without a word",
    # learners
    "reports_numbers": "",
    "counts_its_changes": "add 1 to model.version",
    "skips_steps_that_did_not_happen": "look at tick.valid",
    "starts_from_what_was_loaded": "do so only while model.version is 0",
    # agents
    "decides_for_every_row": "rows need actions (4, 2), got (1, 2)",
    "policy_covers_the_actions": "the sum of the policy's probabilities: expected",
    "state_is_a_value": "deciding again from the same state",
    "rows_can_begin_anew": "its state cannot be reset row by row",
    "rows_do_not_mix": "of a row while the other rows",
    "observations_untouched": "it changed the observation in place: work on a copy",
    "can_be_sealed": "informed must return an agent, got NoneType",
    # environments
    "walks": "step must return (observation, reward, terminated, truncated, info), got 4 things",
    "gymnasium_accepts_it": "The `reset` method does not provide an `options`",
    "a_seed_decides_an_episode": "two resets with seed 3 differ in the reward",
    "same_seed_same_trajectory": "draw from self.np_random only, and reset everything",
    "a_reset_continues_the_stream": "do not seed in reset yourself",
    "spaces_contain_what_is_seen": "",
    "agents_can_live_in_it": "Text",
    "draws_pictures": "a picture must be (height, width, 3), got (4, 4)",
    "true_model_is_lived": "pays",
    # metrics
    "declares_what_it_looks_at": "needs must name some of",
    "returns_a_measurement": "measure must return a Measurement, got float",
    "accounts_for_its_value": "",
    "prints_itself": "",
    "round_trips_json": "",
    "subject_untouched": "it changed the record it measured",
    "needs_what_it_reads": "",
    "reads_what_it_needs": "and it measures without: leave it out",
    "says_when_there_is_nothing": "an empty record gave",
    "known_answers_are_met": "must give 17.0 within 0.1, got",
}


def assert_only(kind: str, component: type, name: str) -> None:
    """That check fails, says its sentence, and all others pass or are not tried."""
    failures = [finding for finding in check(kind, component) if not finding.passed]
    assert [finding.check for finding in failures] == [name], "\n".join(map(str, failures))
    base = name.removeprefix("observation_").removeprefix("transition_").removeprefix("prior_")
    assert SAYS[base] in failures[0].message, failures[0].message
