"""What flows, is stored and is integrated: metrics that are I(X; Y | Z) of recorded variables."""
