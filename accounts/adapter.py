"""Where allauth asks Daypost: who may sign up, and what mail leaves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts.own_mail import ONE_AT_A_TIME
from accounts.password_links import mailed_link
from accounts.signup import signup_is_open

UNKNOWN_ACCOUNT = "account/email/unknown_account"


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return signup_is_open()

    def format_email_subject(self, subject: str) -> str:
        return subject

    def get_reset_password_from_key_url(self, key: str) -> str:
        return mailed_link(key, self.request)

    @sensitive_variables()
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send what concerns a person known here, and answer the same whether or not it leaves.

        A stranger's address is never written to: it would cost the limit, and teach the stranger
        that somebody typed it.
        """
        if template_prefix == UNKNOWN_ACCOUNT:
            return
        more = {"request": allauth_context.request, "email": email}
        mail = self.render_mail(template_prefix, email, {**more, **context})
        # Whoever asks for a link again and again gets one, the newest.
        mail.extra_headers[ONE_AT_A_TIME] = template_prefix
        mail.send(fail_silently=True)
