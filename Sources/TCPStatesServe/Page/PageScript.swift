#if Serve
    /// What keeps the page up to date: it reads the metrics' text, the findings' records and the stream of events, and puts all
    /// of it on the page as text.
    enum PageScript {
        static let text: StaticString = #"""
            "use strict";
            const byId = id => document.getElementById(id);
            const STATES = [["listen", "LISTEN"], ["syn_sent", "SYN_SENT"], ["syn_received", "SYN_RCVD"],
              ["established", "ESTABLISHED"], ["close_wait", "CLOSE_WAIT"], ["last_ack", "LAST_ACK"], ["fin_wait_1", "FIN_WAIT_1"],
              ["fin_wait_2", "FIN_WAIT_2"], ["closing", "CLOSING"], ["time_wait", "TIME_WAIT"], ["bound", "BOUND"],
              ["closed", "CLOSED"]];
            // The states that a finding of the doctor's is about.
            const CONCERNS = {close_wait: "close_wait", half_open_flood: "syn_received"};
            const WINDOW = 120e3, SHOWN = 300;

            function element(name, text, kind) {
              const made = document.createElement(name);
              if (text !== undefined) made.textContent = text;
              if (kind) made.className = kind;
              return made;
            }
            const wait = time => new Promise(done => setTimeout(done, time));
            const number = value => value.toLocaleString("en");
            const perSecond = value => value >= 10 ? number(Math.round(value)) : value.toPrecision(2);
            const percent = value => Math.round(100 * value) + " %";
            const clock = time => time.toISOString().slice(11, 19);
            function age(seconds) {
              if (!(seconds > 0)) return "";
              if (seconds < 60) return seconds.toFixed(seconds < 10 ? 1 : 0) + " s";
              if (seconds < 3600) return Math.floor(seconds / 60) + " min";
              if (seconds < 172800) return Math.floor(seconds / 3600) + " h " + Math.floor(seconds / 60) % 60 + " min";
              return Math.floor(seconds / 86400) + " days";
            }
            const endpoint = (address, port) => (address.includes(":") ? "[" + address + "]" : address) + ":" + (port || "*");
            const term = (way, address, port) => address === "other" ? null : way + " " + endpoint(address, port);

            // A table whose rows are changed where they are, so that what is selected stays so.
            function table(place, columns) {
              const all = element("table"), head = element("tr"), body = element("tbody");
              for (const [title, kind] of columns) head.append(element("th", title, kind));
              all.append(element("thead"), body);
              all.firstChild.append(head);
              const frame = element("div", undefined, "scroll");
              frame.append(all);
              place.replaceChildren(frame);
              return rows => {
                while (body.rows.length > rows.length) body.deleteRow(-1);
                rows.forEach(([kind, ...cells], place) => {
                  const row = body.rows[place] || body.insertRow();
                  if (row.className !== kind) row.className = kind;
                  cells.forEach((cell, column) => {
                    const at = row.cells[column] || row.insertCell();
                    at.className = columns[column][1] || "";
                    if (cell instanceof Element) return at.firstChild !== cell && at.replaceChildren(cell);
                    const [text, filter] = Array.isArray(cell) ? cell : [cell];
                    if (at.textContent !== String(text) || (at.firstChild && at.firstChild.title || "") !== (filter || "")) {
                      at.replaceChildren(filter ? link(text, filter) : text);
                    }
                  });
                });
              };
            }
            function link(text, filter) {
              const made = element("a", text);
              made.href = "/sockets?filter=" + encodeURIComponent(filter);
              made.title = filter;
              return made;
            }

            // The metrics, by name: each value with its labels.
            function parse(text) {
              const all = {};
              for (const line of text.split("\n")) {
                if (!line.startsWith("tcpstates_") || line.includes("_bucket{")) continue;
                const parts = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
                if (!parts) continue;
                const labels = {};
                for (const [, name, value] of (parts[2] || "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
                  labels[name] = value.replace(/\\(.)/g, (_, kept) => kept === "n" ? "\n" : kept);
                }
                (all[parts[1]] = all[parts[1]] || []).push({labels, value: Number(parts[3])});
              }
              return all;
            }

            const past = [], charts = {};
            let findings = null, space = "", sample = null, last = 0, failed = "";

            const chosen = name => (sample.metrics[name] || []).filter(({labels}) => !space || labels.netns === space);
            const sum = (values, holds = () => true) =>
              values.reduce((all, {labels, value}) => all + (holds(labels) ? value : 0), 0);
            function rate(name, holds) {
              const before = past.find(({time}) => sample.time - time <= 11e3);
              if (!before || before === sample) return 0;
              const of = one => sum((one.metrics[name] || []).filter(({labels}) => !space || labels.netns === space), holds);
              return Math.max(0, (of(sample) - of(before)) / (sample.time - before.time) * 1e3);
            }

            function chart(state) {
              if (!charts[state]) {
                charts[state] = document.createElementNS("http://www.w3.org/2000/svg", "svg");
                charts[state].setAttribute("viewBox", "0 0 150 20");
                charts[state].setAttribute("preserveAspectRatio", "none");
                charts[state].setAttribute("aria-hidden", "true");
                charts[state].append(document.createElementNS("http://www.w3.org/2000/svg", "polyline"));
              }
              const points = past.map(one => [one.time, one.counts[space][state] || 0]);
              const values = points.map(([, value]) => value);
              const low = Math.min(...values), span = Math.max(Math.max(...values) - low, 4, low / 10);
              const width = Math.max(sample.time - points[0][0], 15e3);
              charts[state].firstChild.setAttribute("points", points.map(([time, value]) =>
                (149 - (sample.time - time) / width * 148).toFixed(1) + "," + (18.5 - (value - low) / span * 17).toFixed(1)
              ).join(" "));
              return charts[state];
            }

            const tables = {};
            function show() {
              const wrong = new Set((findings || []).map(({finding}) => CONCERNS[finding]));
              const oldest = {};
              for (const {labels, value} of chosen("tcpstates_state_oldest_seconds")) {
                oldest[labels.state] = Math.max(oldest[labels.state] || 0, value);
              }
              const begin = past[0];
              const families = {};
              for (const {labels, value} of chosen("tcpstates_sockets")) {
                const key = labels.state + labels.family;
                families[key] = (families[key] || 0) + value;
              }
              tables.states(STATES.map(([state, name]) => {
                const count = sample.counts[space][state] || 0;
                const change = count - (begin.counts[space][state] || 0);
                return [wrong.has(state) ? "warn" : count ? "" : "none", [name, "state " + name], number(count),
                  count || change ? chart(state) : "",
                  change ? (change > 0 ? "+" : "−") + number(Math.abs(change)) : "", count ? age(oldest[state]) : "",
                  number(families[state + "ipv4"] || 0), number(families[state + "ipv6"] || 0)];
              }));
              byId("span").textContent = begin === sample ? "" : "change in " + age((sample.time - begin.time) / 1e3);

              const listeners = {};
              for (const name of ["accept_queue", "accept_queue_limit", "half_open", "half_open_limit"]) {
                for (const {labels, value} of chosen("tcpstates_listener_" + name)) {
                  const key = [labels.netns, labels.local_address, labels.local_port].join(" ");
                  (listeners[key] = listeners[key] || {labels})[name] = value;
                }
              }
              const full = [];
              const rows = Object.values(listeners).map(one => {
                const {local_address: address, local_port: port, netns} = one.labels;
                one.name = address === "other" ? "other" : endpoint(address, port);
                one.queue = one.accept_queue / Math.max(one.accept_queue_limit, 1);
                one.open = one.half_open / Math.max(one.half_open_limit, 1);
                if (one.queue > .8) full.push("The accept queue of " + one.name + " is " + percent(Math.min(one.queue, 1)) +
                  " full: its program does not accept() in time.");
                if (one.open > .8) full.push(number(one.half_open) + " half-open requests fill the queue of " + one.name + ".");
                return one;
              }).sort((a, b) => Math.max(b.queue, b.open) - Math.max(a.queue, a.open) ||
                a.labels.local_port - b.labels.local_port || (a.name < b.name ? -1 : 1));
              const any = address => address === "0.0.0.0" || address === "::";
              tables.listeners(rows.map(one => [Math.max(one.queue, one.open) > .8 ? "warn" : "",
                [one.name, any(one.labels.local_address) ? "sport = " + one.labels.local_port :
                  term("src", one.labels.local_address, one.labels.local_port)],
                number(one.accept_queue) + " of " + number(one.accept_queue_limit),
                number(one.half_open) + " of " + number(one.half_open_limit), one.labels.netns || ""]));

              const ports = {};
              for (const {labels, value} of chosen("tcpstates_ephemeral_ports")) ports[labels.netns || ""] = value;
              const taken = chosen("tcpstates_destination_local_ports").map(({labels, value}) =>
                ({labels, value, part: value / Math.max(ports[labels.netns || ""] || 1, 1)})).sort((a, b) => b.part - a.part);
              byId("destinations").hidden = !taken.length;
              tables.destinations(taken.slice(0, 5).map(({labels, value, part}) => {
                const name = endpoint(labels.remote_address, labels.remote_port);
                if (part > .8) full.push(percent(part) + " of the local ports to " + name + " are taken.");
                return [part > .8 ? "warn" : "", [name, term("dst", labels.remote_address, labels.remote_port)],
                  number(value) + " of " + number(ports[labels.netns || ""] || 0), percent(part), labels.netns || ""];
              }));

              const now = full;
              const tell = (name, what, text, least = 0, holds) => {
                const value = rate("tcpstates_" + name, holds);
                if (value > least) now.push(perSecond(value) + " " + what + " a second " + text);
              };
              tell("accept_queue_overflows_total", "connections", "find an accept queue full.");
              tell("requests_dropped_total", "SYNs", "are dropped: the queue of half-open requests is full.");
              tell("syn_cookies_sent_total", "SYNs", "are answered by a cookie.", 1);
              tell("time_wait_overflows_total", "connections", "end without TIME_WAIT: there is no room for it.");
              tell("connections_total", "connects", "fail.", .1, ({role, outcome}) => role === "client" && outcome !== "success");
              tell("memory_pressures_total", "times", "TCP comes under memory pressure.");
              tell("events_lost_total", "events", "are lost: what is counted is a lower bound.");
              const again = rate("tcpstates_retransmitted_segments_total");
              const ratio = again / Math.max(rate("tcpstates_sent_segments_total"), 1);
              if (again > 10 && ratio > .05) now.push(percent(ratio) + " of the sent segments are sent again.");
              byId("now").replaceChildren(...now.map(text => element("li", text)));

              const count = findings ? findings.length : 0, verdict = byId("verdict");
              document.querySelector("main").classList.toggle("calm", !count);
              verdict.className = count ? "bad" : now.length ? "warn" : findings ? "good" : "";
              verdict.textContent = count ? (count === 1 ? "One thing is wrong" : count + " things are wrong") :
                now.length ? "Look at this" : findings ? "Nothing is wrong" : "The first examination is under way";
              document.title = (count || now.length ? "(" + (count + now.length) + ") " : "") + byId("host").textContent +
                " – tcpstates";
            }

            function showFindings() {
              byId("findings").replaceChildren(...findings.map(found => {
                const all = element("article");
                all.append(element("h3", found.title + (found.netns ? " (" + found.netns + ")" : "")));
                if (found.processes) all.append(element("p", "Held by " +
                  found.processes.map(({name, pid}) => name + " (process " + pid + ")").join(", ")));
                const evidence = element("p", undefined, "evidence");
                for (const [name, value] of Object.entries(found.evidence || {})) {
                  evidence.append(element("span", name.replaceAll("_", " ") + " " + number(Number(value))));
                }
                const list = element("ul");
                for (const {effect, command, price} of found.remedies || []) {
                  const remedy = element("li", effect);
                  if (command) remedy.append(" ", element("code", command));
                  if (price) remedy.append(" ", element("span", "Price: " + price, "price"));
                  list.append(remedy);
                }
                all.append(evidence, list, element("p", found.meaning, "meaning"));
                return all;
              }));
            }

            let examined = "";
            async function examine() {
              const answer = await fetch("/findings");
              if (!answer.ok) return;
              const text = await answer.text();
              const all = text.split("\n").filter(Boolean).map(line => JSON.parse(line));
              // The times alone are no reason to make everything anew.
              const known = JSON.stringify(all.map(found => ({...found, time: 0, monotonic_ns: 0})));
              findings = all;
              if (known !== examined) showFindings();
              examined = known;
            }

            async function look() {
              const answer = await fetch("/counts", {signal: AbortSignal.timeout(20e3)});
              if (!answer.ok) throw new Error((await answer.text()).trim());
              const metrics = parse(await answer.text()), counts = {"": {}};
              for (const {labels: {netns = "", state}, value} of metrics.tcpstates_sockets || []) {
                for (const key of new Set(["", netns])) {
                  counts[key] = counts[key] || {};
                  counts[key][state] = (counts[key][state] || 0) + value;
                }
              }
              sample = {time: Date.now(), metrics, counts};
              for (const {counts} of past) for (const key in sample.counts) counts[key] = counts[key] || {};
              past.push(sample);
              while (sample.time - past[0].time > WINDOW) past.shift();
              const names = Object.keys(counts).sort(), select = byId("space");
              select.hidden = names.length < 3;
              if (names.join("\n") !== [...select.options].map(({value}) => value).join("\n")) {
                select.replaceChildren(...names.map(name => {
                  const option = element("option", name || "all namespaces");
                  option.value = name;
                  return option;
                }));
                if (!names.includes(space)) space = "";
                select.value = space;
              }
            }

            let hurry = () => {};
            async function follow() {
              for (let round = 0; ; round += 1) {
                const start = Date.now();
                let cost = 0;
                try {
                  await look();
                  cost = Date.now() - start;
                  if (!findings || start - last > 5e3) { last = start; await examine(); }
                  failed = "";
                  show();
                } catch (error) {
                  failed = String(error.message || error);
                }
                // The page takes a fifth of the server's time at most, and nothing while nobody looks.
                await Promise.race([wait(Math.max(1000, 4 * cost)), new Promise(done => hurry = done).then(() => wait(300 + 4 * cost))]);
                while (document.hidden) await new Promise(done => document.addEventListener("visibilitychange", done, {once: true}));
              }
            }

            setInterval(() => {
              const late = sample ? (Date.now() - sample.time) / 1e3 : 0;
              const line = byId("live"), bad = failed !== "" || late > 15;
              line.className = bad ? "bad" : "good";
              const source = sample && sample.metrics.tcpstates_watch_info ? sample.metrics.tcpstates_watch_info[0].labels.source : "";
              line.textContent = bad ? "no answer" + (sample ? " for " + age(late) : "") + (failed ? ": " + failed : "") :
                sample ? clock(new Date(sample.time)) + " UTC, by " + source + (streaming ? "" : "; events are not told") : "begins";
              document.body.classList.toggle("stale", bad && sample !== null);
            }, 500);

            // The last transitions, of which so many are kept.
            const steps = [];
            let drawn = true, frozen = false, streaming = false, lost = 0, told = [];
            function step(record) {
              if (record.type === "gap") lost += Number(record.lost || 0);
              if (record.type !== "transition") return;
              steps.unshift(record);
              if (steps.length > 50) steps.length = 50;
              told.push(Date.now());
              drawn = false;
              hurry();
            }
            const names = record => (record.processes || []).map(({name}) => name).join(", ");
            setInterval(() => {
              const now = Date.now();
              told = told.filter(time => now - time < 5e3);
              byId("pace").textContent = (told.length ? perSecond(told.length / 5) + " a second" : "none in 5 seconds") +
                (lost ? "; " + number(lost) + " lost" : "");
              if (frozen || drawn) return;
              drawn = true;
              tables.transitions(steps.map(record => ["", record.time.slice(11, 23),
                record.from + " → " + [...(record.via || []), record.to].join(" → "),
                endpoint(record.local_address, record.local_port), endpoint(record.remote_address, record.remote_port),
                [names(record), record.netns].filter(Boolean).join(" in ")]));
            }, 250);
            function listen() {
              const source = new EventSource("/events");
              source.onopen = () => streaming = true;
              source.onmessage = ({data}) => step(JSON.parse(data));
              source.onerror = () => {
                streaming = false;
                // Refused, for too many listen: a browser does not ask again by itself.
                if (source.readyState === 2) setTimeout(listen, 5000);
              };
            }

            // The sockets that a filter finds.
            const form = byId("form"), box = form.elements.filter;
            let asked = 0, typing = 0;
            async function list(jumps) {
              const jump = () => { if (jumps) byId("search").scrollIntoView({block: "start"}); };
              const filter = box.value.trim(), number = ++asked;
              clearTimeout(typing);
              remember(filter);
              byId("found").hidden = byId("error").hidden = true;
              if (!filter) return byId("note").textContent = "";
              let answer, text;
              try {
                answer = await fetch("/sockets?filter=" + encodeURIComponent(box.value));
                text = await answer.text();
              } catch (error) {
                [answer, text] = [{ok: false}, String(error.message || error)];
              }
              if (number !== asked) return;
              if (!answer.ok) {
                byId("note").textContent = "";
                // The text of the filter, with a mark under what is wrong, is as wide as it is.
                const [reason, ...excerpt] = text.trimEnd().split("\n");
                byId("error").replaceChildren(element("p", reason));
                if (excerpt.length) byId("error").append(element("pre", excerpt.join("\n")));
                byId("error").hidden = false;
                return jump();
              }
              const all = text.split("\n").filter(Boolean);
              const rows = all.slice(0, SHOWN).map(line => JSON.parse(line));
              const limit = answer.headers.get("Tcpstates-Limited");
              byId("note").textContent = (all.length === 1 ? "1 socket" : all.length.toLocaleString("en") + " sockets") +
                (limit ? " and more" : "") + (all.length > SHOWN ? ", the first " + SHOWN + " shown" : "") +
                " at " + clock(new Date()) + " UTC";
              tables.found(rows.map(one => ["", one.state, endpoint(one.local_address, one.local_port),
                endpoint(one.remote_address, one.remote_port), (one.recv_queue || 0).toLocaleString("en"),
                (one.send_queue || 0).toLocaleString("en"), [names(one), one.netns].filter(Boolean).join(" in ")]));
              byId("found").hidden = !rows.length;
              jump();
            }
            function remember(filter) {
              window.history.replaceState(null, "", filter ? "#filter=" + encodeURIComponent(filter) : location.pathname);
            }
            form.addEventListener("submit", event => { event.preventDefault(); list(true); });
            box.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => list(), 400); });
            document.addEventListener("click", event => {
              const target = event.target.closest && event.target.closest("a[title]");
              if (!target || event.ctrlKey || event.metaKey) return;
              event.preventDefault();
              box.value = target.title + (space ? ' and netns = "' + space + '"' : "");
              list(true);
            });
            byId("space").addEventListener("change", event => { space = event.target.value; show(); });
            byId("freeze").addEventListener("click", event => {
              frozen = !frozen;
              event.target.textContent = frozen ? "Go on" : "Freeze";
            });

            document.querySelector("main").classList.add("live");
            for (const one of document.querySelectorAll("[data-live]")) one.hidden = false;
            for (const one of document.querySelectorAll("[data-still]")) one.hidden = true;
            tables.states = table(byId("state-table"), [["State"], ["Sockets", "n"], ["", "chart"], ["Change", "n"], ["Oldest", "n"],
              ["IPv4", "n extra"], ["IPv6", "n extra"]]);
            tables.listeners = table(byId("listener-table"), [["Local", "m"], ["Accept queue", "n"], ["Half-open", "n"], ["", "wide"]]);
            tables.destinations = table(byId("destination-table"), [["To", "m"], ["Local ports", "n"], ["", "n"], ["", "wide"]]);
            tables.transitions = table(byId("transition-table"), [["Time, UTC", "m"], ["Step"], ["Local", "m"], ["Remote", "m"], ["Held by, in"]]);
            tables.found = table(byId("found"), [["State"], ["Local", "m"], ["Remote", "m"], ["Unread", "n"], ["Unacknowledged", "n"],
              ["Held by, in"]]);
            const wanted = /^#filter=(.*)/.exec(location.hash);
            if (wanted) { try { box.value = decodeURIComponent(wanted[1]); list(); } catch {} }
            listen();
            follow();
            """#
    }
#endif
