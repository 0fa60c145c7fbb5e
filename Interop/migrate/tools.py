"""migrate and its peers, each with the same directory of changes."""

import os
import pathlib
import subprocess
import textwrap

LIMIT_SECONDS = 30


class Tool:
    """`changes` are pairs of a name and SQL. A tool writes them as its own files and brings a database to their end."""

    name = ""
    # What compares files with what was applied, and what compares the database with it; None where there is nothing of the kind.
    check_command = None

    def __init__(self, programs, sockets, user):
        self.programs, self.sockets, self.user = programs, sockets, user

    def environment(self, database):
        return {**os.environ, "PGHOST": self.sockets, "PGPORT": "5432", "PGUSER": self.user, "PGDATABASE": database,
                "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}

    def start(self, folder, database):
        return self.run(folder, database, self.up_command(folder, database))

    def check(self, folder, database):
        command = self.check_command and self.check_command(folder, database)
        if command is None:
            return None
        with self.run(folder, database, command) as process:
            process.communicate(timeout=LIMIT_SECONDS)
        return process.returncode

    def run(self, folder, database, command):
        return subprocess.Popen(
            command, cwd=folder, env=self.environment(database), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


class Migrate(Tool):
    name = "migrate"

    def write(self, folder, changes):
        for number, (name, sql) in enumerate(changes, 1):
            pathlib.Path(folder, f"{number}_{name}.sql").write_text(sql)

    def up_command(self, folder, database):
        return [self.programs["migrate"], "up", "--directory", folder]

    def check_command(self, folder, database):
        return [self.programs["migrate"], "verify", "--directory", folder]


class Alembic(Tool):
    name = "alembic"

    def write(self, folder, changes):
        folder = pathlib.Path(folder)
        (folder / "versions").mkdir(exist_ok=True)
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
        (folder / "env.py").write_text(textwrap.dedent("""
            from alembic import context
            from sqlalchemy import create_engine
            with create_engine("postgresql+psycopg://").connect() as connection:
                context.configure(connection=connection)
                with context.begin_transaction():
                    context.run_migrations()
        """))
        for number, (name, sql) in enumerate(changes, 1):
            down = None if number == 1 else str(number - 1)
            (folder / "versions" / f"{number}_{name}.py").write_text(textwrap.dedent(f"""
                from alembic import op
                revision, down_revision = {str(number)!r}, {down!r}
                def upgrade():
                    op.get_bind().exec_driver_sql({sql!r})
            """))

    def up_command(self, folder, database):
        return [self.programs["alembic"], "upgrade", "head"]

    def check_command(self, folder, database):
        return [self.programs["alembic"], "current", "--check-heads"]


class Yoyo(Tool):
    name = "yoyo"

    def write(self, folder, changes):
        for number, (name, sql) in enumerate(changes, 1):
            pathlib.Path(folder, f"{number}_{name}.sql").write_text(sql)

    def up_command(self, folder, database):
        return [self.programs["yoyo"], "apply", "--batch", "--no-config-file", "--database",
                f"postgresql+psycopg://{self.user}@/{database}?host={self.sockets}", folder]

    def check_command(self, folder, database):
        # Lists what is applied; there is nothing that compares.
        return [self.programs["yoyo"], "list", "--batch", "--no-config-file", "--database",
                f"postgresql+psycopg://{self.user}@/{database}?host={self.sockets}", folder]


class Sqitch(Tool):
    name = "sqitch"

    def environment(self, database):
        return {**super().environment(database), "SQITCH_FULLNAME": "A Nonymous", "SQITCH_EMAIL": "a@example.org"}

    def write(self, folder, changes):
        folder = pathlib.Path(folder)
        if not (folder / "sqitch.plan").exists():
            self.sqitch(folder, "init", "project", "--engine", "pg")
        for name, sql in changes:
            if not (folder / "deploy" / f"{name}.sql").exists():
                self.sqitch(folder, "add", name, "-n", name)
            (folder / "deploy" / f"{name}.sql").write_text(f"BEGIN;\n{sql}\nCOMMIT;\n")
            (folder / "verify" / f"{name}.sql").write_text("SELECT 1;\n")

    def sqitch(self, folder, *arguments):
        subprocess.run(["sqitch", "--quiet", *arguments], cwd=folder, env=self.environment("postgres"), check=True,
                       stdout=subprocess.DEVNULL)

    def up_command(self, folder, database):
        return ["sqitch", "deploy", f"db:pg:{database}"]

    def check_command(self, folder, database):
        return ["sqitch", "check", f"db:pg:{database}"]


class SQLMigrate(Tool):
    name = "sql-migrate"

    def write(self, folder, changes):
        folder = pathlib.Path(folder)
        (folder / "migrations").mkdir(exist_ok=True)
        (folder / "dbconfig.yml").write_text(textwrap.dedent(f"""
            development:
              dialect: postgres
              datasource: host={self.sockets} user={self.user} dbname=${{PGDATABASE}} sslmode=disable
              dir: migrations
        """))
        for number, (name, sql) in enumerate(changes, 1):
            (folder / "migrations" / f"{number}_{name}.sql").write_text(f"-- +migrate Up\n{sql}\n")

    def up_command(self, folder, database):
        return ["sql-migrate", "up"]

    def check_command(self, folder, database):
        return ["sql-migrate", "status"]


TOOLS = (Migrate, Alembic, Yoyo, Sqitch, SQLMigrate)
