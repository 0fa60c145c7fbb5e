"""Lets every client talk to one server; the first failure ends it."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts"))

import api_document  # noqa: E402
import digest_clients  # noqa: E402
import failing_neighbours  # noqa: E402
import linphone  # noqa: E402
import sip  # noqa: E402
import vcards  # noqa: E402
from deployment import UNLIMITED, Deployment, Failure  # noqa: E402

# Messages go to the log, so that what asks for them can be asked.
SETTINGS = {**UNLIMITED, "MAIL_DRIVER": "log", "SMS_DRIVER": "log"}


def main():
    configuration, cluster = sys.argv[1:]
    try:
        with Deployment(configuration, cluster, SETTINGS) as deployment:
            serve(deployment, (digest_clients, linphone, vcards))
            with sip.Neighbours(deployment) as neighbours:
                serve(deployment, (neighbours,))
            for line in failing_neighbours.check(deployment):
                print(line, flush=True)
            # Last: requests drawn at random leave no account as it was, the administrator's neither.
            serve(deployment, (api_document,))
    except Failure as failure:
        sys.exit(f"interop: {failure}")


def serve(deployment, clients):
    """Runs the server for the clients, and ends it as an init system does."""
    deployment.start()
    try:
        for client in clients:
            for line in client.check(deployment):
                print(line, flush=True)
    except Exception:
        print(deployment.log_tail(), file=sys.stderr)
        raise
    if (status := deployment.stop()) != 0:
        raise Failure(f"FlexiServer ended with {status} after SIGTERM")


if __name__ == "__main__":
    main()
