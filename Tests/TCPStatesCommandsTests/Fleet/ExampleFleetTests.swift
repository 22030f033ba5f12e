import Foundation
import TCPStateLab
import Testing

@Suite("Examples/Fleet, as the programs read it that it is for", .timeLimit(.minutes(30)))
struct ExampleFleetTests {
    private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test(
        .enabled(if: Engine.has(.promtool, .alertmanager), Engine.missing),
        arguments: [
            ("promtool", ["check", "config"], "prometheus.yml"), ("amtool", ["check-config"], "alertmanager.yml"),
        ]
    )
    func `The configurations have no fault`(program: String, arguments: [String], file: String) throws {
        let answer = try run("/usr/bin/\(program)", arguments + ["\(Engine.example)/\(file)"])
        #expect(answer.status == 0, "\(answer.text)")
    }

    /// The units, in a folder of their own, for a program that is there.
    private func withUnits(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tcpstates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["tcpstates.service", "tcpstates.socket"] {
            let text = try String(contentsOfFile: "\(Engine.example)/\(name)", encoding: .utf8)
            let installed = text.replacing("/usr/bin/tcpstates", with: "/bin/true")
                .replacing("Documentation=man:tcpstates-serve(1)\n", with: "")
            try installed.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
        }
        try body(folder.path)
    }

    @Test(.enabled(if: Engine.has(.systemd), Engine.missing))
    func `systemd finds the service as hardened as it may be, and nothing wrong with the units`() throws {
        try withUnits { folder in
            let unit = "\(folder)/tcpstates.service"
            let security = ["security", "--no-pager", "--offline=true", "--threshold=25", unit]
            let exposure = try run(Engine.systemd.path, security)
            #expect(exposure.status == 0, "\(exposure.text)")
            let strict = try run(
                Engine.systemd.path,
                security.map { $0.hasPrefix("--threshold") ? "--threshold=1" : $0 }
            )
            #expect(strict.status != 0, "nothing is compared")
            let check = try run(Engine.systemd.path, ["verify", unit, "\(folder)/tcpstates.socket"])
            #expect(check.status == 0 && !check.text.contains(folder), "\(check.text)")
        }
    }

    @Test(.enabled(if: Engine.has(.python), Engine.missing))
    func `The DaemonSet is one by Kubernetes' own schema`() throws {
        let code =
            "import kubernetes_validate as k,sys,yaml; k.validate(yaml.safe_load(sys.argv[1]),'1.37',strict=True)"
        let text = try String(contentsOfFile: "\(Engine.example)/daemonset.yaml", encoding: .utf8)
        let answer = try run(Engine.python.path, ["-c", code, text])
        #expect(answer.status == 0, "\(answer.text)")
        let damaged = text.replacing("hostNetwork: true", with: "hostNetworks: true")
        #expect(try run(Engine.python.path, ["-c", code, damaged]).status != 0)
    }

    @Test(.enabled(if: Engine.has(.python), Engine.missing))
    func `Every expression of the dashboard is one, and names metrics that there are`() throws {
        let code = """
            import json, promql_parser, sys
            dashboard = json.load(open(sys.argv[1]))
            assert dashboard["schemaVersion"] == 39 and dashboard["__inputs"][0]["name"] == "DS_PROMETHEUS"
            assert [one["name"] for one in dashboard["templating"]["list"]] == ["job", "instance", "netns"]
            for panel in dashboard["panels"]:
                for target in panel.get("targets", []):
                    assert target["datasource"]["uid"] == "${DS_PROMETHEUS}"
                    promql_parser.parse(target["expr"].replace("$__rate_interval", "1m"))
                    print(target["expr"])
            """
        let answer = try run(Engine.python.path, ["-c", code, "\(Engine.example)/dashboard.json"])
        try #require(answer.status == 0, "\(answer.text)")
        let catalogue = try String(contentsOf: Engine.root.appending(path: "docs/metrics.md"), encoding: .utf8)
        let names = Set(answer.text.matches(of: /tcpstates_\w+/).map { String($0.output) })
        #expect(names.count > 15)
        for name in names {
            #expect(catalogue.contains("`\(name.replacing(/_bucket$/, with: ""))`"), "\(name)")
        }
    }

    @Test(.enabled(if: Engine.has(.python), Engine.missing))
    func `The collector's configuration is YAML whose pipelines name what there is`() throws {
        let code = """
            import sys, yaml
            all = yaml.safe_load(open(sys.argv[1]))
            for pipeline in all["service"]["pipelines"].values():
                for kind, names in pipeline.items():
                    assert names and set(names) <= set(all[kind]), (kind, names)
            """
        let answer = try run(Engine.python.path, ["-c", code, "\(Engine.example)/otel-collector.yaml"])
        #expect(answer.status == 0, "\(answer.text)")
    }
}
