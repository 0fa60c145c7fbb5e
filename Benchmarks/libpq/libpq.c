/* What PGClient is measured against: libpq, called blocking. Built and run by pgclient.py; the database is that of the PG* variables.
 *
 *   libpq select CONNECTIONS SECONDS ACCOUNTS   single rows, a thread for each connection
 *   libpq decode RESULTS ROWS                   results of many rows, each copied into a struct of its own
 *   libpq insert ROWS                           single-row INSERT statements in one transaction
 */
#include <endian.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct account {
    int64_t id;
    char *username, *domain, *ha1;
    int activated;
};

struct worker {
    pthread_t thread;
    double end;
    long accounts, queries;
    unsigned seed;
};

static void fail(const char *what)
{
    fprintf(stderr, "libpq: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static PGconn *connection(void)
{
    PGconn *conn = PQconnectdb("");
    if (PQstatus(conn) != CONNECTION_OK) fail(PQerrorMessage(conn));
    return conn;
}

static PGresult *checked(PGresult *result)
{
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail(PQresultErrorMessage(result));
    return result;
}

static void prepare(PGconn *conn, const char *sql)
{
    PQclear(checked(PQprepare(conn, "s", sql, 0, NULL)));
}

static struct account decoded(const PGresult *result, int row)
{
    uint64_t id;
    memcpy(&id, PQgetvalue(result, row, 0), sizeof id);
    struct account account = {
        (int64_t)be64toh(id), strdup(PQgetvalue(result, row, 1)), strdup(PQgetvalue(result, row, 2)),
        strdup(PQgetvalue(result, row, 4)), PQgetvalue(result, row, 3)[0],
    };
    return account;
}

static void release(struct account *account)
{
    free(account->username);
    free(account->domain);
    free(account->ha1);
}

static void *read_accounts(void *argument)
{
    struct worker *worker = argument;
    PGconn *conn = connection();
    prepare(conn, "SELECT id, username, domain, activated, ha1 FROM accounts WHERE username = $1 AND domain = $2");
    do {
        char username[24], domain[24];
        const char *values[] = {username, domain};
        long number = rand_r(&worker->seed) % worker->accounts;
        snprintf(username, sizeof username, "%ld", number);
        snprintf(domain, sizeof domain, "%ld", number % 100);
        PGresult *result = checked(PQexecPrepared(conn, "s", 2, values, NULL, NULL, 1));
        if (PQntuples(result) != 1) fail("a wrong row");
        struct account account = decoded(result, 0);
        if (strcmp(account.username, username) != 0) fail("a wrong row");
        release(&account);
        PQclear(result);
        worker->queries++;
    } while (now() < worker->end);
    PQfinish(conn);
    return NULL;
}

static void select_rows(int connections, double seconds, long accounts)
{
    struct worker workers[64];
    double start = now();
    long queries = 0;
    if (connections < 1 || connections > 64) fail("1 to 64 connections");
    for (int i = 0; i < connections; i++) {
        workers[i] = (struct worker){.end = start + seconds, .accounts = accounts, .seed = (unsigned)i + 1};
        if (pthread_create(&workers[i].thread, NULL, read_accounts, &workers[i]) != 0) fail("no thread");
    }
    for (int i = 0; i < connections; i++) {
        pthread_join(workers[i].thread, NULL);
        queries += workers[i].queries;
    }
    printf("{\"queries\": %ld, \"seconds\": %f}\n", queries, now() - start);
}

static void decode_rows(long results, long rows)
{
    PGconn *conn = connection();
    struct account *accounts = calloc((size_t)rows, sizeof *accounts);
    uint64_t limit = htobe64((uint64_t)rows);
    const char *values[] = {(const char *)&limit};
    const int lengths[] = {sizeof limit}, formats[] = {1};
    prepare(conn, "SELECT id, username, domain, activated, ha1 FROM accounts WHERE id <= $1::bigint");
    double start = now();
    for (long i = 0; i < results; i++) {
        PGresult *result = checked(PQexecPrepared(conn, "s", 1, values, lengths, formats, 1));
        if (PQntuples(result) != rows) fail("a wrong number of rows");
        for (int row = 0; row < rows; row++) accounts[row] = decoded(result, row);
        PQclear(result);
        for (int row = 0; row < rows; row++) release(&accounts[row]);
    }
    printf("{\"rows\": %ld, \"seconds\": %f}\n", results * rows, now() - start);
    free(accounts);
    PQfinish(conn);
}

static void insert_rows(long rows)
{
    PGconn *conn = connection();
    PQclear(checked(PQexec(conn, "TRUNCATE inserted")));
    prepare(conn, "INSERT INTO inserted (id, username, activated) VALUES ($1::bigint, $2::text, $3::boolean)");
    double start = now();
    PQclear(checked(PQexec(conn, "BEGIN")));
    for (long row = 0; row < rows; row++) {
        char number[24];
        const char *values[] = {number, number, row % 2 == 0 ? "t" : "f"};
        snprintf(number, sizeof number, "%ld", row);
        PQclear(checked(PQexecPrepared(conn, "s", 3, values, NULL, NULL, 1)));
    }
    PQclear(checked(PQexec(conn, "COMMIT")));
    printf("{\"rows\": %ld, \"seconds\": %f}\n", rows, now() - start);
    PQfinish(conn);
}

int main(int count, char **arguments)
{
    if (count == 5 && strcmp(arguments[1], "select") == 0)
        select_rows(atoi(arguments[2]), atof(arguments[3]), atol(arguments[4]));
    else if (count == 4 && strcmp(arguments[1], "decode") == 0)
        decode_rows(atol(arguments[2]), atol(arguments[3]));
    else if (count == 3 && strcmp(arguments[1], "insert") == 0)
        insert_rows(atol(arguments[2]));
    else
        fail("see the head of libpq.c");
    return 0;
}
