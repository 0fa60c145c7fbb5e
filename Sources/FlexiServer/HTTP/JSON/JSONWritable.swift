/// What an answer's body can be made of.
protocol JSONWritable {
    /// Writes exactly one value.
    func write(to json: inout JSONWriter)
}
