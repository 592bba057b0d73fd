"""Ordinary feedforward regression against energies that are settled, on three questions: the study and its page.

python examples/feedforward_vs_energy.py               # docs/feedforward_vs_energy.md and its pictures
python examples/feedforward_vs_energy.py --quick       # a smoke test, into runs/study
python examples/feedforward_vs_energy.py --search      # choose the settings anew, on other seeds

The study itself is the folder of the same name beside this file.
"""

from feedforward_vs_energy.command import main

if __name__ == "__main__":  # workers import this module again
    main()
