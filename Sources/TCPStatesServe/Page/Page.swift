#if Serve
    internal import NIOCore
    internal import SockDiag
    internal import TCPRecords
    internal import TCPWatch

    /// What is wrong, how many sockets there are in each state, the listeners and the last transitions, as one page: tables that
    /// need no script, and that a script keeps up to date. Whatever comes from outside, as the name of a process, is text in it.
    struct Page {
        let configuration: ServeConfiguration
        /// The metrics: nothing is shown that is not told elsewhere.
        let metrics: [PrometheusText.Group]
        let findings: [FindingRecord]?
        let transitions: [Transition]

        /// The parts that never change, by their paths: the page's policy allows none in its text.
        static func asset(_ path: String) -> Response? {
            switch path {
            case "/page.css": Response(type: "text/css; charset=utf-8", body: ByteBuffer(staticString: PageStyle.text))
            case "/page.js":
                Response(type: "text/javascript; charset=utf-8", body: ByteBuffer(staticString: PageScript.text))
            case "/favicon.ico": Response(type: "image/svg+xml", body: ByteBuffer(staticString: icon))
            default: nil
            }
        }

        private static let icon: StaticString = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b5cad"/>\
            <path d="M2 11l3-4 3 3 3-6 3 4" fill="none" stroke="#fff" stroke-width="2"/></svg>
            """

        func render() -> Response {
            var html = Markup()
            html.raw(
                """
                <!DOCTYPE html>
                <html lang="en"><head><meta charset="utf-8"><title>tcpstates</title>
                <meta name="viewport" content="width=device-width,initial-scale=1">
                <link rel="stylesheet" href="/page.css">
                <script src="/page.js" defer></script></head><body>
                <header><h1>TCP states of <span id="host">
                """
            )
            html.text(configuration.host)
            html.raw("</span></h1><p id=\"live\">")
            html.text("as of \(Self.text(.now())); load it anew for what is now")
            html.raw("</p><select id=\"space\" aria-label=\"Network namespace\" hidden></select></header>\n<main>")
            renderFindings(&html)
            renderStates(&html)
            renderListeners(&html)
            renderDestinations(&html)
            renderSearch(&html)
            renderTransitions(&html)
            html.raw("</main>\n<footer>")
            for path in ["/metrics", "/findings", "/events", "/sockets"] {
                html.raw("<a href=\"\(path)\">\(path)</a> ")
            }
            html.text("tcpstates \(configuration.version)")
            html.raw("</footer></body></html>\n")
            return Response(type: "text/html; charset=utf-8", body: html.body)
        }

        // MARK: What is wrong

        private func renderFindings(_ html: inout Markup) {
            let verdict =
                switch findings?.count {
                case nil: (kind: "", text: "The first examination is under way")
                case 0: (kind: "good", text: "Nothing is wrong")
                case 1: (kind: "bad", text: "One thing is wrong")
                case let count?: (kind: "bad", text: "\(count) things are wrong")
                }
            html.raw("<section id=\"top\"><p id=\"verdict\" role=\"status\" class=\"\(verdict.kind)\">")
            html.text(verdict.text)
            html.raw("</p><ul id=\"now\"></ul></section>\n<section id=\"findings\">")
            for finding in findings ?? [] { render(finding, &html) }
            html.raw("</section>\n")
        }

        private func render(_ finding: FindingRecord, _ html: inout Markup) {
            html.raw("<article>")
            html.element("h3", finding.title + (finding.namespace.map { " (\($0.label))" } ?? ""))
            if !finding.owners.isEmpty {
                let owners = finding.owners.map { "\($0.name) (process \($0.pid))" }
                html.element("p", "Held by " + owners.joined(separator: ", "))
            }
            html.raw("<p class=\"evidence\">")
            for evidence in finding.evidence {
                html.element("span", "\(evidence.name.replacing("_", with: " ")) \(evidence.value)")
                html.raw(" ")
            }
            html.raw("</p><ul>")
            for remedy in finding.remedies {
                html.raw("<li>")
                html.text(remedy.effect)
                if let command = remedy.command {
                    html.raw(" ")
                    html.element("code", command)
                }
                if let price = remedy.price {
                    html.raw(" ")
                    html.element("span", "Price: \(price)", class: "price")
                }
                html.raw("</li>")
            }
            html.raw("</ul>")
            html.element("p", finding.meaning, class: "meaning")
            html.raw("</article>")
        }

        // MARK: What there is

        /// A value for each combination of labels, by the namespace that it is of; nil where none was named.
        private func values(_ metric: Metric) -> [(namespace: String?, labels: [String], value: Double)] {
            metrics.flatMap { group in
                let namespace = group.constants.first?.value
                return group.families.filter { $0.metric.text == metric.text }.flatMap(\.samples).map { sample in
                    let value =
                        switch sample.value {
                        case .count(let count): Double(count)
                        case .number(let number): number
                        case .histogram(let histogram): Double(histogram.count)
                        }
                    return (namespace, sample.labels, value)
                }
            }
        }

        private func renderStates(_ html: inout Markup) {
            html.raw("<section id=\"states\"><h2>States <small id=\"span\"></small></h2><div id=\"state-table\">")
            let (sockets, oldest) = (values(Catalogue.sockets), values(Catalogue.oldest))
            for namespace in Set(sockets.map(\.namespace)).sorted(by: { $0 ?? "" < $1 ?? "" }) {
                html.table(["State", "IPv4", "IPv6", "Oldest"], caption: namespace) { rows in
                    for state in TCPState.allCases {
                        func count(_ family: String) -> String {
                            let found = sockets.first {
                                $0.namespace == namespace && $0.labels == [family, state.metricLabel]
                            }
                            return "\(UInt64(found?.value ?? 0))"
                        }
                        let age = oldest.first { $0.namespace == namespace && $0.labels == [state.metricLabel] }?.value
                        let since = age.map { $0 > 0 ? "\(UInt64($0)) s" : "" } ?? ""
                        rows.row(
                            [state.description, count("ipv4"), count("ipv6"), since],
                            filter: "state \(state.description)"
                        )
                    }
                }
            }
            html.raw("</div></section>\n")
        }

        private func renderListeners(_ html: inout Markup) {
            html.raw("<section id=\"listeners\"><h2>Listeners <small>the fullest first</small></h2>")
            html.raw("<div id=\"listener-table\">")
            struct Queues { var (accept, acceptLimit, halfOpen, halfOpenLimit) = (0.0, 0.0, 0.0, 0.0) }
            var all: [[String]: Queues] = [:]
            func add(_ metric: Metric, _ field: WritableKeyPath<Queues, Double>) {
                for (namespace, labels, value) in values(metric) {
                    all[[namespace ?? ""] + labels, default: Queues()][keyPath: field] = value
                }
            }
            add(Catalogue.acceptQueue, \.accept)
            add(Catalogue.acceptQueueLimit, \.acceptLimit)
            add(Catalogue.halfOpen, \.halfOpen)
            add(Catalogue.halfOpenLimit, \.halfOpenLimit)
            func fullness(_ queues: Queues) -> Double {
                max(queues.accept / max(queues.acceptLimit, 1), queues.halfOpen / max(queues.halfOpenLimit, 1))
            }
            let sorted = all.sorted { first, second in
                let (one, other) = (fullness(first.value), fullness(second.value))
                return one != other ? one > other : first.key.lexicographicallyPrecedes(second.key)
            }
            html.table(["Local", "Accept queue", "Half-open", "Namespace"]) { rows in
                for (key, queues) in sorted {
                    rows.row([
                        Self.endpoint(key[1], key[2]), "\(UInt64(queues.accept)) of \(UInt64(queues.acceptLimit))",
                        "\(UInt64(queues.halfOpen)) of \(UInt64(queues.halfOpenLimit))", key[0],
                    ])
                }
            }
            html.raw("</div></section>\n")
        }

        private func renderDestinations(_ html: inout Markup) {
            let (taken, limits) = (values(Catalogue.destinationPorts), values(Catalogue.ephemeralPorts))
            html.raw("<section id=\"destinations\"\(taken.isEmpty ? " hidden" : "")><h2>Local ports taken ")
            html.raw("<small>by destination, the fullest first</small></h2><div id=\"destination-table\">")
            html.table(["To", "Local ports", "Namespace"]) { rows in
                for (namespace, labels, value) in taken {
                    let limit = limits.first { $0.namespace == namespace }?.value ?? 0
                    rows.row([
                        Self.endpoint(labels[0], labels[1]), "\(UInt64(value)) of \(UInt64(limit))", namespace ?? "",
                    ])
                }
            }
            html.raw("</div></section>\n")
        }

        private func renderSearch(_ html: inout Markup) {
            let example = "state close-wait and not dst 127.0.0.0/8"
            html.raw(
                """
                <section id="search"><h2>Sockets <small id="note">by a filter, as list has it</small></h2>
                <form id="form" action="/sockets"><label><input name="filter" aria-label="Filter" placeholder="\(example)" \
                autocapitalize="off" autocomplete="off" spellcheck="false"></label><button>List</button></form>
                <div id="error" role="alert" hidden></div><div id="found" hidden></div></section>

                """
            )
        }

        private func renderTransitions(_ html: inout Markup) {
            html.raw("<section id=\"transitions\"><h2>Last transitions <small id=\"pace\"></small> ")
            html.raw("<button id=\"freeze\" data-live hidden>Freeze</button></h2><div id=\"transition-table\">")
            html.table(["Time", "From", "To", "Local", "Remote", "Held by"]) { rows in
                for transition in transitions {
                    let (identity, owners) = (transition.identity, transition.owners.map { "\($0.name)" })
                    rows.row([
                        Self.text(transition.time), transition.from?.description ?? "", transition.to.description,
                        "\(identity.local)", "\(identity.remote)", owners.joined(separator: ", "),
                    ])
                }
            }
            html.raw("</div></section>\n")
        }

        private static func text(_ time: EventTime) -> String {
            var text = TextBuffer()
            text.append(rfc3339: time.realtimeNanoseconds)
            return text.string
        }

        /// As a table has it, of a metric's labels.
        private static func endpoint(_ address: String, _ port: String) -> String {
            address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
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

        /// Appends an element that holds text; its name and its class are constants.
        mutating func element(_ name: StaticString, _ text: String, class kind: StaticString? = nil) {
            raw(kind.map { "<\(name) class=\"\($0)\">" } ?? "<\(name)>")
            self.text(text)
            raw("</\(name)>")
        }

        mutating func table(_ columns: [String], caption: String? = nil, _ rows: (inout Markup) -> Void) {
            raw("<div class=\"scroll\"><table>")
            if let caption { element("caption", caption) }
            raw("<thead><tr>")
            for column in columns {
                raw("<th scope=\"col\">")
                text(column)
                raw("</th>")
            }
            raw("</tr></thead><tbody>")
            rows(&self)
            raw("</tbody></table></div>")
        }

        /// A row, of which the first cell leads to the sockets that a filter finds; its words need no encoding but for blanks.
        mutating func row(_ cells: [String], filter: String? = nil) {
            raw("<tr>")
            for (place, cell) in cells.enumerated() {
                if place == 0, let filter {
                    raw("<td><a href=\"/sockets?filter=\(filter.replacing(" ", with: "+"))\">")
                    text(cell)
                    raw("</a></td>")
                } else {
                    element("td", cell)
                }
            }
            raw("</tr>")
        }
    }
#endif
