//! The echo service on hyper alone: HTTP/2 by hyper, messages by prost, hand-written gRPC prefixes and trailers. It has no deadlines, no
//! compression and no interceptors, so it is the upper limit of a framework on the same HTTP/2. Its argument is the port (0 for any).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tercel_bench_rust_peers::messages::{
    EchoRequest, EchoResponse, ListUsersRequest, StreamRequest, SummaryResponse,
};
use tercel_bench_rust_peers::users::{UserRow, list_users, user_rows};
use tokio::net::TcpListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The same message repeatedly, and the trailers.
struct Answer {
    message: Bytes,
    left: u32,
    has_ended: bool,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let answer = self.get_mut();
        if answer.left > 0 {
            answer.left -= 1;
            return Poll::Ready(Some(Ok(Frame::data(answer.message.clone()))));
        }
        if answer.has_ended {
            return Poll::Ready(None);
        }
        answer.has_ended = true;
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(5 + length);
    bytes.put_u8(0);
    bytes.put_u32(length as u32);
    message.encode(&mut bytes).expect("the buffer has room");
    bytes.freeze()
}

/// Removes the next message from a request's body.
fn unframed<M: Message + Default>(body: &mut Bytes) -> Result<M, Failure> {
    if body.len() < 5 || body[0] != 0 {
        return Err("the body holds no uncompressed message".into());
    }
    body.advance(1);
    let length = body.get_u32() as usize;
    if body.len() < length {
        return Err("the message is cut off".into());
    }
    Ok(M::decode(body.split_to(length))?)
}

fn echo(body: &mut Bytes) -> Result<Bytes, Failure> {
    let EchoRequest { message, payload } = unframed(body)?;
    Ok(framed(&EchoResponse { message, payload }))
}

async fn serve(request: Request<Incoming>, rows: Arc<Vec<UserRow>>) -> Result<Response<Answer>, Failure> {
    let (head, body) = request.into_parts();
    let mut body = body.collect().await?.to_bytes();
    let (message, left) = match head.uri.path() {
        "/bench.echo.v1.EchoService/Unary" => (echo(&mut body)?, 1),
        "/bench.echo.v1.EchoService/UnaryLater" => {
            tokio::time::sleep(Duration::from_millis(1)).await;
            (echo(&mut body)?, 1)
        }
        "/bench.echo.v1.EchoService/ServerStream" => {
            let StreamRequest { count, payload_size } = unframed(&mut body)?;
            let payload = Bytes::from(vec![0; payload_size as usize]);
            (framed(&EchoResponse { message: String::new(), payload }), count)
        }
        "/bench.echo.v1.EchoService/ClientStream" => {
            let mut summary = SummaryResponse::default();
            while !body.is_empty() {
                let EchoRequest { payload, .. } = unframed(&mut body)?;
                summary.messages += 1;
                summary.payload_bytes += payload.len() as u32;
            }
            (framed(&summary), 1)
        }
        "/bench.echo.v1.EchoService/ListUsers" => {
            let ListUsersRequest { page_size } = unframed(&mut body)?;
            (framed(&list_users(&rows, page_size)), 1)
        }
        path => return Err(format!("no method is called {path}").into()),
    };
    let mut response = Response::new(Answer { message, left, has_ended: false });
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Ok(response)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let port = std::env::args().nth(1).ok_or("usage: hyper-server <port>")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{{\"port\":{}}}", listener.local_addr()?.port());
    let rows = Arc::new(user_rows());
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let rows = rows.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| serve(request, rows.clone()));
            // Errors of a connection are ignored, because the client reports them.
            let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}
