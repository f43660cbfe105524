"""How a rendered message is shown on our pages: a document of its own, without any rights."""

# Sent with the response that carries the document. The frame around it is sandboxed too.
PREVIEW_CSP = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    # No request leaves for another host: pictures from elsewhere show their alternative text.
    "img-src": ["'self'", "data:"],
    "sandbox": [],
}


def preview_document(html: str) -> str:
    """The whole document for the frame, around the sanitised and rendered `html`."""
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body>{html}</body></html>"
    )
