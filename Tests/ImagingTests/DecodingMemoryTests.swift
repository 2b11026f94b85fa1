import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Imaging

@Suite("Memory that decoders share")
struct DecodingMemoryTests {
    /// What happens on the other threads, in the order in which it does.
    private final class Events: Sendable {
        let list = Mutex<[String]>([])
        func add(_ event: String) { list.withLock { $0.append(event) } }
    }

    private func waitUntil(_ condition: () -> Bool) {
        while !condition() { sched_yield() }
    }

    /// Runs on a thread of its own what would block this one.
    private func start(
        _ name: String, _ memory: DecodingMemory, _ need: Int, _ events: Events, _ group: DispatchGroup,
        control: DecodingControl = DecodingControl()
    ) {
        group.enter()
        let thread = Thread {
            defer { group.leave() }
            do throws(ImageError) {
                try memory.with(need, control) { () throws(ImageError) in events.add(name) }
            } catch {
                events.add("\(name): \(error)")
            }
        }
        thread.start()
    }

    @Test("large pictures wait for each other in their order, small ones never wait")
    func order() throws {
        let memory = DecodingMemory(capacity: 6_400)
        let events = Events()
        let group = DispatchGroup()
        try memory.with(4_000, DecodingControl()) { () throws(ImageError) in
            start("first", memory, 5_000, events, group)
            waitUntil { memory.waiting == 1 }
            // There would be room for it, but not before the one that came earlier.
            start("second", memory, 1_000, events, group)
            waitUntil { memory.waiting == 2 }
            try memory.with(100, DecodingControl()) { () throws(ImageError) in events.add("small") }
            events.add("held")
        }
        group.wait()
        #expect(events.list.withLock(\.self).prefix(2) == ["small", "held"])
        #expect(Set(events.list.withLock(\.self)) == ["small", "held", "first", "second"])
        #expect(memory.waiting == 0)
    }

    @Test("pictures that fit are decoded at the same time")
    func together() throws {
        let memory = DecodingMemory(capacity: 6_400)
        let events = Events()
        let group = DispatchGroup()
        try memory.with(3_000, DecodingControl()) { () throws(ImageError) in
            start("other", memory, 3_000, events, group)
            group.wait()
            events.add("held")
        }
        #expect(events.list.withLock(\.self) == ["other", "held"])
    }

    @Test("a picture larger than all of it runs alone")
    func larger() throws {
        let memory = DecodingMemory(capacity: 6_400)
        let events = Events()
        let group = DispatchGroup()
        try memory.with(3_000, DecodingControl()) { () throws(ImageError) in
            start("giant", memory, 100_000, events, group)
            waitUntil { memory.waiting == 1 }
            events.add("held")
        }
        group.wait()
        try memory.with(100_000, DecodingControl()) { () throws(ImageError) in
            start("after", memory, 1_000, events, group)
            waitUntil { memory.waiting == 1 }
            events.add("alone")
        }
        group.wait()
        #expect(events.list.withLock(\.self) == ["held", "giant", "alone", "after"])
    }

    @Test("a waiter that is cancelled or late leaves, and lets the next one in")
    func leaving() throws {
        let memory = DecodingMemory(capacity: 6_400)
        let events = Events()
        let group = DispatchGroup()
        let next = DispatchGroup()
        let isCancelled = Mutex(false)
        try memory.with(4_000, DecodingControl()) { () throws(ImageError) in
            start("first", memory, 6_000, events, group, control: DecodingControl { isCancelled.withLock(\.self) })
            waitUntil { memory.waiting == 1 }
            start("second", memory, 2_000, events, next)
            waitUntil { memory.waiting == 2 }
            isCancelled.withLock { $0 = true }
            group.wait()
            next.wait()
            start("late", memory, 6_000, events, group, control: DecodingControl(deadline: .now + .milliseconds(1)))
            group.wait()
        }
        #expect(
            Set(events.list.withLock(\.self)) == [
                "first: \(ImageError.cancelled)", "second", "late: \(ImageError.deadlinePassed)",
            ])
        #expect(memory.waiting == 0)
        // Nothing is left taken.
        try memory.with(6_400, DecodingControl()) { () throws(ImageError) in events.add("whole") }
    }

    @Test("more capacity lets waiters in")
    func growing() throws {
        let memory = DecodingMemory(capacity: 1_000)
        let events = Events()
        let group = DispatchGroup()
        try memory.with(1_000, DecodingControl()) { () throws(ImageError) in
            start("other", memory, 1_000, events, group)
            waitUntil { memory.waiting == 1 }
            memory.capacity = 2_000
            group.wait()
        }
        #expect(events.list.withLock(\.self) == ["other"])
    }

    @Test("a decode waits for the memory of its control, and gives it back, also when it fails")
    func decoding() throws {
        let memory = DecodingMemory(capacity: 1_000)
        let bytes = try Fixtures.picture("pillow-1.jpg")
        let cut = Array(bytes.dropLast(200))
        for _ in 0..<3 {
            _ = try ImageDecoder.decode(bytes, control: DecodingControl(memory: memory))
            #expect(throws: ImageError.truncated(.jpeg)) {
                try ImageDecoder.decode(cut, control: DecodingControl(memory: memory))
            }
        }
        try memory.with(1_000, DecodingControl()) { () throws(ImageError) in
            let control = DecodingControl(deadline: .now + .milliseconds(1), memory: memory)
            #expect(throws: ImageError.deadlinePassed) { try ImageDecoder.decode(bytes, control: control) }
        }
    }
}
