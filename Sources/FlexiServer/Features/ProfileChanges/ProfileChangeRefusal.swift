/// Why an account did not get another mail address or phone number.
enum ProfileChangeRefusal: Error {
    /// Somebody deleted the account since the request was let in.
    case accountRemoved
    /// The account has the address or number already.
    case unchanged
    /// No change waits.
    case nothingPending
    /// The code is wrong, or a PIN that was guessed at too often.
    case wrongCode
    /// The code is right, and too old.
    case expired
}

extension APIError {
    /// `field` is what was to be changed.
    init(_ refusal: ProfileChangeRefusal, of field: String) {
        self =
            switch refusal {
            case .accountRemoved: .notFound()
            case .unchanged: .invalid(field, "The \(field) is the account's already.")
            case .nothingPending: .notFound("No change of the \(field) is under way.")
            case .wrongCode: .forbidden("The code is wrong.")
            case .expired: .expiredCode
            }
    }
}
