#if Serve
    internal import NIOCore
    internal import SockDiag
    internal import TCPRecords
    internal import TCPWatch

    /// What is wrong, how many sockets there are in each state, the listeners and the last transitions, as one page that needs no
    /// script. Whatever comes from outside, as the name of a process, is text in it.
    struct Page {
        let configuration: ServeConfiguration
        let look: Look
        let findings: [FindingRecord]?
        let listeners: [(socket: InetSocket, namespace: NetworkNamespace?)]
        let transitions: [Transition]

        private static let mostListeners = 100

        func render() -> Response {
            var html = Markup()
            html.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>tcpstates</title>")
            html.raw("<meta name=\"viewport\" content=\"width=device-width\"></head><body><h1>TCP states</h1>\n")
            renderFindings(&html)
            renderStates(&html)
            renderListeners(&html)
            renderTransitions(&html)
            html.raw("<form action=\"/sockets\"><label>Sockets by a filter: <input name=\"filter\"></label>")
            html.raw("<button>List</button></form>\n<p>")
            for path in ["/metrics", "/findings", "/events"] { html.raw("<a href=\"\(path)\">\(path)</a> ") }
            html.raw("</p><p>tcpstates ")
            html.text(configuration.version)
            html.raw("</p></body></html>\n")
            return Response(type: "text/html; charset=utf-8", body: html.body)
        }

        private func renderFindings(_ html: inout Markup) {
            html.raw("<section id=\"findings\"><h2>Findings</h2>")
            guard let findings else { return html.raw("<p>The first examination is under way.</p></section>\n") }
            if findings.isEmpty { html.raw("<p>Nothing is wrong.</p>") }
            for finding in findings {
                html.raw("<article><h3>")
                html.text(finding.title)
                html.raw("</h3>")
                if !finding.owners.isEmpty {
                    html.raw("<p>")
                    html.text(finding.owners.map { "\($0.name) (process \($0.pid))" }.joined(separator: ", "))
                    html.raw("</p>")
                }
                html.raw("<ul>")
                for remedy in finding.remedies {
                    html.raw("<li>")
                    html.text(remedy.effect)
                    if let command = remedy.command {
                        html.raw(" <code>")
                        html.text(command)
                        html.raw("</code>")
                    }
                    if let price = remedy.price { html.text(" Price: \(price)") }
                    html.raw("</li>")
                }
                html.raw("</ul><p>")
                html.text(finding.meaning)
                html.raw("</p></article>")
            }
            html.raw("</section>\n")
        }

        private func renderStates(_ html: inout Markup) {
            html.raw("<section id=\"states\"><h2>States</h2>")
            for (label, space) in look.spaces.sorted(by: { $0.key ?? "" < $1.key ?? "" }) {
                html.table(["State", "IPv4", "IPv6"], caption: label) { rows in
                    for state in TCPState.allCases {
                        rows.row([
                            state.description, "\(space.counts.count(of: state, .ipv4))",
                            "\(space.counts.count(of: state, .ipv6))",
                        ])
                    }
                }
            }
            html.raw("</section>\n")
        }

        private func renderListeners(_ html: inout Markup) {
            html.raw("<section id=\"listeners\"><h2>Listeners</h2>")
            html.table(["Local", "Waiting for accept()", "At most", "Namespace"]) { rows in
                for (socket, namespace) in listeners.prefix(Self.mostListeners) {
                    let place = namespace?.label ?? ""
                    rows.row(["\(socket.local)", "\(socket.receiveQueue)", "\(socket.sendQueue)", place])
                }
            }
            if listeners.count > Self.mostListeners { html.raw("<p>\(listeners.count - Self.mostListeners) more</p>") }
            html.raw("</section>\n")
        }

        private func renderTransitions(_ html: inout Markup) {
            html.raw("<section id=\"transitions\"><h2>Last transitions</h2>")
            html.table(["Time", "From", "To", "Local", "Remote", "Holders"]) { rows in
                for transition in transitions {
                    let (identity, owners) = (transition.identity, transition.owners.map { "\($0.name)" })
                    var time = TextBuffer()
                    time.append(rfc3339: transition.time.realtimeNanoseconds)
                    rows.row([
                        time.string, transition.from?.description ?? "", transition.to.description, "\(identity.local)",
                        "\(identity.remote)", owners.joined(separator: ", "),
                    ])
                }
            }
            html.raw("</section>\n")
        }
    }

    /// HTML, of which what is no constant is escaped.
    struct Markup {
        private(set) var body = ByteBuffer()

        /// Appends what is HTML: nothing that comes from outside.
        mutating func raw(_ html: String) { body.writeString(html) }

        /// Appends text. What would end it, or an attribute, is escaped; a control character is no character of HTML.
        mutating func text(_ text: String) {
            for scalar in text.unicodeScalars {
                switch scalar {
                case "&": body.writeStaticString("&amp;")
                case "<": body.writeStaticString("&lt;")
                case ">": body.writeStaticString("&gt;")
                case "\"": body.writeStaticString("&quot;")
                case "'": body.writeStaticString("&#39;")
                case _ where scalar.properties.generalCategory == .control: body.writeStaticString("\u{fffd}")
                default: body.writeString(String(scalar))
                }
            }
        }

        mutating func table(_ columns: [String], caption: String? = nil, _ rows: (inout Markup) -> Void) {
            raw("<table>")
            if let caption {
                raw("<caption>")
                text(caption)
                raw("</caption>")
            }
            raw("<thead><tr>")
            for column in columns {
                raw("<th scope=\"col\">")
                text(column)
                raw("</th>")
            }
            raw("</tr></thead><tbody>")
            rows(&self)
            raw("</tbody></table>")
        }

        mutating func row(_ cells: [String]) {
            raw("<tr>")
            for cell in cells {
                raw("<td>")
                text(cell)
                raw("</td>")
            }
            raw("</tr>")
        }
    }
#endif
