"""A message to one person, from content that was sanitised: the one way for mail and previews."""

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.rendering import merge, urls


@dataclass(frozen=True, slots=True)
class Letter:
    """What one person reads. `html` is safe to show; `text` and `subject` are plain."""

    subject: str
    html: str
    text: str


def rendered(subject: str, html: str, text: str, values: Mapping[str, object]) -> Letter:
    """The three parts with `values` by merge field. `html` must have been sanitised.

    Raises MergeError.
    """
    safe = merge.render_html(html, values)
    if urls.needs_check(html):
        safe = urls.check_rendered(safe)
    return Letter(
        subject=merge.render_subject(subject, values),
        html=safe,
        text=merge.render_text(text, values),
    )
