"""How the web server runs: one process with threads, which suits SQLite and a small machine.

Read by gunicorn (see `Procfile`). `HOST`, `PORT` and gunicorn's own `WEB_CONCURRENCY` are its
settings from the environment.
"""

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
threads = 8
# An upload of a large file over a slow line takes its time; a thread that hangs is not a worker
# that hangs, so this only catches a process that no longer answers at all.
timeout = 120
# Stopping must not wait for a browser that keeps its connection open.
graceful_timeout = 3
loglevel = "warning"
# No file that must be written by gunicorn itself beyond the operating system's memory.
control_socket_disable = True
