"""Writes a script for psql that fills a migrated database with accounts by COPY.

    python3 Benchmarks/population.py --accounts 1000000 --domains 100 | psql --quiet --set=ON_ERROR_STOP=1 DATABASE

Account n is `user.n` of domain n modulo the number of domains: `sip.example.org`, `d1.example.org`, `d2.example.org` and so on. Its password
is `secret`, its API key `key.n` where it has one, its provisioning token `token.n`. The same numbers give the same rows.
"""

import argparse
import hashlib
import sys
import time

# Above those of accounts that were there before.
FIRST_ID = 1_000_000_000
# One account every ten minutes, up to now: a month holds as many of a small population as of a large one.
PACE_SECONDS = 600
MAIN_DOMAIN = "sip.example.org"
CONTACTS_OF_FIRST = 50


def domain_name(number):
    return MAIN_DOMAIN if number == 0 else f"d{number}.example.org"


def account_id(number):
    return FIRST_ID + number


def domain_id(number, domains):
    return FIRST_ID + number % domains


def key_hash(text):
    return "\\\\x" + hashlib.sha256(text.encode()).hexdigest()


def timestamp(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(seconds))


def domains(count, _accounts):
    for number in range(count):
        yield domain_id(number, count), domain_name(number)


def phone_number(number):
    return f"+336{number:09}" if number % 3 == 0 else None


def accounts(domains, count):
    now = int(time.time())
    for number in range(count):
        phone = phone_number(number)
        email = f"user.{number}@mail.example.org" if number % 2 == 0 else None
        dtmf = "sipinfo" if number % 5 == 0 else None
        yield (account_id(number), domain_id(number, domains), f"user.{number}", phone, email, f"User {number}", dtmf, number % 10 != 9,
               timestamp(now - number * PACE_SECONDS))


def phone_numbers(domains, count):
    for number in range(0, count, 3):
        yield domain_id(number, domains), phone_number(number), account_id(number)


def passwords(domains, count):
    for number in range(count):
        realm = domain_name(number % domains)
        ha1 = hashlib.sha256(f"user.{number}:{realm}:secret".encode()).hexdigest()
        yield account_id(number), "SHA-256", realm, ha1


def api_keys(_domains, count):
    for number in range(0, count, 2):
        yield account_id(number), key_hash(f"key.{number}")


def provisioning_tokens(_domains, count):
    for number in range(1, count, 2):
        yield account_id(number), key_hash(f"token.{number}"), ""


def activation_codes(_domains, count):
    for number in range(9, count, 10):
        yield account_id(number), "email", key_hash(f"code.{number}"), ""


def email_changes(_domains, count):
    soon = timestamp(time.time() + 86_400)
    for number in range(0, count, 20):
        yield account_id(number), f"new.{number}@mail.example.org", key_hash(f"change.{number}"), soon


def digest_nonces(_domains, count):
    soon = timestamp(time.time() + 86_400)
    for number in range(0, count, 20):
        yield key_hash(f"nonce.{number}"), 1, soon


def admins(domains, count):
    for number in range(min(domains, count)):
        yield account_id(number), "super" if number == 0 else "domain"


def contacts(domains, count):
    """Fifty for the first account of the main domain, and three for one in ten."""
    for number in range(0, count, 10):
        for step in range(1, 1 + (CONTACTS_OF_FIRST if number == 0 else 3)):
            yield domain_id(number, domains), account_id(number), account_id((number + step * domains) % count)


def account_actions(domains, count):
    for number in range(0, count, 5):
        yield domain_id(number, domains), account_id(number), "open", "12"


TABLES = (
    (accounts, "accounts (id, domain_id, username, phone, email, display_name, dtmf_protocol, activated, creation_time)"),
    (phone_numbers, "phone_numbers (domain_id, number, account_id)"),
    (passwords, "passwords (account_id, algorithm, realm, ha1)"),
    (api_keys, "api_keys (account_id, key_hash)"),
    (provisioning_tokens, "provisioning_tokens (account_id, token_hash, sealed_token)"),
    (activation_codes, "activation_codes (account_id, purpose, code_hash, sealed_code)"),
    (email_changes, "email_changes (account_id, new_email, code_hash, expires_at)"),
    (digest_nonces, "digest_nonces (nonce, nc, expires_at)"),
    (admins, "admins (account_id, scope)"),
    (contacts, "contacts (domain_id, account_id, contact_id)"),
    (account_actions, "account_actions (domain_id, account_id, key, code)"),
)


def field(value):
    if value is None:
        return "\\N"
    return ("f", "t")[value] if isinstance(value, bool) else str(value)


def copy(output, rows, columns):
    output.write(f"COPY flexi.{columns} FROM STDIN;\n")
    for row in rows:
        output.write("\t".join(map(field, row)))
        output.write("\n")
    output.write("\\.\n")


def write(output, domain_count, account_count):
    # The main domain may be there, with an administrator who made the database.
    output.write(f"DELETE FROM flexi.accounts; DELETE FROM flexi.domains WHERE name = '{MAIN_DOMAIN}';\n")
    copy(output, domains(domain_count, account_count), "domains (id, name)")
    # What triggers and foreign keys would look after is right as it is written here, and takes less than half the time without them.
    output.write("SET session_replication_role = replica;\n")
    for rows, columns in TABLES:
        copy(output, rows(domain_count, account_count), columns)
    # Every domain was given its types when it was made.
    output.write(
        "INSERT INTO flexi.account_type_assignments (domain_id, account_id, type_id) "
        "SELECT account.domain_id, account.id, min(type.id) FROM flexi.accounts AS account "
        "JOIN flexi.account_types AS type ON type.domain_id = account.domain_id WHERE account.id % 10 = 0 GROUP BY 1, 2;\n")
    for table in ("domains", "accounts"):
        output.write(f"SELECT setval(pg_get_serial_sequence('flexi.{table}', 'id'), max(id)) FROM flexi.{table} \\g /dev/null\n")
    output.write("VACUUM (ANALYZE, FREEZE);\nCHECKPOINT;\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--domains", type=int, default=100)
    arguments = parser.parse_args()
    if not 1 <= arguments.domains <= arguments.accounts:
        parser.error("every domain has an account: 1 <= domains <= accounts")
    write(sys.stdout, arguments.domains, arguments.accounts)


if __name__ == "__main__":
    main()
