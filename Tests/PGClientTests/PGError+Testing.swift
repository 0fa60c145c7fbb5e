public import PGClient
public import Testing

/// What a failed test prints is for people who may know everything.
extension PGError: CustomTestStringConvertible {
    public var testDescription: String { self.debugDescription }
}
