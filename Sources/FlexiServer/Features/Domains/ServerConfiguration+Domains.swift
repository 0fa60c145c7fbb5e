extension ServerConfiguration {
    /// Where the public's requests find accounts.
    var servedDomains: DomainScope {
        self.managesManyDomains ? .all : .only(self.sipDomain)
    }
}
