import Testing

@testable import PGClient

@Suite struct SQLFingerprintTests {
    @Test(arguments: [
        ("SELECT name FROM accounts WHERE id = $1", "SELECT name FROM accounts WHERE id = $1"),
        ("SELECT  'o''clock',\n\t42, 1.5e3", "SELECT ?, ?, ?"),
        (#"SELECT E'it\'s', B'01'"#, "SELECT E?, B?"),
        ("SELECT 1 -- it's\r, 'a\nsecret'", "SELECT ? , ?"),
        (#"SELECT 'a\\', 2, E'\\', 'secret'"#, "SELECT ?, ?, E?, ?"),
        // Where a string ends that a setting of the session decides about, the fingerprint ends, too.
        (#"SELECT 'a\', 'secret'"#, "SELECT ?…"), (#"SELECT 'it\'s secret'"#, "SELECT ?…"),
        (#"SELECT * FROM t WHERE a LIKE'x\' AND b = 'secret'"#, "SELECT * FROM t WHERE a LIKE?…"),
        (#"SELECT a$e'x\', 'secret'"#, "SELECT a$e?…"), (#"SELECT 1e'it\'s secret'"#, "SELECT ??…"),
        ("SELECT E'it''s'\n'it\\'s secret'", "SELECT E? ?…"), (#"SELECT U&'a\' 'secret'"#, "SELECT U&?…"),
        (#"select e'it\'s', n'x', x'1F'"#, "select e?, n?, x?"),
        ("SELECT $1$$secret$$, 1$$secret$$, a$$secret$$", "SELECT $1?, ??, a$$secret$$"),
        ("SELECT $$ it's $$, $x$ $$ secret $x$, $2", "SELECT ?, ?, $2"),
        ("SELECT 1 -- secret\n, 2 /* se /* cr */ et */", "SELECT ? , ?"),
        ("SELECT a1, t2.\"Col'umn 3\" FROM t2", "SELECT a1, t2.\"Col'umn 3\" FROM t2"),
        ("SELECT 'never closed", "SELECT ?"), ("SELECT $a$never closed", "SELECT ?"), ("/* never closed", ""),
        ("SELECT 'x\\", "SELECT ?"), ("SELECT E'x\\", "SELECT E?"), ("$", "$"), ("", ""),
    ])
    func literalsAndCommentsAreLeftOut(sql: String, fingerprint: String) {
        #expect(SQLFingerprint.text(of: sql) == fingerprint)
    }

    @Test func aLongOneIsCut() {
        let fingerprint = SQLFingerprint.text(of: "SELECT " + String(repeating: "column_name, ", count: 100))
        #expect(fingerprint.utf8.count < 220 && fingerprint.hasSuffix("…"))
    }
}
