//! tonic's echo server. Its argument is the port (0 for any free one).

use std::time::Duration;

use bytes::Bytes;
use tercel_bench_rust_peers::echo::echo_service_server::{EchoService, EchoServiceServer};
use tercel_bench_rust_peers::messages::{
    EchoRequest, EchoResponse, ListUsersRequest, ListUsersResponse, StreamRequest, SummaryResponse,
};
use tercel_bench_rust_peers::users::{UserRow, list_users, user_rows};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

struct Echo {
    rows: Vec<UserRow>,
}

type BoxedResponses = Box<dyn Iterator<Item = Result<EchoResponse, Status>> + Send>;
type EchoResponses = tokio_stream::Iter<BoxedResponses>;

#[tonic::async_trait]
impl EchoService for Echo {
    async fn unary(&self, request: Request<EchoRequest>) -> Result<Response<EchoResponse>, Status> {
        let EchoRequest { message, payload } = request.into_inner();
        Ok(Response::new(EchoResponse { message, payload }))
    }

    type ServerStreamStream = EchoResponses;

    async fn server_stream(&self, request: Request<StreamRequest>) -> Result<Response<EchoResponses>, Status> {
        let StreamRequest { count, payload_size } = request.into_inner();
        let response = EchoResponse { message: String::new(), payload: Bytes::from(vec![0; payload_size as usize]) };
        let responses: BoxedResponses = Box::new((0..count).map(move |_| Ok(response.clone())));
        Ok(Response::new(tokio_stream::iter(responses)))
    }

    async fn client_stream(
        &self,
        request: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<SummaryResponse>, Status> {
        let mut requests = request.into_inner();
        let mut summary = SummaryResponse::default();
        while let Some(request) = requests.message().await? {
            summary.messages += 1;
            summary.payload_bytes += request.payload.len() as u32;
        }
        Ok(Response::new(summary))
    }

    async fn unary_later(&self, request: Request<EchoRequest>) -> Result<Response<EchoResponse>, Status> {
        let EchoRequest { message, payload } = request.into_inner();
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(Response::new(EchoResponse { message, payload }))
    }

    async fn list_users(&self, request: Request<ListUsersRequest>) -> Result<Response<ListUsersResponse>, Status> {
        Ok(Response::new(list_users(&self.rows, request.into_inner().page_size)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: tonic-server <port>")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let port = listener.local_addr()?.port();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    println!("{{\"port\":{port}}}");
    Server::builder()
        .add_service(EchoServiceServer::new(Echo { rows: user_rows() }))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}
