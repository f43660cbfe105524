"""Time passes for Daypost without moving a clock: its records become older by so many hours.

python -m benchmarks.peers.later HOURS
"""

import os
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db.models import F  # noqa: E402

from accounts.models import GmailAccount, LedgerRow, Rest  # noqa: E402
from campaigns.models import CampaignAccount, Message  # noqa: E402

MOMENTS = {
    GmailAccount: ("burst_until", "resting_until", "learned_at", "sent_search_until"),
    LedgerRow: ("reserved_at", "at"),
    Rest: ("began_at", "until", "ended_at"),
    CampaignAccount: ("last_claim_at",),
    Message: (
        *("claim_until", "not_before", "handed_over_at", "sent_at"),
        *("doubt_since", "look_again_at", "held_at"),
    ),
}

age = timedelta(hours=float(sys.argv[1]))
for model, names in MOMENTS.items():
    model.objects.update(**{name: F(name) - age for name in names})
