/// A value that must not reach a log, an error text or a debugger's print-out by accident: every description of it is `***`.
///
/// The value is taken out with `reveal()`, a word that a reviewer can search for.
struct Secret<Value: Sendable>: Sendable {
    private let value: Value

    init(_ value: Value) {
        self.value = value
    }

    func reveal() -> Value {
        self.value
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "***" }
    var debugDescription: String { "***" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
