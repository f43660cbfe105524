"""What a recipient can reach: no log-in, no session, no cookie, no script."""
