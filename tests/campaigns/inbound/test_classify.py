"""What a mail is, by itself."""

from email.message import EmailMessage

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.inbound.classify import Kind, classify
from gmail.inbound_header import InboundHeader

REPORT = b"""From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
Received: by 2002:a05:6000:1 with SMTP id abc; Mon, 2 Nov 2026 10:00:00 -0800 (PST)
Message-ID: <r@mx.google.com>
Content-Type: multipart/report; boundary=b; report-type=delivery-status

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com

Final-Recipient: rfc822; ana@example.org
Action: %(action)s
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b--
"""


def letter(text: str = "Thank you.", subject: str = "Re: News", **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Ana <ana@example.org>"
    mail["Subject"] = subject
    mail["Message-ID"] = "<answer@example.org>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def kind_of(raw: bytes) -> Kind | None:
    came = classify(raw, opts_out=False)
    return came and came.kind


def test_it_takes_what_a_person_wrote_for_a_reply_without_what_it_quotes() -> None:
    came = classify(letter("Thank you!\n\nAna\n\nOn Monday, Club wrote:\n> News\n"), opts_out=False)
    assert came is not None
    assert (came.kind, came.text) == (Kind.REPLY, "Thank you!\n\nAna")
    assert came.header.sender == "ana@example.org"


@pytest.mark.parametrize(
    "raw",
    [
        letter(Auto_Submitted="auto-replied"),
        letter(Auto_Submitted="auto-generated; x=1"),
        letter(Precedence="bulk"),
        letter(Precedence="auto_reply"),
        letter(X_Autoreply="yes"),
        letter(X_Auto_Response_Suppress="DR, OOF, AutoReply"),
        letter(Return_Path="<>"),
        *(
            letter(subject=subject)
            for subject in (
                "Automatic reply: News", "Out of Office: News", "Abwesenheitsnotiz: News",
                "Automatische Antwort: News", "Réponse automatique : News", "AW: Abwesenheit",
                "Respuesta automática: News", "Risposta automatica: News", "Autosvar: News",
                "Automatisch antwoord: News", "Resposta automática: News", "自動返信: News",
                "Odpowiedź automatyczna: News", "Автоответ: News", "[Auto-Reply] News",
            )
        ),
    ],
)  # fmt: skip
def test_it_tells_automatic_answers_from_what_a_person_wrote(raw: bytes) -> None:
    assert kind_of(raw) is Kind.AUTOMATIC


@pytest.mark.parametrize(
    "subject", ["Re: News", "Re: Our automatic gate is broken", "Outdoor office", "Automaten"]
)
def test_it_takes_no_ordinary_subject_for_an_automatic_one(subject: str) -> None:
    assert kind_of(letter(subject=subject, Auto_Submitted="no")) is Kind.REPLY


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: News", "STOP"),
        ("Re: News", "Please remove me from your mailing list.\n\nAna"),
        ("Re: News", "\n  Unsubscribe!\n\n> News"),
        ("unsubscribe", "This message was sent by a mail program."),
        ("Aw: News", "Bitte abmelden"),
        ("Re: News", "désabonner"),
        ("Re: News", "Darme de baja"),
        ("Re: News", "Cancellami"),
        ("Re: News", "afmelden."),
    ],
)
def test_it_hears_who_asks_to_stop(subject: str, text: str) -> None:
    assert kind_of(letter(text, subject)) is Kind.OPT_OUT


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: News", "Stop by any time, we are open until six."),
        ("Re: News", "I could not stop laughing."),
        ("Re: Unsubscribe", "How do I unsubscribe from the paper edition?"),
        ("Re: News", "Thank you!\n\n> To unsubscribe, answer with STOP\n> unsubscribe"),
    ],
)
def test_it_takes_no_other_words_for_an_opt_out(subject: str, text: str) -> None:
    assert kind_of(letter(text, subject)) is Kind.REPLY


def test_it_reads_a_delivery_report_and_who_vouches_for_it() -> None:
    came = classify(REPORT % {b"action": b"failed"}, opts_out=False)
    assert came is not None
    assert came.kind is Kind.REPORT
    assert came.by_gmail
    assert [report.recipient for report in came.reports] == ["ana@example.org"]


def test_it_leaves_aside_a_report_that_all_is_well() -> None:
    assert kind_of(REPORT % {b"action": b"delivered"}) is None


def test_it_knows_the_same_mail_again_and_no_other() -> None:
    one, again = classify(letter(), opts_out=False), classify(letter("cut"), opts_out=False)
    other = classify(letter().replace(b"<answer@", b"<other@"), opts_out=False)
    nameless = classify(letter().replace(b"Message-ID", b"X-Nothing"), opts_out=False)
    assert one and again and other and nameless
    assert one.key == again.key
    assert len({one.key, other.key, nameless.key}) == 3


def _nested(depth: int) -> bytes:
    """A mail in a mail in a mail."""
    return b"From: a@b.example\nContent-Type: message/rfc822\n\n" * depth + letter()


BAD = {
    "nothing": b"",
    "no header": b"\n\nhello",
    "cut in its header": letter()[:20],
    "cut in its body": REPORT[:330],
    "no boundary": letter().replace(b"text/plain", b"multipart/mixed"),
    "boundary that never comes": b"From: a@b\nContent-Type: multipart/mixed; boundary=x\n\nhello",
    "unknown charset": letter().replace(b"utf-8", b"x-nowhere"),
    "wrong charset": letter().replace(b"utf-8", b"utf-16").replace(b"Thank", b"\xff\xfe\xd8"),
    "bytes in its header": b"From: \xff\xfe <a@b.example>\nSubject: =?utf-8?b?////?=\n\nhi",
    "half an encoded word": b"From: =?utf-8?q?a=\nSubject: =?x?y?z?=\n\nhi",
    "impossible date": letter() .replace(b"Subject", b"Date: 99 Foo 99999 99:99:99\nSubject"),
    "nested 200 deep": _nested(200),
    "nested 20,000 deep": _nested(20_000),
    "multiparts 200 deep": b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(200)
    ),
    "200,000 addresses": b"From: a@b\nTo: " + b"x@y.example," * 200_000 + b"\n\nhi",
    "a line of a million": b"From: a@b\nReferences: " + b"<" * 1_000_000 + b"\n\nhi",
    "charset that is no name": letter(subject="x").replace(b"x", "=?\u00fc?q?hi?=".encode(), 1),
    "comments in comments": b"From: " + b"(" * 5_000 + b")" * 5_000 + b" a@b\n\nhi",
    # What takes the time of its length squared would be seen to hang.
    "a subject of marks": b"From: a@b\nSubject: " + b"!" * 300_000 + b"\n\nhi",
    "a subject of encoded words": b"From: a@b\nSubject: " + b"=?u?q?x" * 40_000 + b"\n\nhi",
    "comments without end": b"From: a@b\nContent-Type: text/html\n\n" + b"<!--" * 70_000,
    "styles without end": b"From: a@b\nContent-Type: text/html\n\n" + b"<style " * 40_000,
    "results in brackets": b"Authentication-Results: " + b"(" * 150_000 + b")" * 150_000
    + b"\nFrom: mailer-daemon@googlemail.com\n\nhi",
    "NULs": b"From: a\x00@b.example\nSubject: a\x00b\n\nhel\x00lo",
}  # fmt: skip


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD.keys())
def test_it_makes_no_fuss_about_a_mail_that_is_badly_made(raw: bytes) -> None:
    came = classify(raw, opts_out=False)
    if came is not None:
        assert "\x00" not in came.text + came.header.subject + came.header.sender
        (came.text + came.header.subject + came.header.sender).encode()


def test_it_shows_the_words_of_html_and_nothing_of_its_markup() -> None:
    mail = EmailMessage()
    mail["From"] = "ana@example.org"
    mail["Subject"] = "=?utf-8?q?=3Cscript=3Ealert(1)=3C/script=3E?="
    mail.set_content(
        "<style>p{}</style><script>alert(1)</script><p>Hello &lt;b&gt;</p><p>there</p>"
        "<blockquote>old</blockquote>",
        subtype="html",
    )
    came = classify(mail.as_bytes(), opts_out=False)
    assert came is not None
    assert came.text.split() == ["Hello", "<b>", "there"]


NASTY = st.lists(
    st.sampled_from(
        [b"From: ", b"To: ", b"Subject: ", b"Content-Type: multipart/report; boundary=b", b"--b",
         b"message/delivery-status", b"Content-Type: ", b"\r\n", b"\n", b"\n\n", b"<a@b>", b"@",
         b"=?utf-8?b?", b"?=", b"mailer-daemon@", b"Final-Recipient: rfc822;", b"\xff", b"\x00",
         b"(", b'"', b"charset=", b"Date: ", b"Authentication-Results: ", b";", b"+", b">"]
    ) | st.binary(max_size=8),
    max_size=60,
).map(b"".join)  # fmt: skip


@given(NASTY)
@hypothesis.settings(max_examples=300, deadline=None)
def test_it_never_fails_at_what_anybody_may_send(raw: bytes) -> None:
    InboundHeader.read(raw)
    came = classify(raw, opts_out=False)
    if came is not None:
        "".join([came.text, came.header.subject, came.header.sender]).encode()
        for report in came.reports:
            f"{report.recipient}{report.said}".encode()
