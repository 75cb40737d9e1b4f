import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** A workload whose identity was verified. */
export interface Caller {
  readonly kind: "certificate" | "service-key";
  /**
   * The name of the service key, or the first name in the certificate: a URI such as `spiffe://example.org/orders`, or a DNS name such as
   * `dns:orders.internal`. The name of a key has no colon, so it never equals a name of a certificate.
   */
  readonly name: string;
  /** All names of the caller; a certificate may have several. */
  readonly names: readonly string[];
}

/** The context key of the caller's identity, for interceptors and handlers of a server. Undefined if no identity was required. */
export const callerKey: ContextKey<Caller | undefined> = createContextKey<Caller | undefined>(undefined, {
  description: "caller",
});
