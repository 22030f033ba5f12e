internal import SockDiag
package import SocketValues
internal import TCPWatch

// The words of records, where a value has no text of its own.

extension TCPStep.Trigger {
    /// Its name in records and tables: `receive_rst`.
    package var word: String {
        switch self {
        case .bind: "bind"
        case .listen: "listen"
        case .connect: "connect"
        case .close: "close"
        case .abort: "abort"
        case .receiveSYN: "receive_syn"
        case .receiveSYNACK: "receive_syn_ack"
        case .receiveACK: "receive_ack"
        case .receiveFIN: "receive_fin"
        case .receiveFINACK: "receive_fin_ack"
        case .receiveRST: "receive_rst"
        case .unreachable: "unreachable"
        case .noPort: "no_port"
        case .listenerClosed: "listener_closed"
        case .timeout: "timeout"
        case .timeWaitTimeout: "time_wait_timeout"
        case .reuse: "reuse"
        }
    }
}

extension OpeningSide {
    /// The word of a record; nil where it is not known.
    var word: String? {
        switch self {
        case .active: "active"
        case .passive: "passive"
        case .unknown: nil
        }
    }
}
