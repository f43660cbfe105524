"""All figures, one after another: see the file of each."""

import subprocess
import sys

SCRIPTS = ("claim", "send", "page")

for script in SCRIPTS:
    subprocess.run((sys.executable, "-m", f"benchmarks.{script}"), check=True)  # noqa: S603  ours
