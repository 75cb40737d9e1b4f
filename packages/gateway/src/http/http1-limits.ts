/** Times and rates below which a client holds a connection without using it. */
export interface Http1Limits {
  /** From the first byte of a head to its last. Default 10,000. */
  readonly headTimeoutMs: number;
  /** Without a request. Default 75,000, longer than most load balancers keep theirs, so that they close first. */
  readonly idleTimeoutMs: number;
  /** A body that comes slower, after ten seconds, is cut off. Default 1024. */
  readonly minBodyBytesPerSecond: number;
  /** A client that takes nothing of a response for so long is cut off. Default 30,000. */
  readonly stallTimeoutMs: number;
}

export const defaultHttp1Limits: Http1Limits = {
  headTimeoutMs: 10_000,
  idleTimeoutMs: 75_000,
  minBodyBytesPerSecond: 1024,
  stallTimeoutMs: 30_000,
};

/** A head that is larger is refused with 431; so are the trailers of a chunked body. */
export const maxHeadBytes: number = 16 * 1024;
/** Fields of a head. */
export const maxFields = 100;
