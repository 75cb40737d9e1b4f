//! Code that the Rust peers of the benchmarks share.

pub mod messages;
pub mod users;

/// tonic's generated server and client.
pub mod echo {
    include!(concat!(env!("OUT_DIR"), "/bench.echo.v1.EchoService.rs"));
}
