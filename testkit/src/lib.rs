//! Scripted servers and agents, and a slow, obvious decider, for tests.

pub mod peers;
