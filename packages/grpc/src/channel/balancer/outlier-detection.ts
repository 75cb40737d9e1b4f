import type { ConnectError } from "@connectrpc/connect";
import type { Address } from "../../transport/client-connection.ts";
import { addressKey } from "../address-text.ts";
import type { ConnectivityState } from "../connectivity.ts";
import type { Endpoint } from "../resolver/index.ts";
import type { Subchannel, SubchannelStateListener } from "../subchannel/index.ts";
import { composeTrackers } from "./compose-trackers.ts";
import { ConfigFields } from "./config-fields.ts";
import { deriveHost } from "./derive-host.ts";
import { EjectionRecord, type EjectionSettings, endInterval } from "./ejection.ts";
import { endpointKey } from "./endpoint-key.ts";
import { GracefulSwitch } from "./graceful-switch.ts";
import type {
  Balancer,
  BalancerFactory,
  BalancerHost,
  BalancerUpdate,
  CallOutcome,
  CallTracker,
  HealthListener,
  HealthReport,
  Picker,
  PickInfo,
  PickResult,
} from "./index.ts";
import { createUnavailablePicker } from "./pickers.ts";
import type { ChoosePolicy, PolicyChoice } from "./policy-choice.ts";

interface OutlierDetectionConfig extends EjectionSettings {
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
 * Without either of the two kinds of ejection it does nothing.
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

function readEjection(fields: ConfigFields): Omit<OutlierDetectionConfig, "child"> {
  const successRate = fields.object("successRateEjection");
  const failurePercentage = fields.object("failurePercentageEjection");
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
  };
}

/** With an interval of zero an idle process would do nothing else. */
const minIntervalMs = 1;

class OutlierDetection implements Balancer {
  readonly #host: BalancerHost;
  readonly #random: () => number;
  readonly #child: GracefulSwitch;
  #config: OutlierDetectionConfig | undefined;
  #records = new Map<string, EjectionRecord>();
  #byAddress = new Map<string, EjectionRecord>();
  #childReport: { readonly state: ConnectivityState; readonly picker: Picker } | undefined;
  readonly #watches = new Set<EjectionWatch>();
  readonly #trackers = new WeakMap<Subchannel, OutcomeTracker>();
  #intervalStartMs: number | undefined;
  #cancelInterval: (() => void) | undefined;

  constructor(host: BalancerHost, random: () => number) {
    this.#host = host;
    this.#random = random;
    this.#child = new GracefulSwitch(
      deriveHost(host, {
        createSubchannel: (address, onState) => this.#createSubchannel(address, onState),
        updateState: (state, picker) => {
          this.#childReport = { state, picker };
          this.#report();
        },
        watchHealth: (subchannel, listener) => this.#watchHealth(subchannel, listener),
      }),
    );
  }

  update({ endpoints, config }: BalancerUpdate): boolean {
    if (config === undefined) {
      const describe = (): string => "outlier_detection has no config: it does not know the policy to look after";
      this.#host.updateState("transient_failure", createUnavailablePicker(this.#host.targetText, describe));
      return endpoints.length > 0;
    }
    const wasEnabled = this.#isEnabled;
    this.#config = config as OutlierDetectionConfig;
    this.#setEndpoints(endpoints);
    if (this.#isEnabled) this.#scheduleInterval();
    else this.#disable();
    for (const watch of [...this.#watches]) watch.refresh(this.#isEjected(watch.address));
    const isUsable = this.#child.update(this.#config.child, { endpoints });
    // The child need not have reported anything new.
    if (this.#isEnabled !== wasEnabled) this.#report();
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
    return this.#config?.successRate !== undefined || this.#config?.failurePercentage !== undefined;
  }

  #report(): void {
    if (this.#childReport === undefined) return;
    const { state, picker } = this.#childReport;
    const isCounting = state === "ready" && this.#isEnabled;
    this.#host.updateState(state, isCounting ? new CountingPicker(picker, this.#trackers) : picker);
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
    for (const watch of [...this.#watches]) watch.refresh(this.#isEjected(watch.address));
  }

  #disable(): void {
    this.#cancelInterval?.();
    this.#cancelInterval = undefined;
    this.#intervalStartMs = undefined;
    for (const record of this.#records.values()) {
      record.ejectedAtMs = undefined;
      record.multiplier = 0;
    }
  }

  #isEjected(address: string): boolean {
    return this.#byAddress.get(address)?.ejectedAtMs !== undefined;
  }

  #createSubchannel(address: Address, onState: SubchannelStateListener): Subchannel {
    const subchannel = this.#host.createSubchannel(address, onState);
    const key = addressKey(address);
    this.#trackers.set(subchannel, new OutcomeTracker(() => this.#byAddress.get(key)));
    return subchannel;
  }

  #watchHealth(subchannel: Subchannel, listener: HealthListener): () => void {
    const address = addressKey(subchannel.address);
    const watch = new EjectionWatch(address, this.#isEjected(address), listener);
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
  #isEjected: boolean;
  #report: HealthReport | undefined;

  constructor(address: string, isEjected: boolean, listener: HealthListener) {
    this.address = address;
    this.#isEjected = isEjected;
    this.#listener = listener;
  }

  onReport(report: HealthReport): void {
    this.#report = report;
    this.#tell();
  }

  refresh(isEjected: boolean): void {
    if (this.#isEjected === isEjected) return;
    this.#isEjected = isEjected;
    this.#tell();
  }

  #tell(): void {
    if (this.#isEjected) {
      this.#listener({ state: "transient_failure", reason: "ejected, because it failed more calls than the others" });
    } else if (this.#report !== undefined) {
      this.#listener(this.#report);
    }
  }
}

/** Counts the calls of one subchannel for the endpoint that its address belongs to at the time. */
class OutcomeTracker implements CallTracker {
  readonly #record: () => EjectionRecord | undefined;

  constructor(record: () => EjectionRecord | undefined) {
    this.#record = record;
  }

  onStart(): void {}

  onEnd(outcome: CallOutcome): void {
    const record = this.#record();
    if (record === undefined) return;
    if (outcome.code === undefined) record.succeeded += 1;
    else record.failed += 1;
  }
}

class CountingPicker implements Picker {
  readonly #picker: Picker;
  readonly #trackers: WeakMap<Subchannel, OutcomeTracker>;
  /** Made once for each result of the child, which gives the same ones again and again. */
  readonly #counted = new WeakMap<PickResult, PickResult>();

  constructor(picker: Picker, trackers: WeakMap<Subchannel, OutcomeTracker>) {
    this.#picker = picker;
    this.#trackers = trackers;
  }

  get dependsOnCall(): boolean {
    return this.#picker.dependsOnCall;
  }

  pick(info: PickInfo | undefined): PickResult {
    const result = this.#picker.pick(info);
    if (result.kind !== "complete") return result;
    const known = this.#counted.get(result);
    if (known !== undefined) return known;
    const tracker = composeTrackers(result.tracker, this.#trackers.get(result.subchannel));
    const counted: PickResult =
      tracker === undefined ? result : { kind: "complete", subchannel: result.subchannel, tracker };
    this.#counted.set(result, counted);
    return counted;
  }

  describe(): string {
    return this.#picker.describe();
  }
}
