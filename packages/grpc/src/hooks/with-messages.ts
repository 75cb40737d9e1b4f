import type { StreamRequest, StreamResponse } from "@connectrpc/connect";

// A spread would do the same and make headers and signal, which cost more than the rest of a call and are seldom read.

/** The same request with other messages. */
export function requestWithMessages(request: StreamRequest, message: StreamRequest["message"]): StreamRequest {
  return {
    stream: true,
    service: request.service,
    method: request.method,
    requestMethod: request.requestMethod,
    url: request.url,
    contextValues: request.contextValues,
    message,
    get header() {
      return request.header;
    },
    get signal() {
      return request.signal;
    },
  };
}

/** The same response with other messages. */
export function responseWithMessages(response: StreamResponse, message: StreamResponse["message"]): StreamResponse {
  return {
    stream: true,
    service: response.service,
    method: response.method,
    message,
    get header() {
      return response.header;
    },
    get trailer() {
      return response.trailer;
    },
  };
}
