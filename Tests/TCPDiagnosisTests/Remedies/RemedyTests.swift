internal import Foundation
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// Advice that was not tried is none, and a doctor who finds something on every healthy machine is asked no second time.
@Suite(.serialized) struct RemedyTests {
    /// The kinds of finding, as the source declares them.
    private static func kinds() throws -> Set<Finding.Kind> {
        let package = URL(filePath: #filePath).pathComponents.dropLast(4).joined(separator: "/")
        let source = try String(
            contentsOfFile: "\(package)/Sources/TCPDiagnosis/Findings/Finding.swift",
            encoding: .utf8
        )
        return Set(
            source.matches(of: /= Kind\(rawValue: "([a-z0-9_]+)"\)/).map { Finding.Kind(rawValue: String($0.1)) }
        )
    }

    @Test func `Every kind of finding has a test of its remedies and a healthy look-alike`() throws {
        let kinds = try Self.kinds()
        try #require(kinds.contains(.halfOpenFlood), "the source is read wrongly")
        #expect(Set(Trouble.all.map { $0.kind }) == kinds)
        #expect(Set(LookAlike.all.map { $0.kind }) == kinds)
    }

    @Test(arguments: Trouble.all)
    func `Every remedy is followed, and turns the failures to none`(_ trouble: Trouble) throws {
        var (number, count) = (0, 1)
        var missing: [String] = []
        while number < count {
            let patient = try Patient()
            defer { patient.lab.close() }
            let course = try trouble.make(patient)
            let finding = try course.findings(patient).only(trouble.kind)
            try #require(try course.failures() > 0)
            count = finding.remedies.count
            let remedy = finding.remedies[number]
            number += 1
            let result = Result {
                guard try course.follow(remedy, of: finding, patient) else { return }
                let failures = try course.failures()
                #expect(failures == 0, "after: \(remedy.effect)")
            }
            // What was not followed has changed nothing.
            if case .success = result { try course.restore() } else { try? course.restore() }
            do {
                try result.get()
            } catch let program as MissingProgram {
                missing.append("\(remedy.effect) \(program.line)")
            }
        }
        for remedy in missing { Issue.record("not followed: \(remedy)", severity: .warning) }
    }

    @Test(arguments: Trouble.all)
    func `Where a finding can only show who has to act, nothing fails and nothing is found once that is done`(
        _ trouble: Trouble
    ) throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let course = try trouble.make(patient)
        let finding = try course.findings(patient).only(trouble.kind)
        guard let recovery = course.recovery else {
            #expect(!course.cures.isEmpty, "it has neither a cure nor a recovery")
            #expect(finding.remedies.contains { $0.view == nil })
            return
        }
        #expect(try course.failures() > 0)
        try recovery()
        #expect(try course.failures() == 0)
        let after = try patient.findings(course.thresholds)
        #expect(after.isEmpty, "\(after.map(\.title))")
    }

    @Test(arguments: LookAlike.all)
    func `A healthy look-alike stays silent`(_ lookAlike: LookAlike) throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let (thresholds, between) = try lookAlike.make(patient)
        let findings = try patient.findings(thresholds, after: between)
        #expect(findings.isEmpty, "\(findings.map(\.title))")
    }
}
