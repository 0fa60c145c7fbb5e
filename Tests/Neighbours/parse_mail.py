"""Reads the mail given in base64 with Python's email package and prints it as JSON."""

import base64
import email
import email.policy
import json
import sys

mail = email.message_from_bytes(base64.b64decode(sys.argv[1]), policy=email.policy.default)
parts = [part for part in mail.walk() if not part.is_multipart()]
print(json.dumps({
    "headers": {name: str(value) for name, value in mail.items()},
    "senders": [[sender.display_name, sender.addr_spec] for sender in mail["From"].addresses],
    "parts": [{"type": part.get_content_type(), "text": part.get_content().replace("\r\n", "\n")} for part in parts],
    "defects": [str(defect) for part in mail.walk() for defect in part.defects],
}))
