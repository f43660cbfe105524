"""The plain-text part, made from the sanitised HTML while the Liquid is still in it."""

from inscriptis import get_text
from inscriptis.model.config import ParserConfig

from campaigns.rendering.masking import Mask

_READING = ParserConfig(display_links=True, display_anchors=False)


def plain_text(html: str) -> str:
    """Made once, when content is frozen; then rendered for each message like the HTML.

    Lines end in a line feed alone, and none ends in a space.
    """
    mask = Mask(html)
    lines = get_text(mask.text, _READING).splitlines()
    return mask.unmask("\n".join(line.rstrip() for line in lines).strip()) + "\n"
