"""A package, so that no `tests` of another distribution (infomeasure brings one) is imported in its place."""
