"""``/control``: shift the clock, set the limit, plant faults, revoke an account's consent.

POST takes a JSON object with any of ``clock_offset`` (seconds against real time), ``limit``
(recipients in any 24 hours), ``faults`` (a list, see ``practice.faults``) and ``revoke`` (the
address whose OAuth consent dies). Everything is checked before anything is done. GET and POST both
answer the state as JSON. Offset and limit survive a restart, faults do not.

A page of another site cannot post here: only the content type application/json is taken, which
browsers do not send across sites without being allowed to, and nobody is allowed.
"""

import json
import math
from collections.abc import Callable
from typing import Any

from practice.faults import FaultRefused, parse_faults
from practice.service import Service
from practice.web import Answer, Call, Route, plain

# Ten years, so that every moment stays one that a date can hold.
LARGEST_OFFSET = 10 * 366 * 86_400


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
                {"email": account.email, "used_24h": service.used(account)}
                for account in service.accounts
            ],
        }
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
