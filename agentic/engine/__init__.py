"""Beliefs, domains, energies, objectives and what minimizes them: the one engine of perceiving, acting and learning."""
