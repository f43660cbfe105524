"""Looks at everything that a Gmail account needs, one line a check, each with the one thing to do.

What needs no mail is here; the mail to oneself is `campaigns.delivery.self_test`, and
`campaigns.check_up` puts the two together.
"""
