"""The whole way that an application goes: consent, tokens, XOAUTH2, a message, the ledger."""

from urllib.parse import parse_qs, urlsplit

from tests.practice.clients import (
    ANA,
    OAuthClient,
    deliver,
    mail,
    smtp_plain,
    smtp_ssl,
    trust,
    xoauth2,
)
from tests.practice_gmail import PracticeGmail


def test_it_sends_a_message_with_a_token_from_the_consent_page(gmail: PracticeGmail) -> None:
    oauth = OAuthClient(gmail)
    location = gmail.consent(oauth.url(), account=ANA)
    result = parse_qs(urlsplit(location).query)
    assert result["state"] == [oauth.state]
    tokens = oauth.exchange(result["code"][0]).json()
    assert oauth.userinfo(tokens["access_token"]).json()["email"] == ANA

    before = len(gmail.ledger())
    with smtp_ssl(gmail) as client:
        code, _ = client.docmd("AUTH", f"XOAUTH2 {xoauth2(ANA, tokens['access_token'])}")
        assert code == 235
        code, reply = deliver(client, "ben@example.org", mail(subject="First"))
    assert code == 250
    assert reply.startswith("2.0.0 OK ")
    rows = gmail.ledger()[before:]
    assert [(row["account"], row["to"], row["recipients"]) for row in rows] == [
        (ANA, "ben@example.org", 1)
    ]


def test_it_sends_a_message_with_an_app_password_after_starttls(gmail: PracticeGmail) -> None:
    before = len(gmail.ledger())
    with smtp_plain(gmail) as client:
        client.starttls(context=trust(gmail))
        client.login(ANA, gmail.app_password(ANA))
        code, _ = deliver(client, "cleo@example.org")
    assert code == 250
    assert [row["to"] for row in gmail.ledger()[before:]] == ["cleo@example.org"]
