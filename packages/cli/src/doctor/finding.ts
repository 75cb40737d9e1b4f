/** The outcome of one check. */
export interface Finding {
  readonly check: string;
  readonly outcome: "ok" | "warning" | "failure";
  readonly text: string;
  /** What to do about it. */
  readonly fix?: string;
}
