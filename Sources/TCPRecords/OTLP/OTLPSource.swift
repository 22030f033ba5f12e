/// Whose metrics and events they are, for an OpenTelemetry collector: the resource and the scope of a request.
package struct OTLPSource: Sendable {
    /// The attributes of the resource: `service.name`, `host.name`.
    package var attributes: [(name: String, value: String)]
    /// The version of the program.
    package var version: String

    package init(_ attributes: [(name: String, value: String)], version: String) {
        (self.attributes, self.version) = (attributes, version)
    }

    /// Writes a request of one resource and one scope; what belongs to the scope is written by the closure.
    ///
    /// Source: `opentelemetry/proto/collector/{metrics,logs}/v1`, of which both have the same fields here.
    func write(into bytes: inout TextBuffer, _ body: (inout TextBuffer) -> Void) {
        bytes.append(1) { bytes in
            bytes.append(1) { resource in
                for (name, value) in attributes { resource.append(1, attribute: name, value) }
            }
            bytes.append(2) { scoped in
                scoped.append(1) { scope in
                    scope.append(1, text: "tcpstates")
                    scope.append(2, text: version)
                }
                body(&scoped)
            }
        }
    }
}

extension TextBuffer {
    /// Appends a field that is an attribute (`opentelemetry.proto.common.v1.KeyValue`).
    mutating func append(_ field: Int, attribute name: String, _ value: String) {
        append(field) { attribute in
            attribute.append(1, text: name)
            // The conventions have numbers for ports; what stands for several is none.
            let port = name.hasSuffix(".port") ? UInt16(value) : nil
            attribute.append(2) { any in
                if let port { any.append(3, varint: UInt64(port)) } else { any.append(1, text: value) }
            }
        }
    }
}
