/// A part of a list of accounts, in the envelope that deployed clients know. A part after an id has no number: what would
/// need one is `null` there, the total included.
struct AccountList: Sendable {
    let accounts: [Account]
    let query: AccountListQuery
    /// Of all pages; `nil` for a part after an id.
    let total: Int?
    /// The list's address without a query.
    let path: String

    private var page: Int? {
        if case .page(let page) = self.query.part { page } else { nil }
    }

    private var lastPage: Int? {
        self.total.map { max(1, ($0 + self.query.size - 1) / self.query.size) }
    }

    private var nextURL: String? {
        if let page, let lastPage { return page < lastPage ? self.url(page: page + 1) : nil }
        guard self.accounts.count == self.query.size, let last = self.accounts.last else { return nil }
        return self.url([("after", String(last.id.rawValue))])
    }

    private var previousURL: String? {
        self.page.flatMap { $0 > 1 ? self.url(page: $0 - 1) : nil }
    }

    private func url(page: Int) -> String {
        self.url([("page", String(page))])
    }

    private func url(_ part: [(name: String, value: String)]) -> String {
        let query = (self.query.parameters + part).map { "\($0.name)=\(PercentEncoding.encode($0.value))" }
        return "\(self.path)?\(query.joined(separator: "&"))"
    }

    /// The numbers shown between the links to the previous and the next page; `nil` is a gap.
    private var shownPages: [Int?] {
        guard let page, let lastPage else { return [] }
        let shown = [1, 2, lastPage - 1, lastPage] + Array(page - 3...page + 3)
        var pages: [Int?] = []
        for number in Set(shown).filter({ (1...lastPage).contains($0) }).sorted() {
            if let previous = pages.last.flatMap({ $0 }), number > previous + 1 { pages.append(nil) }
            pages.append(number)
        }
        return pages
    }
}

extension AccountList: JSONWritable {
    func write(to json: inout JSONWriter) {
        let before = self.page.map { ($0 - 1) * self.query.size }
        let isEmpty = self.accounts.isEmpty
        json.object { json in
            json.member("current_page", self.page)
            json.member("data") { json in json.array(self.accounts) { json, account in account.write(to: &json) } }
            json.member("first_page_url", self.url(page: 1))
            json.member("from", isEmpty ? nil : before.map { $0 + 1 })
            json.member("last_page", self.lastPage)
            json.member("last_page_url", self.lastPage.map(self.url(page:)))
            json.member("links") { json in self.writeLinks(to: &json) }
            json.member("next_page_url", self.nextURL)
            json.member("path", self.path)
            json.member("per_page", self.query.size)
            json.member("prev_page_url", self.previousURL)
            json.member("to", isEmpty ? nil : before.map { $0 + self.accounts.count })
            json.member("total", self.total)
        }
    }

    private func writeLinks(to json: inout JSONWriter) {
        let pages = self.shownPages.map { page in
            (page.map(self.url(page:)), page.map { String($0) } ?? "...", page != nil && page == self.page)
        }
        let links = [(self.previousURL, "&laquo; Previous", false)] + pages + [(self.nextURL, "Next &raquo;", false)]
        json.array(links) { json, link in
            json.object { json in
                json.member("url", link.0)
                json.member("label", link.1)
                json.member("active", link.2)
            }
        }
    }
}
