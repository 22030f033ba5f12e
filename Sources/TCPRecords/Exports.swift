// Whoever reads records gets the values that are in them.
@_exported public import SocketValues
