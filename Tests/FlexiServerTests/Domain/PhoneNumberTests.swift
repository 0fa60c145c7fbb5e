import Testing

@testable import FlexiServer

@Suite("Phone numbers")
struct PhoneNumberTests {
    @Test(arguments: ["+33612345678", "+15145550100", "+8821234567", "+3581234567", "+123456789012345", "+6901234"])
    func aNumberOfAnAssignedCodeIsOne(number: String) {
        #expect(PhoneNumber(number)?.value == number)
    }

    @Test(arguments: [
        "", "+", "33612345678", "+0123456789", "+33 612345678", "+3361234567890123", "+33612", "+2101234567",
        "+9991234567", "+2141234567", "+3841234567", "+33٦١٢٣٤٥٦٧", "+33612345678\n", "++33612345678",
    ])
    func anythingElseIsNone(number: String) {
        #expect(PhoneNumber(number) == nil)
    }

    @Test(arguments: [("1514", "1"), ("33", "33"), ("358", "358"), ("3581", "358"), ("9710", "971")])
    func aCodeIsFoundByTheBeginningOfANumber(beginning: String, code: String) {
        #expect(CallingCode(beginning: beginning)?.digits == code)
    }

    @Test(arguments: ["", "0", "21", "210", "999", "x"])
    func noCodeIsTheBeginningOfAnother(beginning: String) {
        #expect(CallingCode(beginning: beginning) == nil)
    }
}
