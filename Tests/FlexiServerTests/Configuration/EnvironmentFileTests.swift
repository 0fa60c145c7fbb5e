import Testing

@testable import FlexiServer

@Suite("Env files")
struct EnvironmentFileTests {
    @Test func aFileOfTheReferenceSystemIsRead() throws {
        let values = try EnvironmentFile.parse(
            """
            # Laravel's own
            APP_NAME="Account Manager"
            APP_URL=https://${APP_SIP_DOMAIN}
            APP_SIP_DOMAIN = sip.example.org   # the domain
            export ACCOUNT_REALM='a # b ${APP_NAME}'
            MAIL_FROM_NAME="${APP_NAME} \\"team\\"\\nx"
            EMPTY=
            HASH=a#b
            EQUALS=base64:abc=
            TWICE=1
            TWICE=2

            """
        )
        #expect(
            values == [
                "APP_NAME": "Account Manager", "APP_URL": "https://", "APP_SIP_DOMAIN": "sip.example.org",
                "ACCOUNT_REALM": "a # b ${APP_NAME}", "MAIL_FROM_NAME": "Account Manager \"team\"\nx", "EMPTY": "",
                "HASH": "a#b",
                "EQUALS": "base64:abc=", "TWICE": "2",
            ])
    }

    @Test(arguments: [
        ("A=1\nnonsense", 2, "an entry is written KEY=value"),
        ("A B=1", 1, "a key is made of letters, digits and underscores"),
        ("\n\nA=\"open", 3, "a quote is not closed"), ("A='open", 1, "a quote is not closed"),
        ("=1", 1, "a key is made of letters, digits and underscores"),
    ])
    func aBrokenLineIsNamed(text: String, line: Int, problem: String) {
        #expect(throws: EnvironmentFile.SyntaxError(line: line, problem: problem)) { try EnvironmentFile.parse(text) }
    }
}
