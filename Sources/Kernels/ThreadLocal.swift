import Foundation

/// An object of its own for each thread that asks for one; it goes when the thread ends.
final class ThreadLocal<Value: AnyObject>: @unchecked Sendable {
    private var key = pthread_key_t()
    private let make: @Sendable () -> Value

    /// Objects that `make` makes.
    init(_ make: @escaping @Sendable () -> Value) {
        self.make = make
        let code = pthread_key_create(&key) { object in
            // Linux gives an optional, Darwin none.
            let object: UnsafeMutableRawPointer? = object
            if let object { Unmanaged<AnyObject>.fromOpaque(object).release() }
        }
        precondition(code == 0, "no more thread-local values: \(String(cString: strerror(code)))")
    }

    /// The calling thread's object.
    var current: Value {
        if let object = pthread_getspecific(key) {
            return Unmanaged<Value>.fromOpaque(object).takeUnretainedValue()
        }
        let value = make()
        pthread_setspecific(key, Unmanaged.passRetained(value).toOpaque())
        return value
    }
}
