import FoundationEssentials
import Testing

@testable import PGClient

/// Types whose text is their value: what we make of the server's bytes reads as the server writes it, and comes back as it was.
@Suite struct ExactTypeTests {
    func check<Value: PGEncodable & PGDecodable & Hashable & CustomStringConvertible>(
        _ text: String, as type: Value.Type, _ typeName: StaticString, _ parsed: Value?
    ) async throws {
        try await withPlainConnection { connection in
            let cast = PGQuery(unsafeSQL: "::\(typeName)")
            _ = try await connection.simpleQuery(unsafeSQL: "SET intervalstyle = iso_8601")
            let row = try #require(
                try await connection.query("SELECT \(text)\(cast) AS value, format('%s', \(text)\(cast)) AS theirs")
                    .only)
            let value = try row.decode("value", as: Value.self)
            #expect(value.description == (try row.decode("theirs")))
            #expect(parsed.map { $0 == value } != false)
            let back = try #require(
                try await connection.query("SELECT format('%s', \(value)) AS ours, \(value) = \(text)\(cast) AS same")
                    .only)
            #expect(try back.decode("ours") == value.description)
            #expect(try back.decode("same", as: Bool.self))
        }
    }

    @Test(arguments: [
        "0", "0.00", "1", "-1", "10000", "9999.9999", "0.0001", "0.00001000", "-0.5", "100000000",
        "123456789012345678901234567890",
        "-12345678901234567890.123456789012345678901234567890", "NaN", "Infinity", "-Infinity",
        "1" + String(repeating: "0", count: 2000) + ".0" + String(repeating: "1", count: 1000),
    ])
    func numbersKeepEveryDigit(text: String) async throws {
        try await self.check(text, as: PGNumeric.self, "numeric", PGNumeric(text))
    }

    @Test(arguments: ["", "-", ".", "1e5", "1.2.3", "0x10", " 1", "١", "1_000", "inf"])
    func whatIsNoNumberIsRefused(text: String) {
        #expect(PGNumeric(text) == nil)
    }

    @Test func decimalsAreReadWithoutLossOrNotAtAll() async throws {
        try await withPlainConnection { connection in
            for text in ["0", "-1234.50", "0.000001", "12345678901234567890123456789012345678"] {
                let sent = try #require(Decimal(string: text))
                let row = try #require(try await connection.query("SELECT \(sent) AS d, \(sent)::text AS t").only)
                #expect(try row.decode("d", as: Decimal.self) == sent)
                #expect(
                    try PGNumeric(row.decode("t", as: String.self))?.isSameNumber(as: #require(PGNumeric(text))) == true
                )
            }
        }
    }

    @Test(arguments: [
        "2000-01-01", "1999-12-31", "2024-02-29", "1900-03-01", "0001-01-01", "0044-03-15 BC", "0005-02-29 BC",
        "4714-11-24 BC", "5874897-12-31",
    ])
    func daysAreThoseOfTheServersCalendar(text: String) async throws {
        try await self.check(text, as: PGDate.self, "date", nil)
    }

    @Test func everyDayOfFourHundredYearsFollowsTheOneBefore() throws {
        for days in -146_097...0 {
            let (date, next) = (PGDate(daysSince2000: days), PGDate(daysSince2000: days + 1))
            #expect(date < next && date.daysSince2000 == days)
            #expect(PGDate(year: date.year, month: date.month, day: date.day) == date)
        }
    }

    @Test(arguments: [
        (2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (-4713, 11, 23), (5_874_898, 1, 1),
        (2026, 1, .max), (2026, 1, .min), (2026, .max, 1), (2026, .min, 1), (.max, 1, 1), (.min, 1, 1),
    ])
    func aDayThatDoesNotExistIsRefused(year: Int, month: Int, day: Int) {
        #expect(PGDate(year: year, month: month, day: day) == nil)
    }

    @Test(arguments: ["PT0S", "P1Y2M3DT4H5M6.7S", "P-1Y-2M", "PT-0.000001S", "PT-1H-1M-1.5S", "P3DT-2M"])
    func intervalsKeepTheirParts(text: String) async throws {
        try await self.check(text, as: PGInterval.self, "interval", nil)
    }

    @Test(arguments: ["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "::1", "2001:db8::/32", "::ffff:192.0.2.1"])
    func addressesKeepTheirPrefix(text: String) async throws {
        try await self.check(text, as: PGInet.self, "inet", PGInet(text))
    }

    @Test(arguments: [
        "", "192.0.2", "192.0.2.256", "192.0.2.1/33", "::1/129", "::1/-1", "::1/+1", "host", "1.2.3.4/5/6",
        "192.0.2.1\0",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(PGInet(text) == nil)
    }

    @Test func aNetworkIsReadAsAnAddressWithItsPrefix() async throws {
        try await withPlainConnection { connection in
            let row = try #require(try await connection.query("SELECT '10.0.0.0/8'::cidr AS network").only)
            #expect(try row.decode("network", as: PGInet.self) == PGInet("10.0.0.0/8"))
        }
    }

    @Test func datesAtTheEdgesOfTimestamptzAreReadAndSent() async throws {
        try await withPlainConnection { connection in
            for text in ["4714-11-24 00:00:00+00 BC", "0001-12-31 23:59:59+00 BC", "294276-12-31 23:59:59+00"] {
                let row = try #require(try await connection.query("SELECT \(text)::timestamptz AS at").only)
                let date = try row.decode("at", as: Date.self)
                let same = try await connection.query("SELECT \(date) = \(text)::timestamptz AS same").only
                #expect(try same?.decode("same", as: Bool.self) == true)
            }
        }
    }

    @Test func arraysOfEnumsTravelAsTheirLabels() async throws {
        enum Mood: String, PGEncodable, PGDecodable, PGArrayElement { case calm, angry }
        try await withConnection { connection in
            try await connection.execute("CREATE TYPE mood AS ENUM ('calm', 'angry')")
            let row = try #require(try await connection.query("SELECT \([Mood.angry, .calm])::mood[] AS moods").only)
            #expect(try row.decode("moods", as: [Mood].self) == [.angry, .calm])
        }
    }

    @Test func theNameOfAColumnThatArrivesAtRunTimeIsOneOfAList() {
        let allowed: [PGIdentifier] = ["name", "created_at"]
        #expect(PGIdentifier("created_at", in: allowed) == "created_at")
        #expect(PGIdentifier("password", in: allowed) == nil)
        #expect(PGIdentifier("name\" --", in: allowed) == nil)
    }
}
