"""What Daypost's own mail tells the e-mail backend beside its content."""

# A header that never leaves: its value names what the mail is about. While one about that waits
# for its turn to the same person, a newer one takes its place instead of following it.
ONE_AT_A_TIME = "X-Daypost-One-At-A-Time"
