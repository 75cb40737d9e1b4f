/** How a job ended, for the log and the metrics. */
export interface JobEnd {
  readonly kind: string;
  readonly uuid: string;
  readonly state: "completed" | "warned" | "failed" | "cancelled" | "skipped";
  /** Waiting included. */
  readonly durationMs: number;
  /** Why it failed. */
  readonly problem?: string;
}
