from django.db import connection
from django.test import TransactionTestCase

from articles import frozen


class CommittedTestCase(TransactionTestCase):
    """Tests of what other connections and processes see: nothing is rolled back, so rows are deleted afterwards."""

    # The groups come with the migrations; a flush would take them away from the tests that follow.
    serialized_rollback = True

    def _fixture_teardown(self):
        for model in frozen.guarded_models():
            frozen.unguard(connection, model)
        super()._fixture_teardown()
        for model in frozen.guarded_models():
            frozen.guard(connection, model)
