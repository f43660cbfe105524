"""One peer, set up as its documentation says. Runs in the venv of `requirements.txt`.

python peer.py NAME queue COUNT     write so many messages into its queue
python peer.py NAME send            what its documentation puts into cron
python peer.py NAME left            {"waiting", "given_up"}, by its own tables
"""

import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

APPS = {"post_office": "post_office", "mailer": "mailer"}


def main(name: str, command: str, *arguments: str) -> None:
    set_up(name)
    if command == "queue":
        call_command("migrate", verbosity=0)
        queue(name, int(arguments[0]))
    elif command == "send":
        if name == "mailer":
            call_command("retry_deferred")
        call_command("send_queued_mail" if name == "post_office" else "send_mail")
    else:
        sys.stdout.write(json.dumps(left(name)))


def set_up(name: str) -> None:
    url = urlsplit(os.environ["DATABASE_URL"])
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.strip("/"),
        "USER": url.username,
        "HOST": parse_qs(url.query)["host"][0],
    }
    backends = {"post_office": "post_office.EmailBackend", "mailer": "mailer.backend.DbBackend"}
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", APPS[name]],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        SECRET_KEY="of a database that is thrown away",
        EMAIL_BACKEND=backends[name],
        # Where the practice Gmail stands in for smtp.gmail.com; its CA comes by SSL_CERT_FILE.
        EMAIL_HOST=os.environ["GMAIL_SMTP_HOST"],
        EMAIL_PORT=int(os.environ["GMAIL_SMTP_STARTTLS_PORT"]),
        EMAIL_USE_TLS=True,
        EMAIL_HOST_USER=os.environ["ACCOUNT"],
        EMAIL_HOST_PASSWORD=os.environ["APP_PASSWORD"],
        TEMPLATES=[{"BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates"}]
        if name == "post_office"
        else [],
    )
    django.setup()


def queue(name: str, count: int) -> None:
    from django.core.mail import send_mail

    for number in range(count):
        send_mail("News", "Dear friend", os.environ["ACCOUNT"], [f"person{number}@example.org"])


def left(name: str) -> dict[str, int]:
    if name == "mailer":
        from mailer.models import Message

        return {"waiting": Message.objects.count(), "given_up": 0}
    from post_office.models import STATUS, Email

    return {
        "waiting": Email.objects.exclude(status__in=(STATUS.sent, STATUS.failed)).count(),
        "given_up": Email.objects.filter(status=STATUS.failed).count(),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
