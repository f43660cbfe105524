"""Each phase of SMTP, broken from Gmail's side: the line cut, silence, and every kind of no.

Replies and hanging are the practice Gmail's own faults; the line is cut by a proxy that hears both
sides, before exactly one line of one of them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gmail.endpoints import Endpoints
from gmail.smtp import SmtpSession
from tests.contracts.cutting_proxy import HOST, Conversation, Cut, CuttingProxy, How
from tests.torture import named, working
from tests.torture.checker import Expected, Verdict
from tests.torture.stage import Stage

# Where the line is cut, and whether that leaves a doubt.
CUTS = {
    "before 354": False,
    "in the body": False,
    "before the dot": True,
    "before 250": True,
    "after 250": False,
}
HOWS: tuple[How, ...] = ("close", "half", "reset", "silence")

NOES = {
    "connect": ("421 4.3.0 Try again later", "554 5.7.0 No service"),
    "auth": ("421 4.7.0 Try again later", "454 4.7.0 Too many login attempts"),
    "mail": ("421 4.7.0 Try again later", "451 4.3.0 Later", "550 5.4.5 Limit exceeded"),
    "rcpt": ("421 4.7.0 Try again later", "450 4.2.1 Later", "550 5.1.1 No such user"),
    "data": ("421 4.7.28 Unusual rate", "454 4.7.0 Later", "550 5.4.5 Limit exceeded"),
    "body": ("421 4.7.0 Try again later", "451 4.3.0 Later", "552 5.3.4 Too large"),
    "dot": ("421 4.7.0 Try again later", "451 4.3.0 Later", "550 5.4.5 Limit exceeded"),
    "accepted": (),
}
# Where the line breaks or falls silent behind the dot nobody knows.
BEHIND_THE_DOT = ("dot", "accepted")
WITH_RECIPIENT = ("rcpt", "data", "body", *BEHIND_THE_DOT)
TOO_LONG_SECONDS = 1.5
PATIENCE_SECONDS = 0.8


def faults() -> dict[str, tuple[dict[str, Any], bool]]:
    """By the case's name, a fault of the practice Gmail, and whether it leaves a doubt."""
    cases: dict[str, tuple[dict[str, Any], bool]] = {}
    for where, noes in NOES.items():
        for no in noes:
            cases[f"{no[:9].strip()} at {where}"] = {"where": where, "reply": no}, False
        doubt = where in BEHIND_THE_DOT
        cases[f"cut at {where}"] = {"where": where, "drop": True}, doubt
        # Whoever only speaks does not notice silence: the dot is given before an answer is missed.
        doubt = doubt or where == "body"
        cases[f"silence at {where}"] = {"where": where, "hang": TOO_LONG_SECONDS}, doubt
    return cases


def run_all(stage: Stage) -> Iterator[tuple[str, Verdict]]:
    for name, (fault, doubt) in faults().items():
        yield f"Gmail says: {name}", _run_fault(stage, fault, doubt)
    for phase, leaves_doubt in CUTS.items():
        for how in HOWS:
            doubt = leaves_doubt or (how == "silence" and phase == "in the body")
            yield f"line cut: {how} {phase}", _run_cut(stage, phase, how, doubt)


def _run_fault(stage: Stage, fault: dict[str, Any], doubt: bool) -> Verdict:
    people = named.four_people(stage)
    if fault["where"] in WITH_RECIPIENT:
        fault = {**fault, "to": sorted(people)[1][1]}
    stage.gmail.control(faults=[fault])

    def work() -> None:
        working.hurry(PATIENCE_SECONDS)
        working.one_pass()

    stage.child("worker", work).wait()
    left = stage.gmail.control(faults=[])["faults"]
    return _judge(stage, people, doubt, reached=not left)


def _run_cut(stage: Stage, phase: str, how: How, doubt: bool) -> Verdict:
    folder = stage.log.parent / "proxy"
    folder.mkdir(exist_ok=True)
    heard = folder / "heard.json"
    if not heard.exists():
        named.four_people(stage)
        stage.child("worker", lambda: _work_through(stage, folder, None, heard)).wait()
    cut = Cut(*_line_of(phase, json.loads(heard.read_text())), how)
    people = named.four_people(stage)
    stage.child("worker", lambda: _work_through(stage, folder, cut, None)).wait()
    # Half of a 250 says enough; what was cut even before its number does not.
    known = None if (phase, how) == ("before 250", "half") else doubt
    return _judge(stage, people, known)


def _judge(
    stage: Stage, people: set[tuple[int | None, str]], doubt: bool | None, reached: bool = True
) -> Verdict:
    working.as_person()
    doubted = working.until_calm(stage)
    verdict = stage.judge(Expected(people), doubted)
    if not reached:
        verdict.note("disagreements", "the fault has never struck")
    if doubt is not None:
        named.compare(verdict, doubt, doubted)
    return verdict


def _work_through(stage: Stage, folder: Path, cut: Cut | None, heard: Path | None) -> None:
    working.hurry(PATIENCE_SECONDS)
    gmail = stage.gmail.env
    port, ca_file = int(gmail["GMAIL_SMTP_SSL_PORT"]), gmail["GMAIL_CA_FILE"]
    with (
        CuttingProxy(folder, HOST, port, ca_file) as proxy,
        proxy.conversation(cut) as talk,
        _first_session_through(talk, proxy.ca_file),
    ):
        working.one_pass()
    if heard is not None:
        heard.write_text(json.dumps([[side, line.decode()] for side, line in talk.lines]))


@contextmanager
def _first_session_through(talk: Conversation, ca_file: str) -> Iterator[None]:
    """Later ones go straight to Gmail."""
    original = SmtpSession.open.__func__  # type: ignore[attr-defined]
    ports = [talk.port]

    def through(cls: type[SmtpSession], endpoints: Endpoints, **rest: Any) -> SmtpSession:
        if ports:
            endpoints = replace(endpoints, smtp_ssl_port=ports.pop(), ca_file=ca_file)
        session: SmtpSession = original(cls, endpoints, **rest)
        return session

    SmtpSession.open = classmethod(through)  # type: ignore[assignment]
    yield


def _line_of(phase: str, heard: list[tuple[str, str]]) -> tuple[Any, int]:
    """The side and the number of the first line that is not passed on any more."""
    client = [line for side, line in heard if side == "client"]
    server = [line for side, line in heard if side == "server"]
    data = next(n for n, line in enumerate(client, 1) if line.startswith("DATA"))
    dot = next(n for n, line in enumerate(client, 1) if line == ".\r\n")
    go_ahead = next(n for n, line in enumerate(server, 1) if line.startswith("354"))
    return {
        "before 354": ("server", go_ahead),
        "in the body": ("client", data + 3),
        "before the dot": ("client", dot),
        "before 250": ("server", go_ahead + 1),
        "after 250": ("client", dot + 1),
    }[phase]
