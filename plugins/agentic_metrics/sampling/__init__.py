"""From episodes to numbers: what was seen, estimators of information, intervals and surrogates."""
