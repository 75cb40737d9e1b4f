//! tonic's client: <target> <unary|stream> <concurrency> <seconds> [<messages> <payload bytes>].
//!
//! One JSON line reports the calls of the measured seconds. Calls that are running at the end are dropped.

use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tercel_bench_rust_peers::echo::echo_service_client::EchoServiceClient;
use tercel_bench_rust_peers::messages::{EchoRequest, StreamRequest};
use tonic::transport::{Channel, Endpoint};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const MESSAGE: &str = "hello from the bench";
const WARM_UP: Duration = Duration::from_secs(5);

async fn unary(mut client: EchoServiceClient<Channel>, done: Arc<AtomicU64>) -> Result<(), Failure> {
    loop {
        let request = EchoRequest { message: MESSAGE.into(), payload: Bytes::new() };
        let response = client.unary(request).await?.into_inner();
        if response.message != MESSAGE {
            return Err(format!("the answer is \"{}\"", response.message).into());
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

async fn stream(
    mut client: EchoServiceClient<Channel>,
    done: Arc<AtomicU64>,
    count: u32,
    payload_size: u32,
) -> Result<(), Failure> {
    loop {
        let mut responses = client.server_stream(StreamRequest { count, payload_size }).await?.into_inner();
        let mut received = 0;
        while let Some(response) = responses.message().await? {
            if response.payload.len() != payload_size as usize {
                return Err(format!("a message has {} bytes", response.payload.len()).into());
            }
            received += 1;
            done.fetch_add(1, Ordering::Relaxed);
        }
        if received != count {
            return Err(format!("{received} messages came instead of {count}").into());
        }
    }
}

/// CPU time of this process, user and system.
fn cpu_micros() -> i64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let micros = |time: libc::timeval| time.tv_sec as i64 * 1_000_000 + time.tv_usec as i64;
    micros(usage.ru_utime) + micros(usage.ru_stime)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let usage = "usage: tonic-client <target> <unary|stream> <concurrency> <seconds> [<messages> <payload bytes>]";
    let [target, kind, concurrency, seconds, sizes @ ..] = words.as_slice() else { return Err(usage.into()) };
    let (count, payload_size) = match sizes {
        [] => (1000, 16),
        [count, size] => (count.parse()?, size.parse()?),
        _ => return Err(usage.into()),
    };
    let seconds = Duration::from_secs_f64(seconds.parse()?);
    let channel = Endpoint::from_shared(format!("http://{target}"))?.connect().await?;
    let client = EchoServiceClient::new(channel);
    let done = Arc::new(AtomicU64::new(0));
    for _ in 0..concurrency.parse::<u32>()? {
        let (client, done) = (client.clone(), done.clone());
        let is_unary = match kind.as_str() {
            "unary" => true,
            "stream" => false,
            _ => return Err(usage.into()),
        };
        tokio::spawn(async move {
            let outcome =
                if is_unary { unary(client, done).await } else { stream(client, done, count, payload_size).await };
            // Failing calls must not be measured.
            if let Err(failure) = outcome {
                eprintln!("{failure}");
                exit(1);
            }
        });
    }

    tokio::time::sleep(WARM_UP).await;
    // Reports when the CPU time of the server begins to count.
    println!("{{\"measuring\":true}}");
    let (started, cpu_before, done_before) = (Instant::now(), cpu_micros(), done.load(Ordering::Relaxed));
    tokio::time::sleep(seconds).await;
    let counted = done.load(Ordering::Relaxed) - done_before;
    let (cpu, elapsed) = (cpu_micros() - cpu_before, started.elapsed().as_secs_f64());
    let unit = if kind == "unary" { "calls" } else { "messages" };
    println!("{{\"{unit}\":{counted},\"seconds\":{elapsed:.6},\"cpuMicros\":{cpu}}}");
    // Calls are still running.
    exit(0);
}
