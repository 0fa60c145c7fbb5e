/// A server on which every route can do its work, as far as that takes no other program.
enum WholeAPI {
    /// Many domains, messages that go to the log, and as many of them as anybody asks for.
    static let settings = [
        "APP_ADMINS_MANAGE_MULTI_DOMAINS": "true", "MAIL_DRIVER": "log", "SMS_DRIVER": "log",
        "SMS_DAILY_PER_ACCOUNT": "0",
        "SMS_DAILY_PER_NUMBER": "0", "SMS_DAILY_PER_ADDRESS": "0", "SMS_DAILY_TOTAL": "0",
    ]
}
