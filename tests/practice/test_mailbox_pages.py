"""The web mailbox: what a person sees, finds and downloads, and what never runs."""

import re
from html import unescape

import pytest
import requests

from tests.practice.clients import ANA, ANA_PASSWORD, BEN, deliver, logged_in, mail
from tests.practice_gmail import PracticeGmail

EVIL = (
    '<p onclick="steal()">Hi</p><script>steal()</script>'
    '<img src="https://tracker.example/pixel.png"><form action="https://evil.example"></form>'
)


def get(gmail: PracticeGmail, path: str, **query: str) -> requests.Response:
    return requests.get(f"{gmail.web}{path}", params=query, timeout=10)


def words(answer: requests.Response) -> str:
    """The text of a page, without tags and with single spaces."""
    text = re.sub(r"<(style|script).*?</\1>", "", answer.text, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def send(gmail: PracticeGmail, to: str, content: str, account: str = ANA) -> str:
    """Send a message; the address of its page."""
    with logged_in(gmail, account) as client:
        assert deliver(client, to, content)[0] == 250
    return f"/message/{gmail.ledger()[-1]['id']}"


def html_mail(html: str, subject: str = "Offer") -> str:
    return (
        f"From: {ANA}\r\nTo: ben@example.org\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe text & <more>\r\n"
        f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
    )


def test_it_shows_the_pictures_of_a_delivery_report(own_gmail: PracticeGmail) -> None:
    gmail = own_gmail
    gmail.control(answer_delay=0)
    send(gmail, "nobody-ana@example.org", mail())
    inbox = get(gmail, "/folder", account=ANA, name="inbox").text
    address = re.findall(r'href="(/message/[a-z0-9]+)"', inbox)[0]
    html = get(gmail, f"{address}/html").text
    assert "cid:" not in html
    assert 'src="data:image/png;base64,' in html
    assert "message/delivery-status" in words(get(gmail, address))


def test_it_says_that_nothing_has_left(gmail: PracticeGmail) -> None:
    page = send(gmail, "ben@example.org", mail())
    for path in ["/", f"/sent?account={ANA}", "/refused", page]:
        assert "Practice Gmail. Nothing here has left this machine." in get(gmail, path).text


def test_it_shows_accounts_with_their_app_passwords(gmail: PracticeGmail) -> None:
    text = words(get(gmail, "/"))
    assert ANA in text
    assert f"App password: {ANA_PASSWORD}" in text
    grouped = " ".join(re.findall("....", gmail.app_password(BEN)))
    assert f"App password: {grouped}" in text


def test_it_counts_messages_and_use_by_the_practice_clock(own_gmail: PracticeGmail) -> None:
    own_gmail.control(limit=5000)
    with logged_in(own_gmail) as client:
        for number in range(3):
            deliver(client, f"p{number}@example.org")
    text = words(get(own_gmail, "/"))
    assert "3 messages 3 of 5000 3 of 5,000 used in the last 24 hours." in text
    assert "0 messages 0 of 5000 0 of 5,000 used in the last 24 hours." in text
    own_gmail.control(clock_offset=90_000)
    text = words(get(own_gmail, "/"))
    assert "3 messages 0 of 5000 0 of 5,000 used in the last 24 hours." in text
    assert "shifted by +90,000 seconds" in text
    own_gmail.control(limit=0)
    with logged_in(own_gmail) as client:
        deliver(client, "one@example.org")
    text = words(get(own_gmail, "/"))
    assert "3 messages 0 of 0 0 of 0 used" in text
    assert "1 refusal" in text


def test_it_lists_messages_newest_first_100_a_page(own_gmail: PracticeGmail) -> None:
    with logged_in(own_gmail) as client:
        for number in range(205):
            to = f"p{number:03}@example.org"
            assert deliver(client, to, mail(to, subject=f"No. {number}"))[0] == 250
    first = get(own_gmail, "/sent", account=ANA)
    assert "205 messages in [Gmail]/Sent Mail. 205 of 500 used in the last 24 hours." in words(
        first
    )
    listed = re.findall(r"p\d{3}@example\.org", first.text)
    assert listed == [f"p{number:03}@example.org" for number in range(204, 104, -1)]
    assert "No. 204" in first.text
    second = requests.get(own_gmail.web + older(first), timeout=10)
    third = requests.get(own_gmail.web + older(second), timeout=10)
    listed = re.findall(r"p\d{3}@example\.org", third.text)
    assert listed == [f"p{number:03}@example.org" for number in range(4, -1, -1)]
    assert "Older" not in third.text
    assert "Newer" in third.text
    assert "0 messages" in words(get(own_gmail, "/sent", account=BEN))


def older(page: requests.Response) -> str:
    match = re.search(r'<a href="([^"]+)" rel="next">Older</a>', page.text)
    assert match
    return unescape(match[1])


def test_it_finds_messages_by_recipient(gmail: PracticeGmail) -> None:
    for to in ["zoe@shop.example", "ZOE@club.example", "adam@shop.example"]:
        send(gmail, to, mail(to))
    text = words(get(gmail, "/sent", account=ANA, to="zoe@"))
    assert re.search(r"\b2 of [\d,]+ messages\b", text)
    assert "zoe@shop.example" in text
    assert "ZOE@club.example" in text
    assert "adam@shop.example" not in text
    assert "No messages here." in words(get(gmail, "/sent", account=ANA, to="nobody"))


def test_it_keeps_what_was_searched_for_and_escapes_it(gmail: PracticeGmail) -> None:
    page = get(gmail, "/sent", account=ANA, to='"><script>x</script>')
    assert "<script" not in page.text
    assert 'value="&quot;&gt;&lt;script&gt;x&lt;/script&gt;"' in page.text


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999", "500"])
def test_it_copes_with_pages_that_do_not_exist(gmail: PracticeGmail, number: str) -> None:
    assert get(gmail, "/sent", account=ANA, page=number).status_code == 200
    assert get(gmail, "/refused", page=number).status_code == 200


def test_it_shows_a_message_with_its_header_text_and_source(gmail: PracticeGmail) -> None:
    subject = "=?utf-8?q?Gr=C3=BC=C3=9Fe_=26_=3Cb=3E?="
    path = send(gmail, "ben@example.org", html_mail("<p>Hello</p>", subject))
    page = get(gmail, path)
    text = words(page)
    assert "<h1>Grüße &amp; &lt;b&gt;</h1>" in page.text
    assert "To ben@example.org , accepted 20" in text
    assert f"Return-Path <{ANA}>" in text
    assert "The text & <more>" in text
    source = get(gmail, f"{path}/source")
    assert source.headers["Content-Type"] == "message/rfc822"
    assert source.headers["Content-Disposition"].startswith('attachment; filename="')
    assert source.content.endswith(b"<p>Hello</p>\r\n--b--\r\n")
    assert f"Subject: {subject}\r\n".encode() in source.content


def test_it_never_runs_the_authors_html(gmail: PracticeGmail) -> None:
    path = send(gmail, "ben@example.org", html_mail(EVIL, "<script>alert(1)</script>"))
    page = get(gmail, path)
    assert "<script" not in page.text
    assert (
        f'<iframe src="{path}/html" sandbox="" title="The message as HTML"></iframe>' in page.text
    )
    html = get(gmail, f"{path}/html")
    assert html.text.startswith(EVIL)
    policy = html.headers["Content-Security-Policy"].split("; ")
    assert policy[:2] == ["sandbox", "default-src 'none'"]
    assert "img-src data:" in policy
    assert not [rule for rule in policy if rule.startswith(("script-src", "connect-src"))]
    assert html.headers["X-Content-Type-Options"] == "nosniff"


def test_it_loads_nothing_from_elsewhere_and_needs_no_script(gmail: PracticeGmail) -> None:
    path = send(gmail, "ben@example.org", mail())
    for page in [get(gmail, "/"), get(gmail, "/sent", account=ANA), get(gmail, path)]:
        loaded = re.findall(r'(?:src|href|action)="([^"]+)"', page.text)
        assert "/style.css" in loaded
        assert not [address for address in loaded if not re.match(r"/(?!/)|data:,$", address)]
        assert "<script" not in page.text
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert page.headers["Referrer-Policy"] == "same-origin"
    style = get(gmail, "/style.css")
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_it_lists_what_was_refused(gmail: PracticeGmail) -> None:
    gmail.control(faults=[{"where": "dot", "reply": "552 5.7.0 <b>Not</b> this"}])
    with logged_in(gmail) as client:
        deliver(client, "refused@example.org")
    page = get(gmail, "/refused")
    assert "552 5.7.0 &lt;b&gt;Not&lt;/b&gt; this" in page.text
    assert f"refused@example.org 552 5.7.0 <b>Not</b> this {ANA}" in words(page)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no header at all",
        "Subject: =?nonsense?q?x?=\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nb\xe9d",
        "Content-Type: multipart/mixed\r\n\r\nno boundary",
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n',
        "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        "Subject: \x01\x02\x1f\r\n\r\n\x00\x01\x0b",
        "From: <<>>@@\r\nTo: ,,;:\r\nDate: never\r\nContent-Type: ///\r\n\r\nx",
        "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx",
        'Content-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment\r\n\r\nx',
    ],
)
def test_it_shows_messages_that_are_broken(gmail: PracticeGmail, content: str) -> None:
    with logged_in(gmail) as client:
        client.mail(ANA)
        client.rcpt("ben@example.org")
        assert client.data(content.encode("latin-1"))[0] == 250
    path = f"/message/{gmail.ledger()[-1]['id']}"
    for page in [get(gmail, path), get(gmail, "/sent", account=ANA), get(gmail, f"{path}/source")]:
        assert page.status_code == 200
    assert not re.search("[\x00-\x08]", get(gmail, path).text)
    assert get(gmail, f"{path}/html").status_code in (200, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/message/0123456789abcdef",
        "/message/0123456789abcdef/source",
        "/message/..%2f..%2faccounts.json/source",
        "/sent",
        "/sent?account=nobody@gmail.com",
        "//",
        "/style.css/",
    ],
)
def test_it_says_that_there_is_no_such_page(gmail: PracticeGmail, path: str) -> None:
    answer = get(gmail, path)
    assert answer.status_code == 404
    assert answer.text.startswith("There is no such ")


def test_it_takes_no_other_methods(gmail: PracticeGmail) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert requests.request(method, gmail.web, timeout=10).status_code == 405
    head = requests.head(gmail.web, timeout=10)
    assert (head.status_code, head.content) == (200, b"")


def test_it_shows_a_message_whose_file_was_taken_away_as_missing(own_gmail: PracticeGmail) -> None:
    path = send(own_gmail, "ben@example.org", mail())
    for file in (own_gmail.directory / "mail").iterdir():
        file.unlink()
    assert "(no subject)" in words(get(own_gmail, "/sent", account=ANA))
    assert get(own_gmail, path).status_code == 404


def test_it_shows_what_came_back(gmail: PracticeGmail) -> None:
    send(gmail, "blocked-pages@example.org", mail("blocked-pages@example.org", "Zebra"))
    gmail.control(clock_offset=60)
    links = re.findall(r'href="(/folder[^"]+)"', get(gmail, "/").text)
    inbox, sent, everything = (unescape(each) for each in links[:3])
    listed = words(get(gmail, inbox))
    assert "in Inbox." in listed
    assert "Mail Delivery Subsystem <mailer-daemon@googlemail.com>" in listed
    assert "Zebra" in words(get(gmail, sent))
    for word in ("Zebra", "Delivery Status Notification (Failure)"):
        assert word in words(get(gmail, everything))
    (newest, *_) = re.findall(r'href="(/message/[^"]+)"', get(gmail, inbox).text)
    letter = words(get(gmail, newest))
    assert "From Mail Delivery Subsystem" in letter
    assert "550 5.7.1 <blocked-pages@example.org>" in letter
    assert "X-Failed-Recipients" in get(gmail, f"{newest}/source").text


def test_it_has_no_page_for_other_folders(gmail: PracticeGmail) -> None:
    for account, name in ((ANA, "trash"), (ANA, ""), ("nobody@gmail.com", "inbox")):
        assert get(gmail, "/folder", account=account, name=name).status_code == 404
