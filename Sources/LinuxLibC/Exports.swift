// The C library under one name, whichever it is: Glibc, or Musl where the static Linux SDK is built for. Whoever calls it
// imports this target, and nobody else names either.
#if canImport(Musl)
    @_exported public import Musl
#else
    @_exported public import Glibc
#endif
