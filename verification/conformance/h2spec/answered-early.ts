/**
 * h2spec sends `GET /` and `POST /` without a content-type. A gRPC server responds with 405 or 415 as soon as it has the request's headers, and
 * resets the stream with NO_ERROR if the request has not ended (RFC 9113 §8.1). Then the stream is closed, and further frames on it
 * are ignored, because they may have been sent before the peer received the reset (§5.1). These cases send their fault after the
 * headers. A fault that arrives together with the headers is handled as h2spec expects, and a later one is ignored. How the kernel splits
 * h2spec's bytes decides which of the two happens. All cases pass against a server that reads requests to their end.
 */
const closedByThen = "the request was answered and its stream reset with NO_ERROR before the fault came";

/** Cases that may fail against a gRPC server, which refuses such requests without reading them to their end. */
export const answeredEarly: ReadonlyMap<string, string> = new Map(
  [
    "http2/5.1/8", // DATA after the peer's own RST_STREAM
    "http2/5.1/9", // HEADERS after the peer's own RST_STREAM
    "http2/6.9/2", // WINDOW_UPDATE of 0 on a stream
    "http2/6.9.1/3", // WINDOW_UPDATE beyond 2^31-1 on a stream
    "http2/8.1/1", // a second HEADERS without END_STREAM
    "http2/8.1.2.1/3", // a pseudo-header field in trailers
    "http2/8.1.2.6/1", // content-length that differs from one DATA frame
    "http2/8.1.2.6/2", // content-length that differs from several DATA frames
  ].map((id) => [id, closedByThen]),
);
