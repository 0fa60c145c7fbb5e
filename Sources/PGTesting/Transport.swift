/// How a client reaches a `FaultProxy` or a `ScriptedServer`.
public enum Transport: Sendable {
    case unixSocket
    /// 127.0.0.1, where a reset is one.
    case tcp
}
