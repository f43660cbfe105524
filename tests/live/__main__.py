"""`python -m tests.live`: looks at a real account, and prints what it saw as a Markdown table.

Exit status: 0 when the table was printed, 1 when the account cannot be opened, 2 when it is not
told which.
"""

import os
import sys

from gmail.errors import GmailError
from tests.live import filing, reading, sending
from tests.live.account import Account
from tests.live.facts import look_at
from tests.live.settings import NotConfigured, from_environment

FACTS = (*sending.FACTS, *filing.FACTS, *reading.FACTS, sending.LIMIT)


def main() -> int:
    try:
        settings = from_environment(os.environ)
    except NotConfigured as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    if settings.most_to_pass_the_limit:
        sys.stderr.write("This account may be unable to send for a day afterwards.\n")
    second = Account(settings, settings.second) if settings.second else None
    account = Account(settings, settings.login, second)
    try:
        account.smtp()
        sys.stdout.write(look_at(FACTS, account))
    except GmailError as err:
        sys.stderr.write(f"The account cannot be opened: {settings.redact(str(err))}\n")
        return 1
    finally:
        account.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
