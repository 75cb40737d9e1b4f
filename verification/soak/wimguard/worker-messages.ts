import type { Counts } from "./proof.ts";

/** An item to check. */
export interface ToWorker {
  readonly seed: number;
  readonly index: number;
}

/** The response to the start, and then to each item. */
export type FromWorker =
  | { readonly kind: "ready"; readonly limit?: number }
  | { readonly kind: "checked"; readonly counts: Counts }
  | { readonly kind: "failed"; readonly text: string };
