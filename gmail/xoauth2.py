"""SASL XOAUTH2: the string that carries an access token, and the server's refusal.

https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
"""

import base64
import binascii
import json


def sasl_string(address: str, access_token: str) -> str:
    """The client's one response, in base64."""
    plain = f"user={address}\x01auth=Bearer {access_token}\x01\x01"
    return base64.b64encode(plain.encode()).decode()


def read_refusal(challenge: str) -> dict[str, str]:
    """The JSON object of a `334` refusal, like {"status": "401", "scope": "..."}.

    Empty when the challenge is no such object: it is for diagnosis only.
    """
    try:
        document = json.loads(base64.b64decode(challenge, validate=True))
    except (binascii.Error, ValueError):
        return {}
    if not isinstance(document, dict):
        return {}
    return {str(key): str(value) for key, value in document.items()}
