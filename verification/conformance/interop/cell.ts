import type { CaseName } from "./cases.ts";

/** The side of Tercel. */
export type Side = "client" | "server";

/** The result of a case with a peer, in one direction. */
export interface Cell {
  readonly caseName: CaseName;
  readonly ours: Side;
  readonly tls: boolean;
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly reason: string }
  /** The peer has no such case or feature. */
  | { readonly kind: "absent"; readonly reason: string };
