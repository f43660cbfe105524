"""Each way in which a promise is broken on purpose, and the tests that must notice."""

from tests.mutants import after_the_dot, hearing, keeping, limit, one_at_a_time

MUTATIONS = [
    *one_at_a_time.MUTATIONS,
    *limit.MUTATIONS,
    *after_the_dot.MUTATIONS,
    *keeping.MUTATIONS,
    *hearing.MUTATIONS,
]
