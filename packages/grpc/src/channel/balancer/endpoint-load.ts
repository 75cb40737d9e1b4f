import type { LoadReport } from "./index.ts";

export interface EndpointLoadSettings {
  /** How long an endpoint has to have reported before its weight counts. */
  readonly blackoutMs: number;
  /** How long a report counts. */
  readonly expirationMs: number;
  readonly errorUtilizationPenalty: number;
}

/** The weight of one endpoint from what it reports of its load (gRFC A58, "Subchannel Weights"). */
export class EndpointLoad {
  #weight = 0;
  #lastUpdateMs = Number.NEGATIVE_INFINITY;
  /** When the first report came of those that count; undefined before. */
  #nonEmptySinceMs: number | undefined;

  /** Queries per second by utilization, which errors make appear larger. A report without either says nothing. */
  report(
    { applicationUtilization, cpuUtilization, rpsFractional, eps }: LoadReport,
    penalty: number,
    nowMs: number,
  ): void {
    const utilization = applicationUtilization > 0 ? applicationUtilization : cpuUtilization;
    if (!(utilization > 0) || !(rpsFractional > 0)) return;
    const errorShare = eps > 0 ? eps / rpsFractional : 0;
    const weight = rpsFractional / (utilization + errorShare * penalty);
    if (!(weight > 0) || !Number.isFinite(weight)) return;
    this.#weight = weight;
    this.#lastUpdateMs = nowMs;
    this.#nonEmptySinceMs ??= nowMs;
  }

  /** The endpoint has another connection, perhaps to another process: the blackout begins again. */
  reconnected(): void {
    this.#nonEmptySinceMs = undefined;
  }

  /** 0 where nothing is known, not yet, or not any more. */
  weight({ blackoutMs, expirationMs }: EndpointLoadSettings, nowMs: number): number {
    if (nowMs - this.#lastUpdateMs >= expirationMs) {
      this.#nonEmptySinceMs = undefined;
      return 0;
    }
    if (blackoutMs > 0 && (this.#nonEmptySinceMs === undefined || nowMs - this.#nonEmptySinceMs < blackoutMs)) return 0;
    return this.#weight;
  }
}
