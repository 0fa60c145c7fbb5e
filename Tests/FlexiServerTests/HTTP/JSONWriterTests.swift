import Foundation
import NIOCore
import Testing

@testable import FlexiServer

@Suite("JSON output")
struct JSONWriterTests {
    @Test func commasAndBracketsStandWhereTheyShould() {
        var json = JSONWriter()
        json.object { json in
            json.member("a", 1)
            json.member("b") { json in json.array([1, 2]) { json, number in json.value(number) } }
            json.member("c") { json in json.object { _ in } }
            json.member("d") { json in json.array([Int]()) { json, number in json.value(number) } }
            json.member("e") { json in
                json.array(["x", "y"]) { json, text in
                    json.object { json in
                        json.member("t", text)
                        json.nullMember("n")
                    }
                }
            }
            json.member("f", Bool?.none)
            json.member("g", true)
            json.member("h", Int?.none)
            json.member("i", String?.none)
            json.member(named: "j\"") { json in json.value(false) }
        }
        #expect(
            String(buffer: json.buffer)
                == #"{"a":1,"b":[1,2],"c":{},"d":[],"e":[{"t":"x","n":null},{"t":"y","n":null}],"f":null,"g":true,"h":null,"i":null,"j\"":false}"#
        )
    }

    @Test(arguments: ["", "plain", "\"\\/", "\u{0}\u{1}\u{8}\u{B}\u{1F}\u{7F}", "line\nbreak\r\ttab", "é€😀\u{2028}"])
    func anyTextIsReadBack(text: String) throws {
        var json = JSONWriter()
        json.object { json in json.member("t", text) }
        let object = try JSONSerialization.jsonObject(with: Data(json.buffer.readableBytesView)) as? [String: String]
        #expect(object == ["t": text])
    }
}

@Suite("Times")
struct TimeTextTests {
    @Test(arguments: [
        (0.0, "1970-01-01 00:00:00", "1970-01-01T00:00:00.000000Z"),
        (951_782_399.5, "2000-02-28 23:59:59", "2000-02-28T23:59:59.500000Z"),
        (951_868_799.0, "2000-02-29 23:59:59", "2000-02-29T23:59:59.000000Z"),
        (1_657_631_686.25, "2022-07-12 13:14:46", "2022-07-12T13:14:46.250000Z"),
        (4_107_542_400.0, "2100-03-01 00:00:00", "2100-03-01T00:00:00.000000Z"),
        (-1.0, "1969-12-31 23:59:59", "1969-12-31T23:59:59.000000Z"),
        (-62_135_596_800.0, "0001-01-01 00:00:00", "0001-01-01T00:00:00.000000Z"),
    ])
    func aTimeHasTwoForms(seconds: Double, plain: String, rfc3339: String) throws {
        let date = Date(timeIntervalSince1970: seconds)
        #expect(TimeText.plain(date) == plain)
        #expect(TimeText.rfc3339(date) == rfc3339)
        #expect(try #require(TimeText.date(plain: plain)).timeIntervalSince1970 == seconds.rounded(.down))
    }

    @Test func everyDayOfFourHundredYearsIsReadBack() {
        let wrong = (0..<146_097).first { day in
            let date = Date(timeIntervalSince1970: Double(day) * 86_400 + 43_200)
            return TimeText.date(plain: TimeText.plain(date)) != date
        }
        #expect(wrong == nil)
    }

    @Test(arguments: [
        "", "2022-07-12", "2022-07-12T13:14:46", "2022-02-29 00:00:00", "2022-13-01 00:00:00", "2022-00-01 00:00:00",
        "2022-01-32 00:00:00",
        "2022-01-01 24:00:00", "2022-01-01 00:60:00", "2022-01-01 00:00:60", "0000-01-01 00:00:00",
        "2022-1-01 000:00:00", " 022-01-01 00:00:00",
        "2022-01-01 00:00:00 ", "２022-01-01 00:00",
    ])
    func anythingElseIsNoTime(text: String) {
        #expect(TimeText.date(plain: text) == nil)
    }
}
