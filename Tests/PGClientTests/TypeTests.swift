import FoundationEssentials
import Testing

@testable import PGClient

@Suite struct TypeTests {
    /// A value, and SQL that has the same value in PostgreSQL's eyes.
    static let pairs: [(any (PGEncodable & PGDecodable & Equatable & Sendable), String)] = [
        (true, "true"), (false, "false"),
        (Int16.min, "(-32768)::int2"), (Int32.max, "2147483647::int4"), (Int64.min, "(-9223372036854775808)::int8"),
        (Int.max, "9223372036854775807"),
        (Double.pi, "pi()"), (-Double.infinity, "'-infinity'::float8"), (Float(1.5), "1.5::float4"),
        ("", "''::text"), ("Zoë 🐘", "U&'Zo\\00EB \\+01F418'::text"),
        ([UInt8](), "''::bytea"), ([0, 255, 92, 0] as [UInt8], "'\\x00ff5c00'::bytea"),
        (
            UUID(uuid: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
            "'00010203-0405-0607-0809-0a0b0c0d0e0f'::uuid"
        ),
        (Date(timeIntervalSince1970: 0), "'1970-01-01T00:00:00Z'::timestamptz"),
        (Date(timeIntervalSince1970: 1_800_000_000.25), "to_timestamp(1800000000.25)"),
        (Date(timeIntervalSince1970: -62_167_219_200), "'0001-01-01T00:00:00Z BC'::timestamptz"),
        ([1, -2, 3], "ARRAY[1,-2,3]::int8[]"), ([Int](), "ARRAY[]::int8[]"),
        (["a", "", "c,\"{}"], "ARRAY['a','','c,\"{}']"),
        ([true, false], "ARRAY[true,false]"), ([1.5, 2], "ARRAY[1.5,2]::float8[]"),
        (["x", nil] as [String?], "ARRAY['x',NULL]::text[]"), ([nil, 4] as [Int?], "ARRAY[NULL,4]::int8[]"),
        ([Date(timeIntervalSince1970: 1)], "ARRAY[to_timestamp(1)]"),
        (PGUnbounded<PGDate>.infinity, "'infinity'::date"),
        (PGUnbounded<PGDate>.finite(PGDate(daysSince2000: 0)), "'2000-01-01'::date"),
        (PGUnbounded<Date>.negativeInfinity, "'-infinity'::timestamptz"),
        (PGUnbounded<Date>.finite(Date(timeIntervalSince1970: 0)), "'1970-01-01T00:00:00Z'::timestamptz"),
        (PGInterval(months: 14, days: 3, microseconds: -4_500_000), "'1 year 2 months 3 days -4.5 seconds'::interval"),
        (Duration.milliseconds(1_500), "'1.5 seconds'::interval"),
        (PGNumeric.notANumber, "'NaN'::numeric"), (PGNumeric.negativeInfinity, "'-infinity'::numeric"),
        (PGJSON(["a": [1, 2]]), #"'{"a": [1, 2]}'::jsonb"#),
        ([PGDate(daysSince2000: 1)], "ARRAY['2000-01-02'::date]"),
        ([[0, 255], []] as [[UInt8]], #"ARRAY['\x00ff', '']::bytea[]"#),
        ([PGJSON(["a": 1]), PGJSON([:])], #"ARRAY['{"a": 1}', '{}']::jsonb[]"#),
        ([PGUnbounded<PGDate>.infinity, .finite(PGDate(daysSince2000: 0))], "ARRAY['infinity', '2000-01-01']::date[]"),
        ([PGUnbounded<Date>.negativeInfinity, nil], "ARRAY['-infinity', NULL]::timestamptz[]"),
    ]

    @Test(arguments: pairs.indices)
    func aValueIsTheSameOnBothSides(index: Int) async throws {
        func check<Value: PGEncodable & PGDecodable & Equatable>(
            _ value: Value, _ literal: String, _ connection: PGConnection
        ) async throws {
            let query = PGQuery(
                unsafeSQL: "SELECT \(literal) AS theirs, $1 AS ours, $1 = \(literal) AS same", binds: [value.pgValue])
            let row = try #require(try await connection.query(query).only)
            #expect(try row.decode("theirs", as: Value.self) == value)
            #expect(try row.decode("ours", as: Value.self) == value)
            #expect(try row.decode("same", as: Bool.self))
        }
        let (value, literal) = Self.pairs[index]
        try await withPlainConnection { try await check(value, literal, $0) }
    }

    @Test func everyTypeCanBeNull() async throws {
        try await withPlainConnection { connection in
            let row = try #require(
                try await connection.query(
                    """
                    SELECT \(nil as Bool?), \(nil as Int?), \(nil as Double?), \(nil as String?), \(nil as [UInt8]?),
                        \(nil as UUID?), \(nil as Date?), \(nil as [String]?)
                    """
                ).only
            )
            let values = try row.decode((Bool?, Int?, Double?, String?, [UInt8]?, UUID?, Date?, [String]?).self)
            #expect(values.0 == nil && values.1 == nil && values.2 == nil && values.3 == nil)
            #expect(values.4 == nil && values.5 == nil && values.6 == nil && values.7 == nil)
        }
    }

    @Test func integersOfEveryWidthAreReadAsInt() async throws {
        try await withPlainConnection { connection in
            let row = try #require(try await connection.query("SELECT 1::int2, (-2)::int4, 3::int8, 4::oid").only)
            #expect(try row.decode((Int, Int, Int, Int).self) == (1, -2, 3, 4))
        }
    }

    @Test func textTypesAreReadAsString() async throws {
        try await withPlainConnection { connection in
            let row = try #require(
                try await connection.query(
                    "SELECT 'v'::varchar, 'n'::name, '{\"a\": 1}'::json, '{\"a\": 1}'::jsonb, 'c'::char(2), 'q'::\"char\""
                ).only
            )
            let values = try row.decode((String, String, String, String, String, String).self)
            #expect(values == ("v", "n", "{\"a\": 1}", "{\"a\": 1}", "c ", "q"))
        }
    }

    @Test func enumsOfBothSidesMatch() async throws {
        enum Mood: String, PGEncodable, PGDecodable { case calm, angry }
        try await withConnection { connection in
            try await connection.execute("CREATE TYPE mood AS ENUM ('calm', 'angry', 'unknown')")
            let row = try #require(
                try await connection.query("SELECT \(Mood.angry)::mood AS mood, 'unknown'::mood AS other").only)
            #expect(try row.decode("mood", as: Mood.self) == .angry)
            let error = #expect(throws: PGError.self) { try row.decode("other", as: Mood.self) }
            #expect(error?.column == "other")
        }
    }

    /// What cannot be read: the SQL, how it is read, and what the error says.
    static let refusals: [(PGQuery, any (PGDecodable & Sendable).Type, String)] = [
        ("SELECT NULL::int AS c", Int.self, "column c, read as Int: the value is NULL"),
        ("SELECT 70000 AS c", Int16.self, "column c, read as Int16: 70000 does not fit into Int16"),
        ("SELECT 'x'::text AS c", Int.self, "column c, read as Int: a value of type text cannot be read as Int"),
        (
            "SELECT repeat('7', 60)::numeric AS c", Decimal.self,
            "column c, read as Decimal: the number does not fit into Decimal without loss"
        ),
        (
            "SELECT '-infinity'::date AS c", PGDate.self,
            "column c, read as PGDate: an infinite date cannot be read as PGDate; PGUnbounded<PGDate> can hold it"
        ),
        (
            "SELECT '1 day'::interval AS c", Duration.self,
            "column c, read as Duration: an interval with days or months has no fixed length; PGInterval can hold it"
        ),
        (
            #"SELECT '{"secret": 1}'::jsonb AS c"#, PGJSON<[Int]>.self,
            "column c, read as PGJSON<Array<Int>>: the JSON is no Array<Int>"
        ),
        (
            "SELECT 1.5::numeric AS c", Double.self,
            "column c, read as Double: a value of type numeric cannot be read as Double"
        ),
        (
            "SELECT '::1'::inet AS c", String.self,
            "column c, read as String: a value of type inet cannot be read as String"
        ),
        (
            "SELECT 'infinity'::timestamptz AS c", Date.self,
            "column c, read as Date: an infinite time cannot be read as Date"
        ),
        (
            "SELECT ARRAY[[1],[2]] AS c", [Int].self,
            "column c, read as Array<Int>: an array of 2 dimensions is not read"
        ),
        ("SELECT ARRAY[1,NULL] AS c", [Int].self, "column c, read as Array<Int>: the value is NULL"),
        (
            "SELECT 'ffffffff-0000-0000-0000-000000000000'::uuid AS c", [Int].self,
            "column c, read as Array<Int>: the value is no array"
        ),
        ("SELECT '1 day'::interval AS c", [Int].self, "column c, read as Array<Int>: the value is no array"),
        ("SELECT point(0, 0) AS c", [Int].self, "column c, read as Array<Int>: the value is no array"),
        (
            #"SELECT '\x000000000000000000000014'::bytea AS c"#, [Int].self,
            "column c, read as Array<Int>: a value of type bytea cannot be read as Array<Int>"
        ),
        (
            #"SELECT '\x000000010000000000000014'::bytea || '\x0000000000000001'::bytea AS c"#, [Int].self,
            "column c, read as Array<Int>: a value of type bytea cannot be read as Array<Int>"
        ),
        (
            "SELECT ARRAY[]::text[] AS c", [Int].self,
            "column c, read as Array<Int>: a value of type text[] cannot be read as Array<Int>"
        ),
        (
            "SELECT ARRAY[]::float8[] AS c", [PGNumeric?].self,
            "column c, read as Array<Optional<PGNumeric>>: a value of type double precision[] cannot be read as "
                + "Array<Optional<PGNumeric>>"
        ),
        (
            "SELECT ROW(1, 'a') AS c", String.self,
            "column c, read as String: a value of type record cannot be read as String"
        ),
    ]

    @Test(arguments: refusals.indices)
    func whatCannotBeReadIsAnErrorThatNamesTheColumn(index: Int) async throws {
        let (query, type, message) = Self.refusals[index]
        func read<Value: PGDecodable>(_ row: PGRow, _: Value.Type) throws { _ = try row.decode("c", as: Value.self) }
        try await withPlainConnection { connection in
            let row = try #require(try await connection.query(query).only)
            let error = #expect(throws: PGError.self) { try read(row, type) }
            #expect(error?.code == .decoding)
            #expect(error?.column == "c")
            #expect(error?.message == message)
        }
    }

    @Test func anEmptyArrayIsReadAsOneWithElementsWouldBe() async throws {
        enum Mood: String, PGEncodable, PGDecodable, PGArrayElement { case calm }
        func check<Element: PGArrayElement>(_ types: [String], _: Element.Type, _ connection: PGConnection) async throws
        {
            for type in types {
                let query = PGQuery(unsafeSQL: "SELECT ARRAY[]::\(type)[] AS c")
                #expect(
                    try await connection.query(query).only?.decode("c", as: [Element].self).isEmpty == true, "\(type)")
            }
        }
        try await withConnection { connection in
            try await connection.execute("CREATE TYPE mood AS ENUM ('calm')")
            try await check(["int2", "int4", "int8", "oid"], Int.self, connection)
            try await check(
                ["text", "varchar", "char", "name", "json", "jsonb", "xml", "mood"], String?.self, connection)
            try await check(["text", "mood"], Mood.self, connection)
            try await check(["float4", "float8"], Double.self, connection)
            try await check(["date", "timestamp", "timestamptz"], Date.self, connection)
            try await check(["inet", "cidr"], PGInet.self, connection)
            // Of one dimension all the same, unlike every other empty array.
            let row = try await connection.query("SELECT proargtypes FROM pg_proc WHERE oid = 'now()'::regprocedure")
                .only
            #expect(try row?.decode("proargtypes", as: [Int].self).isEmpty == true)
        }
    }

    @Test func aColumnThatIsNotThereIsNamed() async throws {
        try await withPlainConnection { connection in
            let row = try #require(try await connection.query("SELECT 1 AS a, 2 AS b").only)
            let missing = #expect(throws: PGError.self) { try row.decode("c", as: Int.self) }
            #expect(missing?.column == "c")
            let tooMany = #expect(throws: PGError.self) { try row.decode((Int, Int, Int).self) }
            #expect(tooMany?.code == .decoding)
            let mistyped = #expect(throws: PGError.self) { try row.decode((Int, String).self) }
            #expect(mistyped?.column == "b")
        }
    }

    @Test func dateAndTimestampAreReadAsUTC() async throws {
        try await withPlainConnection { connection in
            let row = try #require(
                try await connection.query("SELECT '2000-01-02'::date, '1999-12-31 23:59:59.5'::timestamp").only)
            let (date, timestamp) = try row.decode((Date, Date).self)
            #expect(date == Date(timeIntervalSince1970: 946_771_200))
            #expect(timestamp == Date(timeIntervalSince1970: 946_684_799.5))
        }
    }

    /// As the guide says: a `timestamp` is written by the time zone of the session, unless the SQL says which.
    @Test(arguments: [("Europe/Paris", 3600.0), ("UTC", 0)])
    func aTimestampIsWrittenAsItIsReadWhenTheSQLSaysUTC(zone: String, shift: Double) async throws {
        let date = Date(timeIntervalSince1970: 1_800_000_000.25)
        try await withConnection({ $0.parameters["TimeZone"] = zone }) { connection in
            try await connection.execute("CREATE TABLE t (at timestamp, by_zone timestamp)")
            try await connection.execute("INSERT INTO t VALUES (\(date) AT TIME ZONE 'UTC', \(date))")
            let row = try #require(
                try await connection.query("SELECT at, by_zone FROM t WHERE at = \(date) AT TIME ZONE 'UTC'").only)
            #expect(try row.decode("at") == date)
            #expect(try row.decode("by_zone") == date + shift)
            // COPY converts nothing.
            try await connection.copyIn("COPY t (at) FROM STDIN (FORMAT binary)") { try await $0.write(row: date) }
            let count = try await connection.query("SELECT FROM t WHERE at = \(date) AT TIME ZONE 'UTC'").count
            #expect(count == 2)
        }
    }

    @Test func aDateThatPostgreSQLCannotHoldIsRefused() async throws {
        try await withPlainConnection { connection in
            for seconds in [Double.infinity, .nan, 1e15] {
                let error = await #expect(throws: PGError.self) {
                    try await connection.query("SELECT \(Date(timeIntervalSince1970: seconds))")
                }
                #expect(error?.code == .invalidParameter)
            }
        }
    }

    @Test func scalarsOfASimpleQueryAreReadFromTheirText() async throws {
        try await withPlainConnection { connection in
            let results = try await connection.simpleQuery(
                unsafeSQL: "SELECT 5, true, 1.5::float8, 'x', '\\x00ff'::bytea, gen_random_uuid(), 1.50::numeric")
            let row = try #require(results.first?.only)
            let values = try row.decode((Int, Bool, Double, String, [UInt8], UUID, String).self)
            #expect(
                values.0 == 5 && values.1 && values.2 == 1.5 && values.3 == "x" && values.4 == [0, 255]
                    && values.6 == "1.50")
        }
    }
}
