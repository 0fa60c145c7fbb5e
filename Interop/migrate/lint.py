"""Puts what squawk says of a file beside what `migrate plan` says, which has to hold all of it."""

import json
import os
import subprocess
import sys
import tempfile
import pathlib

SQL = """CREATE TABLE fresh (id int);
ALTER TABLE old ADD COLUMN note text NOT NULL;
ALTER TABLE old ALTER name TYPE text;
CREATE INDEX old_name_idx ON old (name);
ALTER TABLE old ADD CONSTRAINT old_size_check CHECK (size > 0);
ALTER TABLE old RENAME COLUMN size TO width;
DROP TABLE fresh;
"""
# What migrate sees to itself.
LEFT_OUT = {"require-lock-timeout", "require-statement-timeout", "require-timeout-settings", "prefer-robust-stmts"}


def main():
    migrate, squawk_folder, conninfo = sys.argv[1:]
    environment = {**os.environ, "PATH": squawk_folder + os.pathsep + os.environ["PATH"], "MIGRATE_DATABASE_URL": conninfo}
    with tempfile.TemporaryDirectory() as folder:
        first = pathlib.Path(folder, "1_old.sql")
        first.write_text("CREATE TABLE old (name varchar(20), size int);\n")
        subprocess.run([migrate, "up", "--directory", folder], env=environment, check=True, stdout=subprocess.DEVNULL)
        pathlib.Path(folder, "2_new.sql").write_text(SQL)
        said = subprocess.run(
            ["squawk", "--reporter", "json", "--assume-in-transaction", folder + "/2_new.sql"], env=environment,
            stdout=subprocess.PIPE, text=True).stdout
        theirs = {(finding["rule_name"], finding["line"] + 1) for finding in json.loads(said)
                  if finding["rule_name"] not in LEFT_OUT}
        done = subprocess.run(
            [migrate, "plan", "--directory", folder, "--format", "json"], env=environment, check=True,
            stdout=subprocess.PIPE, text=True)
        plan = json.loads(done.stdout)["files"][0]
        ours = {(finding["rule"], finding["line"]) for finding in plan["findings"]}
        print("squawk's findings, and the locks that the plan observed")
        for rule, line in sorted(theirs, key=lambda finding: finding[::-1]):
            print(f"    line {line}: {rule:40} {'in the plan' if (rule, line) in ours else 'MISSING'}")
        for lock in plan["locks"]:
            print(f"    line {lock['line']}: {lock['mode']} on {lock['relation']}{', rewritten' if lock['isRewritten'] else ''}")
        if not theirs or theirs - ours:
            sys.exit("the plan lacks findings of squawk")


if __name__ == "__main__":
    main()
