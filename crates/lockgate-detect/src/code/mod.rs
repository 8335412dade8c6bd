//! What must not be in a program that an agent hands to a tool.
//!
//! Python is parsed and walked whole ([`python`]). Shell and JavaScript are not: they are recognised ([`language`]), and searched for
//! what does damage ([`script`]), so that rules can refuse or hold them.

pub mod language;
pub mod python;
mod python_words;
pub mod script;
