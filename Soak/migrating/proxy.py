"""Stands between migrate and the server, and lets something happen at one request."""

import os
import pathlib
import random
import socket
import struct
import tempfile
import threading

# A simple query, and the end of an extended one.
REQUESTS = b"QS"


class Proxy:
    """A unix socket in a folder of its own. `strike` is called once: at request number `number`, before the server has it, while the
    server works on it, or when the server has answered and migrate does not know yet."""

    MOMENTS = ("before", "during", "answered")

    def __init__(self, server_sockets, number=None, moment=None, strike=None):
        self.folder = tempfile.mkdtemp(prefix="soak-")
        self.target = os.path.join(server_sockets, ".s.PGSQL.5432")
        self.number, self.moment, self.strike = number, moment, strike
        self.requests = 0
        self.has_struck = False
        self.lock = threading.Lock()
        self.pairs = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.folder, ".s.PGSQL.5432"))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()
        self.cut()
        for path in pathlib.Path(self.folder).iterdir():
            path.unlink()
        os.rmdir(self.folder)

    def cut(self):
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
            answered = threading.Event()
            threading.Thread(target=self.forward, args=(client, server, answered), daemon=True).start()
            threading.Thread(target=self.answer, args=(client, server, answered), daemon=True).start()

    def forward(self, client, server, answered):
        try:
            # The first message has no type.
            self.pass_message(client, server, has_type=False)
            while True:
                kind, message = self.read_message(client)
                is_turn = kind in REQUESTS and self.is_turn()
                if is_turn and self.moment == "answered":
                    answered.set()
                if is_turn and self.moment == "before":
                    self.strike()
                server.sendall(message)
                if is_turn and self.moment == "during":
                    threading.Event().wait(random.uniform(0, 0.03))
                    self.strike()
        except (OSError, EOFError):
            self.end(client, server)

    def answer(self, client, server, answered):
        try:
            while data := server.recv(65536):
                if answered.is_set():
                    answered.clear()
                    self.strike()
                client.sendall(data)
        except OSError:
            pass
        self.end(client, server)

    def is_turn(self):
        with self.lock:
            self.requests += 1
            is_turn = self.requests == self.number and not self.has_struck
            self.has_struck = self.has_struck or is_turn
            return is_turn

    def pass_message(self, client, server, has_type):
        _, message = self.read_message(client, has_type)
        server.sendall(message)

    def read_message(self, client, has_type=True):
        kind = self.read(client, 1) if has_type else b""
        length = self.read(client, 4)
        return kind, kind + length + self.read(client, struct.unpack("!I", length)[0] - 4)

    @staticmethod
    def read(client, count):
        data = b""
        while len(data) < count:
            piece = client.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    @staticmethod
    def end(client, server):
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
