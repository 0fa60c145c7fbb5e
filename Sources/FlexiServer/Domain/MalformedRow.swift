/// A row of the database breaks a rule that the schema promises.
struct MalformedRow: Error {
    let column: String
}
