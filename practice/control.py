"""``/control``: shift the clock, set the limit, change Gmail's settings, plant faults, and more.

POST takes a JSON object with any of these keys. Everything is checked before anything is done.

    clock_offset   seconds against real time
    limit          recipients in any 24 hours
    sent_delay     seconds until a copy lies in Sent
    answer_delay   seconds until mail lies in an inbox, and until a recipient's answer does
    imap, pop      {EMAIL: bool}, whether the account may use the protocol
    aliases        {EMAIL: [ADDRESS, ...]}, what else its messages may be from
    hide           {EMAIL: ["sent", ...]}, folders with "Show in IMAP" off: all, drafts, important,
                   inbox, sent, junk, flagged, trash
    faults         a list, see ``practice.faults``
    revoke         the address whose OAuth consent dies
    end_sessions   "smtp", "imap" or "pop": live sessions end as when their time is over

GET and POST both answer the state as JSON, with the successful logins of each account since the
start by protocol. All but faults and logins survives a restart.

A page of another site cannot post here: only the content type application/json is taken, which
browsers do not send across sites without being allowed to, and nobody is allowed.
"""

import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

from practice.faults import FaultRefused, parse_faults
from practice.folders import ROLES
from practice.service import Service
from practice.sessions import PROTOCOLS
from practice.web import Answer, Call, Route, plain

# Ten years, so that every moment stays one that a date can hold.
LARGEST_OFFSET = 10 * 366 * 86_400
LONGEST_DELAY = 86_400
FOLDERS = ", ".join(ROLES)


class ControlRefused(Exception):
    """What was posted cannot be done; the text is a sentence for people."""


class Control:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings: dict[str, Callable[[object], Callable[[], None]]] = {
            "clock_offset": self._clock_offset,
            "limit": self._limit,
            "faults": self._faults,
            "revoke": self._revoke,
            "sent_delay": partial(self._delay, "sent_delay"),
            "answer_delay": partial(self._delay, "answer_delay"),
            "imap": partial(self._of_accounts, "imap", _is_switch, "true or false"),
            "pop": partial(self._of_accounts, "pop", _is_switch, "true or false"),
            "aliases": partial(self._of_accounts, "aliases", _are_addresses, "a list of addresses"),
            "hide": partial(self._of_accounts, "hide", _are_folders, f"a list of {FOLDERS}"),
            "end_sessions": self._end_sessions,
        }

    def routes(self) -> list[Route]:
        return [Route("GET", "/control", self.show), Route("POST", "/control", self.change)]

    def show(self, call: Call) -> Answer:
        service = self._service
        state: dict[str, Any] = {
            "now": service.clock.now().isoformat(timespec="microseconds"),
            "clock_offset": service.clock.offset,
            "limit": service.limit,
            "faults": service.faults.as_json(),
            "accounts": [
                {
                    "email": account.email,
                    "used_24h": service.used(account),
                    "logins": service.sessions.logins(account),
                }
                for account in service.accounts
            ],
            "sent_delay": service.settings.sent_delay,
            "answer_delay": service.settings.answer_delay,
        }
        emails = [account.email for account in service.accounts]
        for name in ("imap", "pop", "aliases", "hide"):
            state[name] = service.settings.each(name, emails)
        encoded = json.dumps(state, indent=2).encode() + b"\n"
        return Answer(encoded, content_type="application/json; charset=utf-8")

    def change(self, call: Call) -> Answer:
        if call.content_type != "application/json":
            return plain("Send JSON, with the content type application/json.", 415)
        if call.is_from_elsewhere:
            return plain("Another site's page may not control the practice Gmail.", 403)
        try:
            changes = self._read(call.body)
        except (ControlRefused, FaultRefused) as err:
            return plain(str(err), 400)
        for change in changes:
            change()
        self._service.keep_state()
        self._service.post.deliver()
        return self.show(call)

    def _read(self, body: bytes) -> list[Callable[[], None]]:
        try:
            wanted = json.loads(body)
        except ValueError as err:
            raise ControlRefused("This is not JSON.") from err
        if not isinstance(wanted, dict):
            raise ControlRefused('Send a JSON object like {"limit": 500}.')
        unknown = sorted(set(wanted) - set(self._settings))
        if unknown:
            names = ", ".join(self._settings)
            raise ControlRefused(f'"{unknown[0]}" is not known here. Known are: {names}.')
        return [self._settings[name](value) for name, value in wanted.items()]

    def _clock_offset(self, value: object) -> Callable[[], None]:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or abs(value) > LARGEST_OFFSET:  # type: ignore
            raise ControlRefused('"clock_offset" must be a number of seconds, at most ten years.')
        offset = float(value)  # type: ignore
        return lambda: setattr(self._service.clock, "offset", offset)

    def _limit(self, value: object) -> Callable[[], None]:
        if type(value) is not int or value < 0:
            raise ControlRefused('"limit" must be a whole number, 0 or more.')
        return lambda: setattr(self._service, "limit", value)

    def _faults(self, value: object) -> Callable[[], None]:
        faults = parse_faults(value)
        return lambda: self._service.faults.replace(faults)

    def _revoke(self, value: object) -> Callable[[], None]:
        account = self._service.accounts.get(value) if isinstance(value, str) else None
        if account is None:
            raise ControlRefused('"revoke" must be the address of a practice account.')
        email = account.email
        return lambda: self._service.oauth.revoke_account(email)

    def _delay(self, name: str, value: object) -> Callable[[], None]:
        if type(value) not in (int, float) or not 0 <= value <= LONGEST_DELAY:  # type: ignore
            raise ControlRefused(f'"{name}" must be a number of seconds, at most a day.')
        return lambda: setattr(self._service.settings, name, float(value))  # type: ignore

    def _of_accounts(
        self, name: str, is_good: Callable[[object], bool], form: str, value: object
    ) -> Callable[[], None]:
        """A setting that each account has for itself; accounts that are not named keep theirs."""
        accounts = self._service.accounts
        if not isinstance(value, dict) or not all(accounts.get(email) for email in value):
            raise ControlRefused(f'"{name}" must be an object with addresses of practice accounts.')
        if not all(is_good(each) for each in value.values()):
            raise ControlRefused(f'"{name}" must hold {form} for each account.')
        return partial(self._set, name, value)

    def _set(self, name: str, values: dict[str, Any]) -> None:
        for email, value in values.items():
            account = self._service.accounts.get(email)
            if account is not None:
                setattr(self._service.settings.of(account.email), name, value)

    def _end_sessions(self, value: object) -> Callable[[], None]:
        if value not in PROTOCOLS:
            raise ControlRefused('"end_sessions" must be "smtp", "imap" or "pop".')
        return partial(self._service.sessions.end, str(value))


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _are_addresses(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and "@" in each for each in value)


def _are_folders(value: object) -> bool:
    return isinstance(value, list) and all(each in ROLES for each in value)
