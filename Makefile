# The verbs of this project. Each is a script of its own below scripts/, which says what it does.
.PHONY: help setup build run test check fmt bench soak sanitize interop docs test-compose clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the system packages that are missing
	@scripts/setup

build: ## build everything
	@scripts/build

run: ## build, take PostgreSQL up, migrate, serve on http://127.0.0.1:8080
	@scripts/run

test: ## run every test on a throw-away PostgreSQL
	@scripts/test

check: ## check layout, formatting and scripts
	@scripts/check

fmt: ## format the Swift sources
	@scripts/fmt

bench: ## measure, beside the targets
	@scripts/bench

soak: ## long runs with faults
	@scripts/soak

sanitize: ## PGClient's tests under the thread and the address sanitizer
	@scripts/sanitize

interop: ## real clients against a real server
	@scripts/interop

docs: ## PGClient's guide and reference, rendered
	@scripts/docs

test-compose: ## every test on PostgreSQL in a container
	@FLEXI_POSTGRES=compose scripts/test

clean: ## remove what was built and the throw-away clusters; data of make run stay
	@scripts/clean
