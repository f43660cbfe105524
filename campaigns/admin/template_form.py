"""What is typed for a template, and what of it may be saved."""

from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.content import known_fields
from campaigns.models import Template
from campaigns.rendering import merge
from campaigns.rendering.sanitize import MarkupError, sanitize


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses what cannot be rendered; fields that nobody has may be saved, launch refuses them."""

    # Of the request: set on the class that is made for it.
    workspace: ClassVar[Workspace]

    class Meta:
        model = Template
        fields = ("name", "subject", "html")
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "subject": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "true"}),
            "html": forms.Textarea(
                attrs={"rows": 18, "spellcheck": "false", "autocapitalize": "off"}
            ),
        }
        labels: ClassVar = {"name": _("Name, for yourself")}
        error_messages: ClassVar = {
            "name": {
                "required": _("Give it a name."),
                "max_length": _("Make the name %(limit_value)d characters or shorter."),
            },
            "subject": {
                "required": _("Write a subject."),
                "max_length": _("Make the subject %(limit_value)d characters or shorter."),
            },
            "html": {"required": _("Write the message.")},
        }

    # What sanitising took out of the message: "<script>", "onclick".
    removed: tuple[str, ...] = ()

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = visible(Template.objects.exclude(pk=self.instance.pk), self.workspace)
        if others.filter(name=name).exists():
            raise ValidationError(
                gettext("Another template has this name. Choose a different one.")
            )
        return name

    def clean_subject(self) -> str:
        subject: str = self.cleaned_data["subject"]
        if len(subject.splitlines()) > 1:
            raise ValidationError(gettext("A subject is one line. Take the line break out."))
        self._refuse_unreadable(subject)
        return subject

    def clean_html(self) -> str:
        """The message as it is kept: sanitised, and looked at again in that form."""
        typed: str = self.cleaned_data["html"]
        self._refuse_unreadable(typed)
        try:
            sanitized = sanitize(typed)
        except MarkupError as error:
            raise ValidationError(error.sentence) from error
        if not sanitized.html.strip():
            raise ValidationError(
                gettext("Nothing of this may stand in a mail (%(removed)s). Write the message.")
                % {"removed": ", ".join(sanitized.removed)}
            )
        if problem := self._unreadable(sanitized.html):
            raise ValidationError(
                gettext("Without %(removed)s, which a mail must not hold: %(sentence)s")
                % {"removed": ", ".join(sanitized.removed), "sentence": problem.sentence}
            )
        self.removed = sanitized.removed
        return sanitized.html

    def _refuse_unreadable(self, source: str) -> None:
        if self._unreadable(source):
            # Where and why stands beside the field, as it does while one types.
            raise ValidationError(gettext("Not saved: this cannot be read yet."))

    def _unreadable(self, source: str) -> merge.Problem | None:
        problems = merge.check(source, known_fields(self.workspace))
        return next((problem for problem in problems if problem.fatal), None)
