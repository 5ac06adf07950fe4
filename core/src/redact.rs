//! `Debug` that names a type and nothing of its value: rows, keys and pseudonyms of people stay out of log lines.

macro_rules! redacted_debug {
    ($($type:ident),+ $(,)?) => {
        $(impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        })+
    };
}

pub(crate) use redacted_debug;
