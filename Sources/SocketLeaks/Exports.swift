// Whoever searches says in which processes, and gets sockets' values.
@_exported public import SocketOwners
