/** How a literal is put on the wire: the three forms of RFC 7541 §6.2. */
export const IndexingPolicy = {
  /** The field enters the dynamic table and is an index from then on. */
  incremental: 0,
  /** The field stays out of our table; a proxy that forwards it may index it. */
  without: 1,
  /** The field stays out of every table on its way (RFC 7541 §7.1.3). */
  never: 2,
} as const;
export type IndexingPolicy = (typeof IndexingPolicy)[keyof typeof IndexingPolicy];

/**
 * Secrets. With a table that requests share, the length of the output reveals whether a guess was right (RFC 7541 §7.1), and
 * would keep the secret in memory at both ends.
 */
const secretNames: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
]);

/** Fields that hardly ever come with the same value twice: in the table they would only push others out. */
const varyingNames: ReadonlySet<string> = new Set([
  "age",
  "b3",
  "content-length",
  "content-range",
  "date",
  "etag",
  "expires",
  "idempotency-key",
  "if-modified-since",
  "if-none-match",
  "last-modified",
  "location",
  "traceparent",
  "tracestate",
  "x-b3-spanid",
  "x-b3-traceid",
  "x-cloud-trace-context",
  "x-correlation-id",
  "x-request-id",
]);

/**
 * The form for literals called `name` (lower case). `unindexed` are names that the user of the engine knows to vary.
 * Binary fields count as secret: their content is unknown.
 */
export function indexingPolicyFor(name: string, unindexed: readonly string[]): IndexingPolicy {
  if (varyingNames.has(name) || unindexed.includes(name)) return IndexingPolicy.without;
  if (secretNames.has(name) || name.endsWith("-bin") || name.includes("-token") || name.includes("token-")) {
    return IndexingPolicy.never;
  }
  return IndexingPolicy.incremental;
}
