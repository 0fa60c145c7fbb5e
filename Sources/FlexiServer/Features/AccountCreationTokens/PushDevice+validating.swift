extension PushDevice {
    /// Reads what a phone sends of itself, or throws 422 with all that is wrong.
    init(validating body: JSONObject) throws(APIError) {
        var checker = Checker(body)
        let provider = checker.requiredChoice("pn_provider", of: Provider.self)
        let parameter = checker.requiredText("pn_param", "The pn param is not one of the push notification provider's.")
        {
            Self.isParameter($0) ? $0 : nil
        }
        let resourceID = checker.requiredText("pn_prid", "The pn prid is not one of the push notification provider's.")
        {
            Self.isResourceID($0) ? $0 : nil
        }
        try checker.finish()
        guard let provider, let parameter, let resourceID,
            let device = PushDevice(provider: provider, parameter: parameter, resourceID: resourceID)
        else { throw checker.incomplete }
        self = device
    }
}
