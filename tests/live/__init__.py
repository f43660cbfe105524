"""What Gmail does, looked up at a real account. See docs/live-tests.md.

Nothing here is a test that passes or fails, and pytest collects none of it: each fact is looked at
once, and told beside what we believe, in a table for the documents.
"""
