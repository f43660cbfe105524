"""SASL XOAUTH2: the string that carries an access token, and the server's refusal.

https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
"""

import json


def sasl_response(address: str, access_token: str) -> bytes:
    """The client's one response, before base64."""
    return f"user={address}\x01auth=Bearer {access_token}\x01\x01".encode()


def read_refusal(challenge: bytes) -> dict[str, str]:
    """The JSON object of a refusal, like {"status": "401", "scope": "..."}, after base64.

    Empty when the challenge is no such object: it is for diagnosis only.
    """
    try:
        document = json.loads(challenge)
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    return {str(key): str(value) for key, value in document.items()}
