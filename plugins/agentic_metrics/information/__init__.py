"""Information metrics, I(X; Y | Z) of recorded variables: what flows, is stored and is integrated."""
