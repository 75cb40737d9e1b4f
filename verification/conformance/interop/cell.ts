import type { CaseName } from "./cases.ts";

/** Which side is ours. */
export type Side = "client" | "server";

/** What came of one case with one peer, in one direction. */
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
