internal import SockDiag
internal import TCPRecords

/// What runs above TCP in the kernel, and what signs its segments.
extension Words {
    /// Adds the protocol above TCP, and what it reports of itself.
    mutating func add(_ upper: UpperLayerProtocol) {
        add {
            $0.append("tcp-ulp-")
            $0.append(printable: upper.name)
        }
        if let tls = upper.tls { add(tls) }
        if let subflow = upper.mptcp { add(subflow) }
    }

    /// Adds the peers whose segments are signed, never the keys: `md5keys:192.0.2.1/32`.
    mutating func addSignatures(_ signatures: [MD5Signature]) {
        guard !signatures.isEmpty else { return }
        add {
            $0.append("md5keys:")
            for (index, signature) in signatures.enumerated() {
                if index > 0 { $0.append(.comma) }
                $0.append(signature.network)
            }
        }
    }

    /// `version:1.3 cipher:aes-gcm-128 rxconf:sw txconf:sw`
    private mutating func add(_ tls: TLSInfo) {
        func put(_ name: StaticString, _ value: String?, _ words: inout Words) {
            guard let value else { return }
            words.add {
                $0.append(name)
                $0.append(.colon)
                $0.append(value)
            }
        }
        put("version", tls.versionName, &self)
        put("cipher", tls.cipherName, &self)
        put("rxconf", tls.receive.map(TLSInfo.name(ofConfiguration:)), &self)
        put("txconf", tls.transmit.map(TLSInfo.name(ofConfiguration:)), &self)
    }

    /// `flags:Mmec token:0(id:0)/ea1f8f1b(id:0) seq:5f sfseq:1 ssnoff:0 maplen:1f4`, the peer's token first.
    private mutating func add(_ subflow: MPTCPSubflow) {
        if let flags = subflow.flags {
            add {
                $0.append("flags:")
                $0.append(MPTCPSubflow.letters(ofFlags: flags))
            }
        }
        add {
            $0.append("token:")
            $0.append(hex: UInt64(subflow.remoteToken ?? 0))
            $0.append("(id:")
            $0.append(decimal: UInt64(subflow.remoteID ?? 0))
            $0.append(")/")
            $0.append(hex: UInt64(subflow.localToken ?? 0))
            $0.append("(id:")
            $0.append(decimal: UInt64(subflow.localID ?? 0))
            $0.append(")")
        }
        add("seq", hex: subflow.mapSequence)
        add("sfseq", hex: subflow.mapSubflowSequence)
        add("ssnoff", hex: subflow.offset)
        add("maplen", hex: subflow.mapLength)
    }
}
