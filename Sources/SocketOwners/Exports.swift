// Whoever asks for owners gets the values that they are told in.
@_exported public import SocketValues
