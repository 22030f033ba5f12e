// Whoever asks for owners gets the values that describe them.
@_exported public import SocketValues
