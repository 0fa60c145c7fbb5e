"""Pipes of other programs, which a process that starts several at a time hands down."""

import os
import stat


def close():
    """Lets their readers see the end of them. Sockets stay: by one of them Foundation's Process hears of the end of this program."""
    for descriptor in range(3, 4_096):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.close(descriptor)
        except OSError:
            continue
