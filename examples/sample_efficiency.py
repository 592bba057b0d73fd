"""How few steps of experience it takes: our agent in stock Gymnasium worlds, by the protocol of the RL libraries.

python examples/sample_efficiency.py                  # four tasks, one configuration, seeds 0 to 9
python examples/sample_efficiency.py pendulum --first 200 --seeds 3
python examples/sample_efficiency.py --learned        # reward and end learned too
python examples/sample_efficiency.py --hidden         # velocities hidden, with memory and without
python examples/sample_efficiency.py --peers          # learners of Stable-Baselines3 beside it
python examples/sample_efficiency.py --ablations      # what each part is good for

While it learns, the agent is sealed after every so many environment steps and plays 10 episodes, always on the same
seeds, which learning never sees. The figure is the first step at which their mean return reaches the threshold; then
the next three looks are made too. Warm-up steps of random actions count. Runs are kept, and the same command goes on
where it was interrupted. The script itself is the folder of the same name beside this file.
"""

from sample_efficiency.command import main

if __name__ == "__main__":  # workers import this module again
    main(__doc__)
