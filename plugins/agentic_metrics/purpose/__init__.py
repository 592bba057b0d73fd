"""Goals, planning and rationality: what decisions pursue, judged in a known world."""
