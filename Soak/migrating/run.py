"""Runs both parts, and ends with an error when either broke a promise."""

import argparse
import sys

import kill_anywhere
import times
from server import Failure, Server


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("cluster")
    parser.add_argument("durable_cluster")
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    server = Server(options.program, options.cluster)
    try:
        kill_anywhere.run(server, options.points)
        times.run(server, Server(options.program, options.durable_cluster), options.rounds)
    except Failure as failure:
        sys.exit(f"soak: {failure}")


if __name__ == "__main__":
    main()
