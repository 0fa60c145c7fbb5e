/// How many accounts were made in one part of a period: those with a phone number, and the others, which are known by e-mail.
struct RegistrationCounts: Sendable, Hashable {
    var all: Int64 = 0
    var phone: Int64 = 0
    var activated: Int64 = 0
    var activatedPhone: Int64 = 0
}

extension RegistrationCounts: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("all", self.all)
            json.member("phone", self.phone)
            json.member("email", self.all - self.phone)
            json.member("activated_phone", self.activatedPhone)
            json.member("activated_email", self.activated - self.activatedPhone)
        }
    }
}
