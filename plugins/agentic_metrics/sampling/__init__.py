"""From recorded episodes to estimates: series, samples, estimators of information, intervals and surrogates."""
