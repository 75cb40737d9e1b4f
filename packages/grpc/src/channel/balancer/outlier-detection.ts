import type { ConnectError } from "@connectrpc/connect";
import type { Address } from "../../transport/client/client-connection.ts";
import { addressKey } from "../naming/address-text.ts";
import type { Endpoint } from "../resolver/index.ts";
import type { Subchannel, SubchannelStateListener } from "../subchannel/index.ts";
import { ConfigFields } from "./config-fields.ts";
import { countOutcome, type OutcomeCounts } from "./count-outcomes.ts";
import { deriveHost } from "./derive-host.ts";
import { EjectionRecord, type EjectionSettings, ejectHung, endInterval } from "./ejection.ts";
import { endpointKey } from "./endpoint-key.ts";
import { GracefulSwitch } from "./graceful-switch.ts";
import type {
  Balancer,
  BalancerFactory,
  BalancerHost,
  BalancerUpdate,
  CallOutcome,
  HealthListener,
  HealthReport,
} from "./index.ts";
import { createUnavailablePicker } from "./pickers.ts";
import type { ChoosePolicy, PolicyChoice } from "./policy-choice.ts";

export interface OutlierDetectionConfig extends EjectionSettings {
  readonly intervalMs: number;
  readonly child: PolicyChoice;
}

/**
 * Keeps calls for a while from endpoints that fail more of them than the others do (gRFC A50), and leaves to another policy
 * which of the rest takes a call. An endpoint that is ejected stays connected. Works under policies that look at health, which
 * all built-in ones do except pick_first. Any status but OK counts as a failure, that of a call its caller gave up included.
 *
 * Config, durations as "10s": `interval` (10 s), `baseEjectionTime` (30 s, times the number of ejections in a row),
 * `maxEjectionTime` (300 s), `maxEjectionPercent` (10, though one endpoint may always be ejected), `successRateEjection`
 * (`stdevFactor` 1900, `enforcementPercentage` 100, `minimumHosts` 5, `requestVolume` 100), `failurePercentageEjection`
 * (`threshold` 85, `enforcementPercentage` 100, `minimumHosts` 5, `requestVolume` 50) and `childPolicy`, which is required.
 *
 * In addition to A50's: `consecutiveDeadlineEjection` (`threshold` 5) ejects an endpoint at once when this many calls in a row have ended at
 * their deadlines without a word of it while others answered: a process that hangs stays connected. Without any of the three kinds
 * of ejection it does nothing.
 */
export function createOutlierDetection(
  choose: ChoosePolicy,
  options: { readonly random?: () => number } = {},
): BalancerFactory {
  const random = options.random ?? Math.random;
  return {
    policyName: "outlier_detection",
    parseConfig: (json) => {
      const fields = new ConfigFields("outlier_detection", json);
      return { ...readEjection(fields), child: choose("outlier_detection: childPolicy", fields.raw("childPolicy")) };
    },
    create: (host) => new OutlierDetection(host, random),
  };
}

const maxCount = 0xffff_ffff;

/** As many as Envoy's outlier detection counts of consecutive errors. */
export const defaultConsecutiveDeadlines = 5;

function readEjection(fields: ConfigFields): Omit<OutlierDetectionConfig, "child"> {
  const successRate = fields.object("successRateEjection");
  const failurePercentage = fields.object("failurePercentageEjection");
  const consecutiveDeadline = fields.object("consecutiveDeadlineEjection");
  return {
    intervalMs: fields.durationMs("interval", 10_000),
    baseEjectionTimeMs: fields.durationMs("baseEjectionTime", 30_000),
    maxEjectionTimeMs: fields.durationMs("maxEjectionTime", 300_000),
    maxEjectionPercent: fields.wholeNumber("maxEjectionPercent", 0, 100, 10),
    successRate: successRate && {
      stdevFactor: successRate.wholeNumber("stdevFactor", 0, maxCount, 1900),
      enforcementPercentage: successRate.wholeNumber("enforcementPercentage", 0, 100, 100),
      minimumHosts: successRate.wholeNumber("minimumHosts", 0, maxCount, 5),
      requestVolume: successRate.wholeNumber("requestVolume", 0, maxCount, 100),
    },
    failurePercentage: failurePercentage && {
      threshold: failurePercentage.wholeNumber("threshold", 0, 100, 85),
      enforcementPercentage: failurePercentage.wholeNumber("enforcementPercentage", 0, 100, 100),
      minimumHosts: failurePercentage.wholeNumber("minimumHosts", 0, maxCount, 5),
      requestVolume: failurePercentage.wholeNumber("requestVolume", 0, maxCount, 50),
    },
    consecutiveDeadlines: consecutiveDeadline?.wholeNumber("threshold", 1, maxCount, defaultConsecutiveDeadlines),
  };
}

/** With an interval of zero an idle process would do nothing else. */
const minIntervalMs = 1;

export class OutlierDetection implements Balancer, OutcomeCounts {
  answered = 0;
  readonly #host: BalancerHost;
  readonly #random: () => number;
  readonly #child: GracefulSwitch;
  #config: OutlierDetectionConfig | undefined;
  #records = new Map<string, EjectionRecord>();
  #byAddress = new Map<string, EjectionRecord>();
  readonly #watches = new Set<EjectionWatch>();
  /** With what was to be called at the end of their calls before. */
  readonly #subchannels = new Map<Subchannel, Subchannel["onCallEnd"]>();
  #intervalStartMs: number | undefined;
  #cancelInterval: (() => void) | undefined;

  constructor(host: BalancerHost, random: () => number) {
    this.#host = host;
    this.#random = random;
    this.#child = new GracefulSwitch(
      deriveHost(host, {
        createSubchannel: (address, onState) => this.#createSubchannel(address, onState),
        watchHealth: (subchannel, listener) => this.#watchHealth(subchannel, listener),
      }),
    );
  }

  update({ endpoints, config }: BalancerUpdate): boolean {
    if (config === undefined) {
      const describe = (): string => "outlier_detection needs a config with a childPolicy";
      this.#host.updateState("transient_failure", createUnavailablePicker(this.#host.targetText, describe));
      return endpoints.length > 0;
    }
    this.#config = config as OutlierDetectionConfig;
    this.#setEndpoints(endpoints);
    if (this.#isEnabled) this.#scheduleInterval();
    else this.#disable();
    this.#refreshWatches();
    const isUsable = this.#child.update(this.#config.child, { endpoints });
    for (const subchannel of [...this.#subchannels.keys()]) {
      if (subchannel.state === "shutdown") this.#subchannels.delete(subchannel);
      else this.#followCalls(subchannel);
    }
    return isUsable;
  }

  onResolverError(error: ConnectError): void {
    this.#child.onResolverError(error);
  }

  exitIdle(): void {
    this.#child.exitIdle();
  }

  close(): void {
    this.#cancelInterval?.();
    this.#cancelInterval = undefined;
    this.#child.close();
  }

  get #isEnabled(): boolean {
    const { successRate, failurePercentage, consecutiveDeadlines } = this.#config ?? {};
    return successRate !== undefined || failurePercentage !== undefined || consecutiveDeadlines !== undefined;
  }

  onUnanswered(record: EjectionRecord): void {
    const config = this.#config;
    if (config?.consecutiveDeadlines === undefined) return;
    const { clock } = this.#host;
    const hasEjected = ejectHung(record, this.#records.values(), { ...config, answered: this.answered }, clock.nowMs());
    if (hasEjected) this.#refreshWatches();
  }

  #setEndpoints(endpoints: readonly Endpoint[]): void {
    const records = new Map<string, EjectionRecord>();
    const byAddress = new Map<string, EjectionRecord>();
    for (const endpoint of endpoints) {
      const key = endpointKey(endpoint);
      const record = records.get(key) ?? this.#records.get(key) ?? new EjectionRecord();
      records.set(key, record);
      for (const address of endpoint.addresses) byAddress.set(addressKey(address), record);
    }
    this.#records = records;
    this.#byAddress = byAddress;
  }

  #scheduleInterval(): void {
    const { clock } = this.#host;
    if (this.#intervalStartMs === undefined) {
      this.#intervalStartMs = clock.nowMs();
      for (const record of this.#records.values()) {
        record.succeeded = 0;
        record.failed = 0;
      }
    }
    this.#cancelInterval?.();
    const intervalMs = Math.max(minIntervalMs, this.#config?.intervalMs ?? 0);
    const leftMs = Math.max(0, this.#intervalStartMs + intervalMs - clock.nowMs());
    this.#cancelInterval = clock.after(leftMs, () => this.#onInterval());
  }

  #onInterval(): void {
    const nowMs = this.#host.clock.nowMs();
    this.#intervalStartMs = nowMs;
    this.#scheduleInterval();
    if (this.#config !== undefined) endInterval([...this.#records.values()], this.#config, nowMs, this.#random);
    this.#refreshWatches();
  }

  #refreshWatches(): void {
    for (const watch of [...this.#watches]) watch.refresh(this.#ejectionAt(watch.address));
  }

  #disable(): void {
    this.#cancelInterval?.();
    this.#cancelInterval = undefined;
    this.#intervalStartMs = undefined;
    for (const record of this.#records.values()) {
      record.ejectedAtMs = undefined;
      record.multiplier = 0;
      record.deadlinesInRow = 0;
    }
  }

  /** Why the endpoint is ejected; undefined for one that is not. */
  #ejectionAt(address: string): string | undefined {
    const record = this.#byAddress.get(address);
    return record?.ejectedAtMs === undefined ? undefined : record.ejectionReason;
  }

  #createSubchannel(address: Address, onState: SubchannelStateListener): Subchannel {
    const subchannel = this.#host.createSubchannel(address, onState);
    this.#subchannels.set(subchannel, subchannel.onCallEnd);
    this.#followCalls(subchannel);
    return subchannel;
  }

  /** For the endpoint that its address belongs to now. At the subchannel and not in a picker of our own, so that picking costs nothing more. */
  #followCalls(subchannel: Subchannel): void {
    const before = this.#subchannels.get(subchannel);
    const record = this.#isEnabled ? this.#byAddress.get(addressKey(subchannel.address)) : undefined;
    if (record === undefined) {
      subchannel.onCallEnd = before;
      return;
    }
    const count = (outcome: CallOutcome): void => countOutcome(this, record, outcome);
    subchannel.onCallEnd =
      before === undefined
        ? count
        : (outcome) => {
            before(outcome);
            count(outcome);
          };
  }

  #watchHealth(subchannel: Subchannel, listener: HealthListener): () => void {
    const address = addressKey(subchannel.address);
    const watch = new EjectionWatch(address, this.#ejectionAt(address), listener);
    this.#watches.add(watch);
    const end = this.#host.watchHealth?.(subchannel, (report) => watch.onReport(report));
    if (end === undefined) watch.onReport({ state: "ready", reason: "" });
    return () => {
      this.#watches.delete(watch);
      end?.();
    };
  }
}

/** One subchannel's health: what others say of it, unless it is ejected. */
class EjectionWatch {
  readonly address: string;
  readonly #listener: HealthListener;
  #ejection: string | undefined;
  #report: HealthReport | undefined;

  constructor(address: string, ejection: string | undefined, listener: HealthListener) {
    this.address = address;
    this.#ejection = ejection;
    this.#listener = listener;
  }

  onReport(report: HealthReport): void {
    this.#report = report;
    this.#notify();
  }

  refresh(ejection: string | undefined): void {
    if (this.#ejection === ejection) return;
    this.#ejection = ejection;
    this.#notify();
  }

  #notify(): void {
    if (this.#ejection !== undefined) {
      this.#listener({ state: "transient_failure", reason: this.#ejection });
    } else if (this.#report !== undefined) {
      this.#listener(this.#report);
    }
  }
}
