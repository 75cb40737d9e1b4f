/** Limits for clients that hold a connection without using it. */
export interface Http1Limits {
  /** The maximum time from the first to the last byte of a request's head. Default 10,000. */
  readonly headTimeoutMs: number;
  /** How long a connection may stay idle. Default 75,000, longer than in most load balancers, so that they close first. */
  readonly idleTimeoutMs: number;
  /** The minimum rate of a request body, after ten seconds. Default 1024. */
  readonly minBodyBytesPerSecond: number;
  /** How long a client may read nothing of a pending response. Default 30,000. */
  readonly stallTimeoutMs: number;
}

export const defaultHttp1Limits: Http1Limits = {
  headTimeoutMs: 10_000,
  idleTimeoutMs: 75_000,
  minBodyBytesPerSecond: 1024,
  stallTimeoutMs: 30_000,
};

/** The maximum size of a head, which is rejected with 431 above it, and of the trailers of a chunked body. */
export const maxHeadBytes: number = 16 * 1024;
/** The maximum number of header fields. */
export const maxFields = 100;
