// Whoever watches gets the state machine and the values that a watcher yields.
@_exported public import ConnectionTracking
@_exported public import SocketValues
