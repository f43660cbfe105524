"""A mailbox of many mails on Dovecot, some of which answer messages of ours."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from imapclient import IMAPClient

from gmail.endpoints import Endpoints

ALL_MAIL = "[Gmail]/All Mail"
AT_ONCE = 500
# As other mail answers messages that are not ours.
ORDINARY = """Return-Path: <person{n}@elsewhere.example>\r
Received: from mx.elsewhere.example (mx.elsewhere.example [192.0.2.1]) by mx.google.com\r
Authentication-Results: mx.google.com; dkim=pass header.i=@elsewhere.example\r
From: Person {n} <person{n}@elsewhere.example>\r
To: club@gmail.com\r
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= no. {n}\r
Message-ID: <ordinary{n}@elsewhere.example>\r
In-Reply-To: <before{n}@elsewhere.example>\r
References: <first{n}@elsewhere.example> <before{n}@elsewhere.example>\r
Content-Type: text/plain; charset=utf-8\r
\r
{body}\r
"""
ANSWER = """From: {sender}\r
To: club@gmail.com\r
Subject: Re: News\r
Message-ID: <answer-{sender}>\r
In-Reply-To: {message_id}\r
References: {message_id}\r
Content-Type: text/plain; charset=utf-8\r
\r
Thank you.\r
"""


@contextmanager
def client(endpoints: Endpoints, address: str, password: str) -> Iterator[IMAPClient]:
    one = IMAPClient(
        endpoints.imap_host, endpoints.imap_port, ssl_context=endpoints.shared_ssl_context()
    )
    try:
        one.login(address, password)
        yield one
    finally:
        one.shutdown()


def fill(one: IMAPClient, ordinary: int, answers: Iterable[bytes], first: int = 0) -> None:
    """So many ordinary mails, with the answers somewhere among them."""
    waiting = _mails(ordinary, list(answers), first)
    while some := list(islice(waiting, AT_ONCE)):
        one.multiappend(ALL_MAIL, some)


def _mails(ordinary: int, answers: list[bytes], first: int) -> Iterator[bytes]:
    body = "Nothing for us. " * 60
    turns = [*range(ordinary), *(None for _ in answers)]
    random.shuffle(turns)
    for turn in turns:
        if turn is None:
            yield answers.pop()
        else:
            yield ORDINARY.format(n=first + turn, body=body).encode()


def answer(sender: str, message_id: str) -> bytes:
    return ANSWER.format(sender=sender, message_id=message_id).encode()
