import type { Clock } from "../../time/clock.ts";
import { ConfigFields } from "./config-fields.ts";
import type { EndpointChild } from "./endpoint-children.ts";
import { EndpointLoad, type EndpointLoadSettings } from "./endpoint-load.ts";
import type { BalancerFactory, BalancerHost, CallOutcome, CallTracker, LoadReport, Picker } from "./index.ts";
import { readLoadReport } from "./load-report.ts";
import {
  createReadyEndpointsBalancer,
  describeFull,
  type ReadyPolicy,
  resultsOf,
  resultWithPlace,
  subchannelOf,
} from "./ready-endpoints.ts";
import { createStrideScheduler, type StrideScheduler } from "./stride-scheduler.ts";

interface WeightedRoundRobinConfig extends EndpointLoadSettings {
  readonly enableOobLoadReport: boolean;
  readonly oobReportingPeriodMs: number;
  readonly weightUpdatePeriodMs: number;
}

/** gRFC A58: more often would cost more than it is worth. */
const minWeightUpdatePeriodMs = 100;

function parseConfig(fields: ConfigFields): WeightedRoundRobinConfig {
  return {
    enableOobLoadReport: fields.flag("enableOobLoadReport", false),
    oobReportingPeriodMs: fields.durationMs("oobReportingPeriod", 10_000),
    blackoutMs: fields.durationMs("blackoutPeriod", 10_000),
    expirationMs: fields.durationMs("weightExpirationPeriod", 180_000),
    weightUpdatePeriodMs: Math.max(minWeightUpdatePeriodMs, fields.durationMs("weightUpdatePeriod", 1000)),
    errorUtilizationPenalty: fields.number("errorUtilizationPenalty", 0, 1),
  };
}

const defaultConfig = parseConfig(new ConfigFields("weighted_round_robin", {}));

/**
 * Each endpoint takes calls in proportion to what it can still do: its queries per second by its utilization, as it reports
 * them in the trailers of calls or, with `enableOobLoadReport`, on a stream of their own (gRFC A58). Endpoints of which nothing
 * is known count as the mean; while fewer than two are known it is a round_robin.
 *
 * Config, durations as "10s": `blackoutPeriod` (10 s: reports count only after that long), `weightExpirationPeriod` (3 min),
 * `weightUpdatePeriod` (1 s, at least 0.1 s), `errorUtilizationPenalty` (1), `enableOobLoadReport` (false),
 * `oobReportingPeriod` (10 s).
 */
export function createWeightedRoundRobin(options: { readonly random?: () => number } = {}): BalancerFactory {
  const random = options.random ?? Math.random;
  return {
    policyName: "weighted_round_robin",
    parseConfig: (json) => parseConfig(new ConfigFields("weighted_round_robin", json)),
    create: (host) => createReadyEndpointsBalancer(host, new WeightedRoundRobin(host, random)),
  };
}

class WeightedRoundRobin implements ReadyPolicy {
  readonly #host: BalancerHost;
  readonly #random: () => number;
  readonly #loads = new WeakMap<EndpointChild, EndpointLoad>();
  /** Functions that end the out-of-band reports of each ready endpoint; empty without such reports. */
  readonly #watched = new Map<EndpointChild, (() => void) | undefined>();
  #config = defaultConfig;
  #picker: WeightedPicker | undefined;
  #cancelUpdate: (() => void) | undefined;

  constructor(host: BalancerHost, random: () => number) {
    this.#host = host;
    this.#random = random;
  }

  configure(config: unknown): void {
    const before = this.#config;
    this.#config = (config as WeightedRoundRobinConfig | undefined) ?? defaultConfig;
    const { enableOobLoadReport, oobReportingPeriodMs } = this.#config;
    if (before.enableOobLoadReport !== enableOobLoadReport || before.oobReportingPeriodMs !== oobReportingPeriodMs) {
      for (const [child, stop] of this.#watched) {
        stop?.();
        this.#watched.set(child, this.#watchLoad(child));
      }
    }
  }

  onReady(child: EndpointChild, isReady: boolean): void {
    if (isReady) {
      this.#loadOf(child).reconnected();
      this.#watched.set(child, this.#watchLoad(child));
    } else {
      this.#watched.get(child)?.();
      this.#watched.delete(child);
      if (this.#watched.size === 0) this.#stopUpdating();
    }
  }

  createPicker(ready: readonly EndpointChild[]): Picker {
    const loads = ready.map((child) => this.#loadOf(child));
    const readsCalls = !this.#config.enableOobLoadReport;
    const trackerOf = (child: EndpointChild): CallTracker => new LoadTracker((report) => this.#onReport(child, report));
    const results = readsCalls ? resultsOf(ready, trackerOf) : resultsOf(ready);
    const picker = new WeightedPicker(loads, results, Math.floor(this.#random() * 0xffff_ffff));
    this.#picker = picker;
    this.#updateWeights();
    return picker;
  }

  close(): void {
    this.#stopUpdating();
  }

  #updateWeights(): void {
    this.#picker?.weigh(this.#config, this.#host.clock);
    this.#cancelUpdate?.();
    this.#cancelUpdate = this.#host.clock.after(this.#config.weightUpdatePeriodMs, () => this.#updateWeights());
  }

  #stopUpdating(): void {
    this.#cancelUpdate?.();
    this.#cancelUpdate = undefined;
  }

  #watchLoad(child: EndpointChild): (() => void) | undefined {
    if (!this.#config.enableOobLoadReport) return undefined;
    const { oobReportingPeriodMs } = this.#config;
    return this.#host.watchLoad?.(subchannelOf(child), oobReportingPeriodMs, (report) => this.#onReport(child, report));
  }

  #onReport(child: EndpointChild, report: LoadReport): void {
    this.#loadOf(child).report(report, this.#config.errorUtilizationPenalty, this.#host.clock.nowMs());
  }

  #loadOf(child: EndpointChild): EndpointLoad {
    let load = this.#loads.get(child);
    if (load === undefined) {
      load = new EndpointLoad();
      this.#loads.set(child, load);
    }
    return load;
  }
}

/** Reads the report in each call's trailers. */
class LoadTracker implements CallTracker {
  readonly #onReport: (report: LoadReport) => void;

  constructor(onReport: (report: LoadReport) => void) {
    this.#onReport = onReport;
  }

  onStart(): void {}

  onEnd(outcome: CallOutcome): void {
    const report = readLoadReport(outcome);
    if (report !== undefined) this.#onReport(report);
  }
}

class WeightedPicker implements Picker {
  readonly dependsOnCall = false;
  readonly #loads: readonly EndpointLoad[];
  readonly #results: ReturnType<typeof resultsOf>;
  #scheduler: StrideScheduler | undefined;
  /** Kept from one set of weights to the next, so that the first endpoints are not always preferred. */
  #turns: number;

  constructor(loads: readonly EndpointLoad[], results: ReturnType<typeof resultsOf>, start: number) {
    this.#loads = loads;
    this.#results = results;
    this.#turns = start;
  }

  weigh(settings: EndpointLoadSettings, clock: Clock): void {
    const nowMs = clock.nowMs();
    const weights = this.#loads.map((load) => load.weight(settings, nowMs));
    this.#scheduler = createStrideScheduler(weights, this.#turns);
  }

  pick() {
    this.#turns = this.#turns >= 0xffff_ffff ? 0 : this.#turns + 1;
    return resultWithPlace(this.#results, this.#scheduler?.next() ?? this.#turns % this.#results.length);
  }

  describe(): string {
    return describeFull(this.#results);
  }
}
