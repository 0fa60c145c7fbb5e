"""Prints a PostgreSQL URL as assignments of libpq's variables, for a shell to evaluate."""

import shlex
import sys
from urllib.parse import parse_qsl, urlsplit

url = urlsplit(sys.argv[1])
values = {"host": url.hostname, "port": url.port, "user": url.username, "password": url.password}
values.update(parse_qsl(url.query))
for keyword, value in values.items():
    if value is not None and keyword in ("host", "port", "user", "password"):
        print(f"export PG{keyword.upper()}={shlex.quote(str(value))}")
