"""Ordinary feedforward regression against energies that are settled: three questions, the same budget, several seeds.

`relations`: one input with two right answers. `conservation`: a law known beforehand. `latents`: settling while
learning, or only afterwards. Each world is made in code (`arm`, `pendulum`, `glyphs`), and so is each page that says
what came out (`page`, `plots`).
"""
