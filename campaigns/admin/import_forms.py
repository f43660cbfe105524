"""The forms of the import wizard: the file, how it is read, and where it goes."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.contacts.aliases import EMAIL, FIRST_NAME, LAST_NAME, NAME
from campaigns.contacts.columns import IGNORED, STANDARD, merge_field
from campaigns.contacts.dialect import DELIMITERS, Dialect
from campaigns.contacts.encoding import ENCODINGS
from campaigns.models import ContactList

PASTED_AT_MOST = 500_000
"""Characters; Django takes 2.5 MB of form, and more than this belongs into a file."""

COLUMNS_ASKED = 300
"""Columns whose meaning can be chosen on the screen; further ones stay as they were guessed."""

_DELIMITER_NAMES = {
    ",": _("Comma ,"),
    ";": _("Semicolon ;"),
    "\t": _("Tab"),
    "|": _("Bar |"),
}
_ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": _("UTF-8 (Excel)"),
    "utf-16": "UTF-16",
    "cp1250": _("Central European (cp1250)"),
    "cp1251": _("Cyrillic (cp1251)"),
    "cp1252": _("Western (cp1252)"),
    "cp1253": _("Greek (cp1253)"),
    "cp1254": _("Turkish (cp1254)"),
    "cp1255": _("Hebrew (cp1255)"),
    "cp1256": _("Arabic (cp1256)"),
    "cp1257": _("Baltic (cp1257)"),
    "mac_roman": _("Western (Macintosh)"),
    "cp932": _("Japanese (Shift JIS)"),
    "gb18030": _("Chinese, simplified (GB 18030)"),
    "big5": _("Chinese, traditional (Big5)"),
    "euc_kr": _("Korean (EUC-KR)"),
}
_FIELD_NAMES = (
    (EMAIL, _("E-mail address")),
    (FIRST_NAME, _("First name")),
    (LAST_NAME, _("Last name")),
    (NAME, _("Full name, to be split")),
    (IGNORED, _("Leave out")),
)
# In a form a tab would be stripped.
_TAB = "tab"


class FileForm(forms.Form):
    """A file, or cells copied from a spreadsheet."""

    file = forms.FileField(
        label=_("CSV file"),
        required=False,
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/*"}),
        help_text=_(
            "Drop it here or choose it. Exports of Google Contacts, Outlook and Excel "
            "(saved as CSV) are understood."
        ),
    )
    pasted = forms.CharField(
        label=_("Or paste cells"),
        required=False,
        strip=False,
        max_length=PASTED_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("Mark them in your spreadsheet, the headings too, copy, and paste them here."),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors:
            return values
        has_cells = bool(values["pasted"].strip())
        if values["file"] is None and not has_cells:
            raise forms.ValidationError(_("Choose a file, or paste some cells."))
        if values["file"] is not None and has_cells:
            raise forms.ValidationError(
                _("A file and pasted cells are too much. Give one of them.")
            )
        return values


class ReadingForm(forms.Form):
    """How the file is read. What it shows is what was guessed, or chosen before."""

    encoding = forms.ChoiceField(
        label=_("Encoding"), choices=[(name, _ENCODING_NAMES.get(name, name)) for name in ENCODINGS]
    )
    header_line = forms.IntegerField(
        label=_("Line with the names of the columns"),
        min_value=0,
        max_value=1_000_000,
        help_text=_("0 if there is none."),
    )

    def __init__(self, now: Dialect, data: Any = None) -> None:
        initial = {
            "encoding": now.encoding,
            "delimiter": _as_choice(now.delimiter),
            "header_line": now.header_line,
        }
        super().__init__(data, initial=initial)
        signs = [*DELIMITERS, *({now.delimiter} - set(DELIMITERS))]
        self.fields["delimiter"] = forms.ChoiceField(
            label=_("Cells are parted by"),
            choices=[(_as_choice(sign), _DELIMITER_NAMES.get(sign, sign)) for sign in signs],
        )
        self.order_fields(["encoding", "delimiter", "header_line"])

    def clean_delimiter(self) -> str:
        chosen: str = self.cleaned_data["delimiter"]
        return "\t" if chosen == _TAB else chosen


class ColumnsForm(forms.Form):
    """What each column means. The fields are numbered, since columns have any name."""

    def __init__(self, columns: dict[str, str], data: Any = None) -> None:
        super().__init__(data, prefix="column")
        self.names = list(columns)
        for number, name in enumerate(self.names[:COLUMNS_ASKED]):
            self.fields[str(number)] = forms.ChoiceField(
                label=name,
                required=False,
                choices=_meanings(name, columns[name]),
                initial=columns[name],
            )

    def chosen(self) -> dict[str, str]:
        """What was chosen, by the name of the column."""
        return {
            name: self.cleaned_data[str(number)]
            for number, name in enumerate(self.names[:COLUMNS_ASKED])
            if self.cleaned_data.get(str(number))
        }


class TargetForm(forms.Form):
    """Where the contacts go, and by what right."""

    list_name = forms.CharField(
        label=_("List"),
        max_length=200,
        widget=forms.TextInput(attrs={"list": "lists", "autocomplete": "off"}),
        help_text=_("Choose one of your lists, or type the name of a new one."),
    )
    consent = forms.CharField(
        label=_("Where does the consent come from?"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "For example: sign-up form on our site, 2023 to 2025. It is kept with each contact. "
            "Write only to people who agreed to it: Gmail suspends accounts that do otherwise."
        ),
    )

    def __init__(self, workspace: Workspace, data: Any = None) -> None:
        super().__init__(data)
        self.lists = visible(ContactList.objects.all(), workspace)


def _as_choice(delimiter: str) -> str:
    return _TAB if delimiter == "\t" else delimiter


def _meanings(column: str, now: str) -> Sequence[tuple[str, Any]]:
    """The standard fields, and the field of its own that this column can become."""
    own = merge_field(column) if now in STANDARD or now == IGNORED else now
    return [*_FIELD_NAMES, (own, _("Field “%(name)s”") % {"name": own})]
