"""The exit codes of the command line. Nothing is imported here: Ctrl-C may come while all else is loaded."""

GOOD = 0
FAILED = 1  # also: a racer was disqualified, or B is slower
USAGE = 2
INTERRUPTED = 130  # by SIGINT, as shells tell it
TERMINATED = 143  # by SIGTERM
