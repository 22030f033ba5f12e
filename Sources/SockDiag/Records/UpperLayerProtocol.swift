/// The protocol that the kernel runs above a TCP connection.
///
/// Source: `INET_DIAG_ULP_INFO` and the `INET_ULP_INFO_*` numbers of `<linux/inet_diag.h>` (kernel 5.4).
public struct UpperLayerProtocol: Hashable, Sendable {
    /// Its name: `tls`, `mptcp`, `espintcp`.
    public var name: String
    /// What TLS reports, where it is TLS.
    public var tls: TLSInfo?
    /// What the subflow reports, where it is MPTCP (kernel 5.7).
    public var mptcp: MPTCPSubflow?

    /// A protocol of a name, with what it reports.
    public init(name: String, tls: TLSInfo? = nil, mptcp: MPTCPSubflow? = nil) {
        (self.name, self.tls, self.mptcp) = (name, tls, mptcp)
    }

    /// `INET_ULP_INFO_NAME`, `INET_ULP_INFO_TLS`, `INET_ULP_INFO_MPTCP`
    private enum Kind: UInt16 { case name = 1, tls, mptcp }

    /// Decodes the attribute; nil where it has no name.
    @usableFromInline
    init?(_ value: RawSpan) {
        let attributes = Attributes(value)
        guard let name = attributes.value(of: AttributeType(rawValue: Kind.name.rawValue)) else { return nil }
        self.name = name.text()
        if let nested = attributes.value(of: AttributeType(rawValue: Kind.tls.rawValue)) { tls = TLSInfo(nested) }
        if let nested = attributes.value(of: AttributeType(rawValue: Kind.mptcp.rawValue)) {
            mptcp = MPTCPSubflow(nested)
        }
    }
}

/// What kernel TLS reports of a connection: the `TLS_INFO_*` numbers of `<linux/tls.h>`.
public struct TLSInfo: Hashable, Sendable {
    /// The protocol version on the wire: 0x303 is TLS 1.2, 0x304 TLS 1.3 (`TLS_INFO_VERSION`).
    public var version: UInt16?
    /// The cipher: the `TLS_CIPHER_*` numbers, 51 is AES-GCM-128 (`TLS_INFO_CIPHER`).
    public var cipher: UInt16?
    /// How sending is done: 1 base, 2 software, 3 hardware, 4 hardware records (`TLS_INFO_TXCONF`).
    public var transmit: UInt16?
    /// How receiving is done, in the same numbers (`TLS_INFO_RXCONF`).
    public var receive: UInt16?

    /// What is given of it.
    public init(version: UInt16? = nil, cipher: UInt16? = nil, transmit: UInt16? = nil, receive: UInt16? = nil) {
        (self.version, self.cipher, self.transmit, self.receive) = (version, cipher, transmit, receive)
    }

    /// Decodes the nested attributes.
    init(_ value: RawSpan) {
        let attributes = Attributes(value)
        (version, cipher) = (attributes.number(of: 1), attributes.number(of: 2))
        (transmit, receive) = (attributes.number(of: 3), attributes.number(of: 4))
    }
}

/// What a TCP connection that carries a part of an MPTCP one reports: the `MPTCP_SUBFLOW_ATTR_*` numbers of
/// `<linux/mptcp.h>`.
public struct MPTCPSubflow: Hashable, Sendable {
    /// The peer's token of the MPTCP connection (`MPTCP_SUBFLOW_ATTR_TOKEN_REM`).
    public var remoteToken: UInt32?
    /// This machine's token of the MPTCP connection (`MPTCP_SUBFLOW_ATTR_TOKEN_LOC`).
    public var localToken: UInt32?
    /// The sequence number relative to the subflow's start (`MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ`).
    public var relativeWriteSequence: UInt32?
    /// Where the current mapping starts in the MPTCP connection (`MPTCP_SUBFLOW_ATTR_MAP_SEQ`).
    public var mapSequence: UInt64?
    /// Where the current mapping starts in the subflow (`MPTCP_SUBFLOW_ATTR_MAP_SFSEQ`).
    public var mapSubflowSequence: UInt32?
    /// The subflow's offset (`MPTCP_SUBFLOW_ATTR_SSN_OFFSET`).
    public var offset: UInt32?
    /// The length of the current mapping, bytes (`MPTCP_SUBFLOW_ATTR_MAP_DATALEN`).
    public var mapLength: UInt16?
    /// The `MPTCP_SUBFLOW_FLAG_*` bits (`MPTCP_SUBFLOW_ATTR_FLAGS`).
    public var flags: UInt32?
    /// The peer's address number (`MPTCP_SUBFLOW_ATTR_ID_REM`).
    public var remoteID: UInt8?
    /// This machine's address number (`MPTCP_SUBFLOW_ATTR_ID_LOC`).
    public var localID: UInt8?

    /// What is given of it.
    public init(
        remoteToken: UInt32? = nil,
        localToken: UInt32? = nil,
        relativeWriteSequence: UInt32? = nil,
        mapSequence: UInt64? = nil,
        mapSubflowSequence: UInt32? = nil,
        offset: UInt32? = nil,
        mapLength: UInt16? = nil,
        flags: UInt32? = nil,
        remoteID: UInt8? = nil,
        localID: UInt8? = nil
    ) {
        (self.remoteToken, self.localToken, self.flags) = (remoteToken, localToken, flags)
        (self.relativeWriteSequence, self.mapSequence) = (relativeWriteSequence, mapSequence)
        (self.mapSubflowSequence, self.offset, self.mapLength) = (mapSubflowSequence, offset, mapLength)
        (self.remoteID, self.localID) = (remoteID, localID)
    }

    /// Decodes the nested attributes.
    init(_ value: RawSpan) {
        let attributes = Attributes(value)
        (remoteToken, localToken) = (attributes.number(of: 1), attributes.number(of: 2))
        relativeWriteSequence = attributes.number(of: 3)
        (mapSequence, mapSubflowSequence) = (attributes.number(of: 4), attributes.number(of: 5))
        (offset, mapLength) = (attributes.number(of: 6), attributes.number(of: 7))
        flags = attributes.number(of: 8)
        (remoteID, localID) = (attributes.number(of: 9), attributes.number(of: 10))
    }
}
