import Testing

@testable import PGClient

@Suite struct SQLFingerprintTests {
    @Test(arguments: [
        ("SELECT name FROM accounts WHERE id = $1", "SELECT name FROM accounts WHERE id = $1"),
        ("SELECT  'o''clock',\n\t42, 1.5e3", "SELECT ?, ?, ?"),
        (#"SELECT E'it\'s', B'01'"#, "SELECT E?, B?"),
        (#"SELECT 'a\', 'secret'"#, "SELECT ?, ?"),
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
