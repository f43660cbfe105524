"""One peer, set up as its documentation says. Runs in the venv of `requirements.txt`.

python peer.py NAME queue COUNT     write so many messages into its queue
python peer.py NAME send            what its documentation puts into cron
python peer.py NAME later HOURS     what it put off becomes due so many hours earlier
python peer.py NAME left            {"waiting", "given_up"}, by its own tables

NAME is post_office or mailer; with -tuned behind it, its own settings are set for these faults.
"""

import json
import os
import sys
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.db.models import F

BACKENDS = {"post_office": "post_office.EmailBackend", "mailer": "mailer.backend.DbBackend"}
TUNED = {
    "post_office": {
        "POST_OFFICE": {
            # What was sent is noted after each message, not after each hundred.
            "BATCH_SIZE": 1,
            "THREADS_PER_PROCESS": 1,
            # A limit of 24 hours is waited for, not given up at once.
            "MAX_RETRIES": 100,
            "RETRY_INTERVAL": timedelta(hours=24),
        }
    },
    "mailer": {
        # The rows' own locks remain; no file is left behind by a killed sender.
        "MAILER_USE_FILE_LOCK": False,
        # A pass ends with the first message that is put off.
        "MAILER_EMAIL_MAX_DEFERRED": 1,
    },
}


def main(name: str, command: str, *arguments: str) -> None:
    peer, _, tuned = name.partition("-")
    set_up(peer, TUNED[peer] if tuned else {})
    if command == "queue":
        call_command("migrate", verbosity=0)
        queue(int(arguments[0]))
    elif command == "send":
        if peer == "mailer":
            call_command("retry_deferred")
        call_command("send_queued_mail" if peer == "post_office" else "send_mail")
    elif command == "later":
        later(peer, timedelta(hours=float(arguments[0])))
    else:
        sys.stdout.write(json.dumps(left(peer)))


def set_up(peer: str, tuned: dict[str, object]) -> None:
    url = urlsplit(os.environ["DATABASE_URL"])
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.strip("/"),
        "USER": url.username,
        "HOST": parse_qs(url.query)["host"][0],
    }
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", peer],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        SECRET_KEY="of a database that is thrown away",
        EMAIL_BACKEND=BACKENDS[peer],
        # Where the practice Gmail stands in for smtp.gmail.com; its CA comes by SSL_CERT_FILE.
        EMAIL_HOST=os.environ["GMAIL_SMTP_HOST"],
        EMAIL_PORT=int(os.environ["GMAIL_SMTP_STARTTLS_PORT"]),
        EMAIL_USE_TLS=True,
        EMAIL_HOST_USER=os.environ["ACCOUNT"],
        EMAIL_HOST_PASSWORD=os.environ["APP_PASSWORD"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        **tuned,
    )
    django.setup()


def queue(count: int) -> None:
    from django.core.mail import send_mail

    for number in range(count):
        send_mail("News", "Dear friend", os.environ["ACCOUNT"], [f"person{number}@example.org"])


def later(peer: str, age: timedelta) -> None:
    """Only post_office notes a time; django-mailer tries again when it is told to."""
    if peer == "post_office":
        from post_office.models import Email

        Email.objects.update(scheduled_time=F("scheduled_time") - age)


def left(peer: str) -> dict[str, int]:
    if peer == "mailer":
        from mailer.models import Message

        return {"waiting": Message.objects.count(), "given_up": 0}
    from post_office.models import STATUS, Email

    return {
        "waiting": Email.objects.exclude(status__in=(STATUS.sent, STATUS.failed)).count(),
        "given_up": Email.objects.filter(status=STATUS.failed).count(),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
