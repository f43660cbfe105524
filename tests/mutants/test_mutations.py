"""`make mutants` takes a while; that each still fits the code is seen at once."""

import re
from pathlib import Path

import pytest

from tests.mutants.mutation import Mutation
from tests.mutants.mutations import MUTATIONS

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_it_fits_the_code_and_names_tests_that_are_there(mutation: Mutation) -> None:
    for edit in mutation.edits:
        assert (REPOSITORY / edit.file).read_text().count(edit.old) == 1, edit.file
    for test in mutation.tests:
        file, *within = test.split("::")
        text = (REPOSITORY / file).read_text()
        for name in within:
            assert re.search(rf"^ *(class|def) {name.partition('[')[0]}\b", text, re.M), test


def test_no_two_have_the_same_name() -> None:
    names = [one.name for one in MUTATIONS]
    assert sorted(set(names)) == sorted(names)
