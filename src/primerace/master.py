"""Gunicorn's master process as it is started here: `python -P -m primerace.master`, with Gunicorn's options.

Gunicorn puts the current folder first among those where modules are looked for. A file random.py or json.py
there would take the place of the standard library's, and all that is served here is installed.
"""

import os

from gunicorn.app.wsgiapp import WSGIApplication


class Master(WSGIApplication):  # type: ignore[misc]
    """Gunicorn, which imports nothing from the current folder."""

    def chdir(self) -> None:
        """Go to the folder that Gunicorn's options name, and no more."""
        os.chdir(self.cfg.chdir)


if __name__ == "__main__":
    Master(prog="gunicorn").run()
