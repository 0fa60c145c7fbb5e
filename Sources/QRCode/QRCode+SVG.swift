extension QRCode {
    /// An SVG document with the quiet zone around the code, one user unit a module.
    public func svg(side: Int = 320) -> String {
        let modules = self.width + 2 * Self.quietZone
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="\(side)" height="\(side)" \
            viewBox="0 0 \(modules) \(modules)" shape-rendering="crispEdges">
            <rect width="\(modules)" height="\(modules)" fill="#fff"/>
            <path fill="#000" d="\(self.path)"/>
            </svg>

            """
    }

    /// One rectangle for each horizontal run of dark modules.
    private var path: String {
        var path = ""
        for row in 0..<self.width {
            var column = 0
            while column < self.width {
                let start = column
                while column < self.width, self.isDark(row: row, column: column) { column += 1 }
                let run = column - start
                if run > 0 {
                    path += "M\(start + Self.quietZone) \(row + Self.quietZone)h\(run)v1h-\(run)z"
                }
                column = max(column, start + 1)
            }
        }
        return path
    }
}
