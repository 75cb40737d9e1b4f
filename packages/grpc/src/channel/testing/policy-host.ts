import assert from "node:assert/strict";
import type { ConnectError } from "@connectrpc/connect";
import { createFakeClock } from "../../time/fake-clock.ts";
import type { Address, ClientConnection } from "../../transport/client/client-connection.ts";
import type {
  BalancerFactory,
  BalancerHost,
  CallTracker,
  HealthListener,
  LoadReport,
  Picker,
  PickInfo,
  PickResult,
} from "../balancer/index.ts";
import type { Endpoint } from "../resolver/index.ts";
import { createBackoff } from "../retry/backoff.ts";
import type { Subchannel } from "../subchannel/index.ts";
import { createSubchannel } from "../subchannel/subchannel.ts";
import { type ScriptedAttempt, type ScriptedConnection, scriptConnect } from "./scripted-connect.ts";

export function addressOf(text: string): Address {
  if (text.startsWith("/")) return { path: text };
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

/** `a:1+b:2` is one endpoint with two addresses. */
export function endpointOf(text: string, attributes?: Record<string, unknown>): Endpoint {
  const addresses = text.split("+").map(addressOf);
  return attributes === undefined ? { addresses } : { addresses, attributes: new Map(Object.entries(attributes)) };
}

export function endpointsOf(...texts: string[]) {
  return { endpoints: texts.map((text) => endpointOf(text)) };
}

/** Numbers in a fixed order that look random (the minimal standard generator). */
export function seededRandom(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}

/** The health of subchannels as a test sets it, by address. */
export class ScriptedHealth {
  readonly #listeners = new Map<string, Set<HealthListener>>();
  readonly #reports = new Map<string, Parameters<HealthListener>[0]>();

  readonly watch = (subchannel: Subchannel, listener: HealthListener): (() => void) => {
    const key = keyOf(subchannel.address);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    listener(this.#reports.get(key) ?? { state: "connecting", reason: "its health is not known yet" });
    return () => listeners.delete(listener);
  };

  report(address: string, state: "connecting" | "ready" | "transient_failure", reason = ""): void {
    this.#reports.set(address, { state, reason });
    for (const listener of [...(this.#listeners.get(address) ?? [])]) listener({ state, reason });
  }

  watchers(address: string): number {
    return this.#listeners.get(address)?.size ?? 0;
  }
}

/** The load that servers report out of band as a test has it, by address. */
export class ScriptedLoad {
  readonly #watches = new Map<
    string,
    { readonly intervalMs: number; readonly listener: (report: LoadReport) => void }
  >();

  readonly watch: NonNullable<BalancerHost["watchLoad"]> = (subchannel, intervalMs, listener) => {
    const key = keyOf(subchannel.address);
    this.#watches.set(key, { intervalMs, listener });
    return () => this.#watches.delete(key);
  };

  report(address: string, report: Partial<LoadReport>): void {
    const nothing = { cpuUtilization: 0, applicationUtilization: 0, rpsFractional: 0, eps: 0 };
    this.#watches.get(address)?.listener({ ...nothing, ...report });
  }

  /** The interval that is asked for at each address. */
  watched(): Record<string, number> {
    return Object.fromEntries([...this.#watches].map(([address, { intervalMs }]) => [address, intervalMs]));
  }
}

function keyOf(address: Address): string {
  return "path" in address ? address.path : `${address.host}:${address.port}`;
}

/** One balancer of a policy, over a clock and connections that the test drives. */
export function setUpPolicy(
  factory: BalancerFactory,
  options: { readonly health?: ScriptedHealth; readonly load?: ScriptedLoad } = {},
) {
  const clock = createFakeClock();
  const { connect, attempts } = scriptConnect();
  const states: string[] = [];
  const made: Subchannel[] = [];
  let picker: Picker | undefined;
  const counts = { resolutions: 0, reports: 0 };
  const settings = { onRequestResolution: () => {} };
  const balancer = factory.create({
    targetText: "dns:///x",
    clock,
    createSubchannel: (address, onState) => {
      const subchannel = createSubchannel(
        address,
        { connect, clock, backoff: createBackoff({ random: () => 0.5 }) },
        onState,
      );
      made.push(subchannel);
      return subchannel;
    },
    updateState: (state, newPicker) => {
      counts.reports += 1;
      // A new picker for the same state is not a transition.
      if (states.at(-1) !== state) states.push(state);
      picker = newPicker;
    },
    requestResolution: () => {
      counts.resolutions += 1;
      settings.onRequestResolution();
    },
    ...(options.health !== undefined && { watchHealth: options.health.watch }),
    ...(options.load !== undefined && { watchLoad: options.load.watch }),
  });

  const currentPicker = (): Picker => picker ?? assert.fail("there is no picker yet");
  const pick = (info?: PickInfo): PickResult => currentPicker().pick(info);
  /** The attempt with this number, counted from 0, or the latest at this address. */
  const attempt = (which: number | string): ScriptedAttempt =>
    (typeof which === "number" ? attempts[which] : attempts.findLast(({ address }) => address === which)) ??
    assert.fail(`there was no attempt ${which}`);
  /** The addresses that were tried, in order. */
  const addresses = (): string => attempts.map((one) => one.address).join(" ");
  /** The address that a call would go to, or what would become of it instead. */
  const pickedAddress = (info?: PickInfo): string => {
    const result = pick(info);
    return result.kind === "complete" ? keyOf(result.subchannel.address) : result.kind;
  };
  const picked = (info?: PickInfo): ClientConnection | string | undefined => {
    const result = pick(info);
    return result.kind === "complete" ? result.subchannel.connection : result.kind;
  };
  const failure = (info?: PickInfo): ConnectError => {
    const result = pick(info);
    return result.kind === "fail" || result.kind === "drop" ? result.createError() : assert.fail(result.kind);
  };
  /** Picks as for a call that begins now: where it goes, and a tracker that notifies all trackers of it; undefined without any. */
  const startCall = (info?: PickInfo): { address: string; tracker: CallTracker | undefined } => {
    const result = pick(info);
    if (result.kind !== "complete") assert.fail(result.kind);
    const { subchannel, tracker } = result;
    tracker?.onStart();
    const isFollowed = tracker !== undefined || subchannel.onCallEnd !== undefined;
    const both: CallTracker = {
      onStart() {},
      onEnd(outcome) {
        tracker?.onEnd(outcome);
        subchannel.onCallEnd?.(outcome);
      },
    };
    return { address: keyOf(subchannel.address), tracker: isFollowed ? both : undefined };
  };
  /** Lets every attempt under way succeed that was not given up. */
  const connectAll = async (maxCalls = 100): Promise<Map<string, ScriptedConnection>> => {
    const connections = new Map<string, ScriptedConnection>();
    for (const one of [...attempts]) {
      if (!one.options.signal.aborted) connections.set(one.address, await one.succeed(maxCalls));
    }
    return connections;
  };
  const sequence = (length: number, info?: PickInfo): string =>
    Array.from({ length }, () => pickedAddress(info)).join(" ");
  return {
    addresses,
    attempt,
    balancer,
    clock,
    connectAll,
    counts,
    currentPicker,
    failure,
    made,
    pick,
    picked,
    pickedAddress,
    sequence,
    settings,
    startCall,
    states,
  };
}
