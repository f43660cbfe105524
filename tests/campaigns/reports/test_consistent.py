import pytest

from campaigns.models import Message
from campaigns.reports.consistent import consistent_reads
from tests.campaigns.making import make_account, make_campaign, make_workspace


@pytest.mark.django_db(transaction=True)
def test_it_sees_nothing_of_what_is_written_meanwhile() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    workspace = make_workspace()
    campaign = make_campaign(workspace, [make_account(workspace)])

    def send_all() -> None:
        campaign.messages.update(state=Message.State.SENT)
        connection.close()

    waiting = campaign.messages.filter(state=Message.State.WAITING)
    with consistent_reads():
        assert waiting.count() == 3
        with ThreadPoolExecutor(1) as pool:
            # It does not hold the sender up either.
            pool.submit(send_all).result(timeout=10)
        assert waiting.count() == 3
    assert waiting.count() == 0
