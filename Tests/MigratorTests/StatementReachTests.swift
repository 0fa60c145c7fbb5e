import Testing

@testable import Migrator

struct StatementReachTests {
    private func reaches(_ sql: String) throws -> [Bool] {
        try SQLLexer.split(SourceText(sql)).statements.map(\.reachesBeyondDatabase)
    }

    @Test(arguments: [
        "CREATE ROLE a", "CREATE USER a PASSWORD 'b'", "create /* a */ group a", "ALTER ROLE a SET role = b",
        "ALTER USER a RENAME TO b", "DROP ROLE IF EXISTS a", "ALTER GROUP a ADD USER b", "CREATE DATABASE a",
        "ALTER DATABASE a SET search_path = b", "DROP DATABASE a", "CREATE TABLESPACE a LOCATION '/b'",
        "CREATE SUBSCRIPTION a CONNECTION 'b' PUBLICATION c", "ALTER SYSTEM SET work_mem = '1GB'",
        "COMMENT ON ROLE a IS 'b'", "COMMENT ON DATABASE \"a\" IS 'b'", "SECURITY LABEL FOR a ON ROLE b IS 'c'",
        "GRANT a TO b", "GRANT \"on\" TO b", "REVOKE ADMIN OPTION FOR a FROM b", "GRANT CONNECT ON DATABASE a TO b",
        "REVOKE ALL ON TABLESPACE a FROM b", "GRANT SET ON PARAMETER work_mem TO a", "REASSIGN OWNED BY a TO b",
        "DROP OWNED BY a", "COPY a TO '/b'", "COPY (SELECT 1) TO PROGRAM 'b'", "COPY a FROM PROGRAM 'b'",
    ])
    func statementsThatActOnTheClusterAreKnown(_ sql: String) throws {
        #expect(try self.reaches(sql) == [true])
    }

    @Test(arguments: [
        "CREATE USER MAPPING FOR a SERVER b", "ALTER USER MAPPING FOR a SERVER b OPTIONS (SET c 'd')",
        "DROP USER MAPPING FOR a SERVER b", "CREATE TABLE role ()", "CREATE OR REPLACE VIEW a AS SELECT 1",
        "GRANT SELECT (a) ON b TO c", "REVOKE GRANT OPTION FOR SELECT ON a FROM b", "GRANT USAGE ON SCHEMA a TO b",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a", "COMMENT ON TABLE a IS 'b'", "SET ROLE a",
        "DROP TABLE a", "ALTER TABLE a OWNER TO b", "COPY a FROM '/b'", "COPY a FROM stdin;\n\\.\n",
        "SECURITY LABEL ON TABLE a IS 'b'", "DO $$ BEGIN CREATE ROLE a; END $$",
    ])
    func othersStayInTheirDatabase(_ sql: String) throws {
        #expect(try self.reaches(sql) == [false])
    }
}
