//! Generates tonic's server and client of bench.echo.v1.EchoService, like tonic-prost-build from the .proto file. The messages are in
//! src/messages.rs.

use tonic_build::manual::{Builder, Method, Service};

const CODEC: &str = "tonic_prost::ProstCodec";

fn method(name: &str, route: &str, input: &str, output: &str) -> tonic_build::manual::MethodBuilder {
    Method::builder()
        .name(name)
        .route_name(route)
        .input_type(format!("crate::messages::{input}"))
        .output_type(format!("crate::messages::{output}"))
        .codec_path(CODEC)
}

fn main() {
    let service = Service::builder()
        .name("EchoService")
        .package("bench.echo.v1")
        .method(method("unary", "Unary", "EchoRequest", "EchoResponse").build())
        .method(method("server_stream", "ServerStream", "StreamRequest", "EchoResponse").server_streaming().build())
        .method(method("client_stream", "ClientStream", "EchoRequest", "SummaryResponse").client_streaming().build())
        .method(method("unary_later", "UnaryLater", "EchoRequest", "EchoResponse").build())
        .method(method("list_users", "ListUsers", "ListUsersRequest", "ListUsersResponse").build())
        .build();
    Builder::new().compile(&[service]);
}
