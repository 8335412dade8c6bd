//! Scripted servers and agents, real servers and clients, and a slow, obvious decider, for tests.

pub mod agent;
pub mod eras;
pub mod event_server;
pub mod fuzz;
pub mod home;
pub mod hostile;
pub mod office;
pub mod otlp;
pub mod peers;
pub mod reference;
pub mod scripted;
pub mod stage;
pub mod talk;
pub mod trace;
