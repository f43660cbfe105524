"""A stand-in Gmail for practice, on real sockets: OAuth, SMTP, IMAP, POP and a web mailbox.

It knows nothing of the application that talks to it, and nothing imports it. Start it with
``python -m practice --dir DIR``. Everything it accepts stays in DIR; nothing leaves the machine.
"""
