internal import SockDiag

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

extension MD5Signature {
    /// The peer or its network: `192.0.2.1/32`.
    var network: String { "\(address)/\(prefixLength)" }
}

extension TLSInfo {
    /// `1.2`, `1.3`; the number on the wire where this version does not know it.
    var versionName: String? {
        version.map { version in
            switch version {
            case 0x303: "1.2"
            case 0x304: "1.3"
            default: "0x\(String(version, radix: 16))"
            }
        }
    }

    /// As `ss` names it (`TLS_CIPHER_*` of `<linux/tls.h>`).
    var cipherName: String? {
        cipher.map { cipher in
            switch cipher {
            case 51: "aes-gcm-128"
            case 52: "aes-gcm-256"
            case 53: "aes-ccm-128"
            case 54: "chacha20-poly1305"
            case 55: "sm4-gcm"
            case 56: "sm4-ccm"
            case 57: "aria-gcm-128"
            case 58: "aria-gcm-256"
            default: "\(cipher)"
            }
        }
    }

    /// `TLS_CONF_*` of `<linux/tls.h>`.
    static func name(ofConfiguration number: UInt16) -> String {
        switch number {
        case 1: "none"
        case 2: "sw"
        case 3: "hw"
        case 4: "hw-record"
        default: "\(number)"
        }
    }
}

extension MPTCPSubflow {
    /// The letters of `ss` for the `MPTCP_SUBFLOW_FLAG_*` bits, capitals for the peer's: capable, joined, backup; then
    /// established, connected, mapped.
    static func letters(ofFlags flags: UInt32) -> String {
        String("MmJjBbecv".enumerated().filter { flags >> UInt32($0.offset) & 1 == 1 }.map(\.element))
    }
}
