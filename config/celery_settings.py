"""Celery's own settings, from Django's."""

import warnings

from django.conf import settings
from kombu import Exchange, Queue

from config.first_run import ensure_folder

broker_url = settings.CELERY_BROKER_URL
broker_connection_retry_on_startup = True
task_ignore_result = True
# The default exchange routes by queue name and keeps no table of bindings that could tear.
task_queues = [Queue("daypost", Exchange(""), routing_key="daypost")]
task_default_queue = "daypost"
# Threads, which wait for the network most of the time: one for each account that sends at once.
worker_concurrency = settings.WORKER_THREADS
worker_prefetch_multiplier = 1
# A worker with all its threads busy leaves tasks to others; only Redis can be left so.
worker_disable_prefetch = broker_url.startswith("redis")
worker_hijack_root_logger = False
# Nobody asks workers anything over the broker: what they do can be read in the database.
worker_enable_remote_control = False
timezone = "UTC"
# Every entry is a period of seconds: there is nothing to remember between two starts.
beat_scheduler = "config.beat:Scheduler"
# Messages are JSON, so running as root, as containers do, opens nothing.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

if broker_url.startswith("filesystem:"):
    broker_url = "filesystem://localhost//"  # a name, or kombu warns that it has none
    _queue = str(ensure_folder(settings.BROKER_DIR / "queue"))
    broker_transport_options = {
        "data_folder_in": _queue,
        "data_folder_out": _queue,
        "control_folder": str(ensure_folder(settings.BROKER_DIR / "control")),
        "polling_interval": 0.5,
    }
