// Whoever uses the client gets the values that it yields: states, addresses, endpoints, cookies, identities.
@_exported public import SocketValues
