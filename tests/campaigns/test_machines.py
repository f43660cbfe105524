"""Who is taken for a program, by the names that programs and people come with."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.machines import Look, at_once_with, is_machine, is_on_arrival, is_same

NOW = datetime(2027, 3, 3, 12, tzinfo=UTC)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    "name",
    [
        CHROME,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/131.0.0.0 Mobile Safari/537.36 EdgA/131.0.0.0",
    ],
)
def test_it_takes_people_for_people(name: str) -> None:
    assert not is_machine(name, {})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mozilla/5.0",  # Apple's proxy, whether the mail is read or not
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
        "python-requests/2.32.3",
        "curl/8.11.0",
        "Wget/1.24.5",
        "Go-http-client/2.0",
        "Java/17.0.2",
        "Apache-HttpClient/5.3",
        "node-fetch/1.0",
        "Barracuda Sentinel (EE)",
        "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
        "WhatsApp/2.24.1 A",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 6.1) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    ],
)
def test_it_knows_programs_by_their_names(name: str) -> None:
    assert is_machine(name, {})


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}],
)
def test_it_does_not_count_what_is_fetched_before_anybody_looks(headers: dict[str, str]) -> None:
    assert is_machine(CHROME, headers)


def test_it_counts_nobody_before_the_mail_can_have_come() -> None:
    assert is_on_arrival(NOW + timedelta(seconds=3), NOW)
    assert not is_on_arrival(NOW + timedelta(seconds=10), NOW)
    assert not is_on_arrival(NOW, None)


def look(seconds: float, link: int | None = 1) -> Look:
    return Look(link, NOW + timedelta(seconds=seconds))


def test_it_knows_a_program_by_two_links_within_two_seconds() -> None:
    before = [look(0, 1), look(-1, None), look(-60, 3)]
    assert at_once_with(look(1.5, 2), before) == [look(0, 1)]
    assert at_once_with(look(1, 2), before) == [look(0, 1), look(-1, None)]
    assert at_once_with(look(2.5, 2), before) == []
    # The same link twice is a person with an unsteady hand; a picture belongs to the first look.
    assert at_once_with(look(1, 1), before) == []
    assert at_once_with(look(0.5, 1), [look(0, None)]) == []
    # And the picture after two links is the program's as well.
    assert len(at_once_with(look(1, None), [look(0, 1), look(0, 2)])) == 2


def test_it_counts_the_same_look_once() -> None:
    assert is_same(look(5), [look(0)])
    assert not is_same(look(11), [look(0)])
    assert not is_same(look(5, 2), [look(0)])
