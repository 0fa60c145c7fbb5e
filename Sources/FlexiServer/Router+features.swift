/// The table of contents: one line a feature.
func addFeatures(to groups: RouteGroups, services: Services) {
    HealthRoutes(services: services).add(to: groups)
    PingRoutes().add(to: groups)
    APIDocumentRoutes().add(to: groups)
    AccountRoutes(services: services).add(to: groups)
    AdministrationRoutes(services: services).add(to: groups)
    OwnAccountRoutes(services: services).add(to: groups)
    ActivationRoutes(services: services).add(to: groups)
    AccountCreationTokenRoutes(services: services).add(to: groups)
    AuthTokenRoutes(services: services).add(to: groups)
    APIKeyRoutes(services: services).add(to: groups)
    ProvisioningRoutes(services: services).add(to: groups)
    ContactRoutes(services: services).add(to: groups)
    AccountTypeRoutes(services: services).add(to: groups)
    ActionRoutes(services: services).add(to: groups)
    StatisticsRoutes(services: services).add(to: groups)
}
