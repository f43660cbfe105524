"""The widths and colours in which a screen must be right."""

import pytest
from playwright.sync_api import ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

# Marks a test to run once in each: on a desktop and on a phone, light and dark.
every_look = pytest.mark.parametrize(
    ("viewport", "colour_scheme"),
    [(size, scheme) for size in (DESKTOP, PHONE) for scheme in ("light", "dark")],
    ids=["desktop-light", "desktop-dark", "phone-light", "phone-dark"],
    indirect=True,
)
