//! The messages of proto/echo.proto for prost. The verification call of each server checks that they match.

use bytes::Bytes;

#[derive(Clone, PartialEq, prost::Message)]
pub struct EchoRequest {
    #[prost(string, tag = "1")]
    pub message: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub payload: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct EchoResponse {
    #[prost(string, tag = "1")]
    pub message: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub payload: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct StreamRequest {
    #[prost(uint32, tag = "1")]
    pub count: u32,
    #[prost(uint32, tag = "2")]
    pub payload_size: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SummaryResponse {
    #[prost(uint32, tag = "1")]
    pub messages: u32,
    #[prost(uint32, tag = "2")]
    pub payload_bytes: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListUsersRequest {
    #[prost(uint32, tag = "1")]
    pub page_size: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListUsersResponse {
    #[prost(message, repeated, tag = "1")]
    pub users: Vec<User>,
    #[prost(uint32, tag = "2")]
    pub total: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct User {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub email: String,
    #[prost(string, repeated, tag = "4")]
    pub roles: Vec<String>,
    #[prost(bool, tag = "5")]
    pub is_active: bool,
    #[prost(uint32, tag = "6")]
    pub created_at_seconds: u32,
    #[prost(message, optional, tag = "7")]
    pub address: Option<Address>,
    #[prost(string, tag = "8")]
    pub time_zone: String,
    #[prost(string, tag = "9")]
    pub locale: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Address {
    #[prost(string, tag = "1")]
    pub street: String,
    #[prost(string, tag = "2")]
    pub city: String,
    #[prost(string, tag = "3")]
    pub postal_code: String,
    #[prost(string, tag = "4")]
    pub country_code: String,
}
