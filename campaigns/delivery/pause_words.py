"""Why Daypost paused a campaign, in words for a person, with the one next step."""

from django.utils.translation import gettext as _

from gmail.replies import Reply, Trouble, trouble


def content_refused(reply: Reply, to: str) -> str:
    """Gmail will not take this content; `to` is whose message it was."""
    named = {"to": to, "said": reply.without_session}
    match trouble(reply):
        case Trouble.TOO_LARGE:
            words = _(
                "The message is larger than Gmail takes. Cancel this campaign, make the template "
                "smaller and launch it anew. Gmail said of the message to %(to)s: “%(said)s”."
            )
        case Trouble.UNSAFE:
            words = _(
                "Gmail holds something in the message to be dangerous, most often a link. Cancel "
                "this campaign, take that out of the template and launch it anew. Gmail said of "
                "the message to %(to)s: “%(said)s”."
            )
        case _:
            words = _(
                "Gmail refused the content of the message to %(to)s: “%(said)s”. If this person's "
                "own fields are the cause, correct or suppress the contact, then resume. "
                "Otherwise cancel this campaign, change the template and launch it anew."
            )
    return words % named


def not_understood(reply: Reply, to: str) -> str:
    """Gmail gave an answer that should not happen."""
    return _(
        "Gmail answered the message to %(to)s in a way that Daypost does not understand: "
        "“%(said)s”. Nobody was written to by that, and nothing is lost. Resume to try once more; "
        "if it comes again, the fault may be Daypost's: report these words."
    ) % {"to": to, "said": reply.without_session}
