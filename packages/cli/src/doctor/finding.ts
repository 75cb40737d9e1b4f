/** The outcome of one check. */
export interface Finding {
  readonly check: string;
  readonly outcome: "ok" | "warning" | "failure";
  readonly text: string;
  /** Suggested fix. */
  readonly fix?: string;
}
