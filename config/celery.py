"""Celery wakes somebody up; the database is the truth. The whole beat schedule stands here.

Tasks carry an id at most. Losing a task, running one twice, two beats at once: all harmless,
because what may be sent is decided by a claim in the database (`campaigns/delivery/claim.py`).
"""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from config.beat import Every

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# The broker that needs no server: files in the data folder, written whole.
TRANSPORT_ALIASES["filesystem"] = "config.file_broker:Transport"

app = Celery("daypost")
app.config_from_object("config.celery_settings")
app.autodiscover_tasks()

EVERY_SECONDS = 5  # `campaigns.tasks.TICK_SECONDS`
# What two clocks may be apart that both are believed: twice `accounts.clock.rules.AT_MOST_OFF`.
# Until when a tick is good is written down by the clock of beat and read by that of a worker.
APART_SECONDS = 142
# A tick that finds no worker within its period is worthless: the next one does the same.
app.conf.beat_schedule = {
    "deliver": {
        "task": "campaigns.tasks.deliver_due",
        "schedule": Every(EVERY_SECONDS),
        "options": {"expires": EVERY_SECONDS + APART_SECONDS},
    },
    "doubts": {
        "task": "campaigns.tasks.resolve_doubts",
        "schedule": Every(10),
        "options": {"expires": 10 + APART_SECONDS},
    },
    "inbox": {
        "task": "campaigns.tasks.read_what_came",
        "schedule": Every(10),
        "options": {"expires": 10 + APART_SECONDS},
    },
    "restored": {
        "task": "campaigns.tasks.resume_restored",
        "schedule": Every(30),
        "options": {"expires": 30 + APART_SECONDS},
    },
    "imports": {
        "task": "campaigns.tasks.resume_imports",
        "schedule": Every(30),
        "options": {"expires": 30 + APART_SECONDS},
    },
    # Every hour, for a machine that is never on for a whole day.
    "tidy": {
        "task": "campaigns.tasks.tidy",
        "schedule": Every(3600),
        "options": {"expires": 3600 + APART_SECONDS},
    },
    "doctor": {
        "task": "campaigns.tasks.resume_check_ups",
        "schedule": Every(10),
        "options": {"expires": 10 + APART_SECONDS},
    },
    "public address": {
        "task": "campaigns.tasks.look_at_public_address",
        "schedule": Every(60),
        "options": {"expires": 60 + APART_SECONDS},
    },
}
