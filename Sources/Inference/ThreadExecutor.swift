import DequeModule
import Foundation

/// Runs an actor's jobs on a thread of its own, so that a blocking forward pass takes no thread from Swift's pool.
///
/// `@unchecked Sendable`: `jobs` and `closed` are touched under `condition`'s lock only.
final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: Deque<UnownedJob> = []
    private var closed = false

    init(name: String) {
        let reference = Unmanaged.passUnretained(self)
        let started = DispatchSemaphore(value: 0)
        let thread = Thread {
            // The thread holds its executor until it is closed: jobs may be the last to know it.
            let executor = reference.takeUnretainedValue()
            started.signal()
            executor.run()
        }
        thread.name = name
        // libtorch's kernels put large scratch areas on the stack.
        thread.stackSize = 8 << 20
        thread.start()
        started.wait()
    }

    private func run() {
        while true {
            condition.lock()
            while jobs.isEmpty && !closed { condition.wait() }
            guard let job = jobs.popFirst() else {
                condition.unlock()
                return
            }
            condition.unlock()
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// Ends the thread when its queue is empty.
    func close() {
        condition.lock()
        closed = true
        condition.signal()
        condition.unlock()
    }
}
