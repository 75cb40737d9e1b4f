import { type ContextKey, createContextKey } from "@connectrpc/connect";

/** A workload that has proved its identity. */
export interface Caller {
  readonly kind: "certificate" | "service-key";
  /**
   * The service key's name, or the first of the certificate's: a URI such as `spiffe://example.org/orders`, or `dns:` and a name such
   * as `dns:orders.internal`. A key's name has no colon, so that it differs from every certificate's.
   */
  readonly name: string;
  /** All of its names; a certificate may have several. */
  readonly names: readonly string[];
}

/** The caller's identity among the context values of a server's interceptors and handlers; undefined where none was required. */
export const callerKey: ContextKey<Caller | undefined> = createContextKey<Caller | undefined>(undefined, {
  description: "caller",
});
