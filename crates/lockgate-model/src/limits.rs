/// How large a message may be. Past a limit the message is refused with the reason named on each field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest message from an agent. Bytes; default 1 MiB; then `message_too_large`.
    pub request_bytes: usize,
    /// Largest message from a server. Bytes; default 16 MiB; then `result_too_large`.
    pub result_bytes: usize,
    /// Deepest nesting of a call's `arguments`, the object itself being 1. Default 10; then `too_deep`.
    pub argument_depth: usize,
    /// Deepest nesting of any message. Default 64, at most 128; then `too_deep`.
    pub message_depth: usize,
    /// Most members of a call's `arguments`. Default 100; then `too_many_parameters`.
    pub parameters: usize,
}

impl Limits {
    /// No limits but the deepest nesting that is read at all: for messages that were admitted before, and may have grown since
    /// as something in them was replaced.
    pub const NONE: Self = Self {
        request_bytes: usize::MAX,
        result_bytes: usize::MAX,
        argument_depth: 128,
        message_depth: 128,
        parameters: usize::MAX,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 1 << 20,
            result_bytes: 16 << 20,
            argument_depth: 10,
            message_depth: 64,
            parameters: 100,
        }
    }
}
