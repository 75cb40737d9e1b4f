import { Code, ConnectError } from "@connectrpc/connect";
import { ProcessHold } from "../../call/process-hold.ts";
import { type Log, stderrLog } from "../../logging/log.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import type { Address, Connect } from "../../transport/client/client-connection.ts";
import type { BalancerFactory, Picker, PickInfo } from "../balancer/index.ts";
import { pickFirst } from "../balancer/pick-first.ts";
import { createQueuePicker } from "../balancer/pickers.ts";
import { ChannelHistory } from "../explain/channel-history.ts";
import type { ChannelExplanation } from "../explain/explanation.ts";
import { printChannel } from "../explain/print.ts";
import type { ParsedTarget } from "../naming/target.ts";
import { createDnsResolver } from "../resolver/dns.ts";
import type { ResolverFactory } from "../resolver/index.ts";
import { staticResolvers } from "../resolver/static.ts";
import { unixResolver } from "../resolver/unix.ts";
import { type Backoff, type BackoffOptions, createBackoff } from "../retry/backoff.ts";
import type { ServiceConfig } from "../service-config/service-config.ts";
import { ServiceConfigChoice } from "../service-config/service-config-choice.ts";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import type { Subchannel, SubchannelStateListener } from "../subchannel/index.ts";
import type { StartWatch } from "../subchannel/watch-stream.ts";
import { ConnectionSet } from "./connection-set.ts";
import { controlPlaneError } from "./control-plane-error.ts";
import { IdleTimer } from "./idle-timer.ts";
import { ResolvingBalancer } from "./resolving-balancer.ts";
import { type StateWatcher, StateWatchers } from "./state-watchers.ts";
import { SubchannelSource } from "./subchannel-source.ts";
import type { CallWaiter, CompletePick } from "./waiter-queue.ts";
import { WaitingCalls } from "./waiting-calls.ts";

export interface ChannelCoreOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /**
   * After this long without a call the channel gives up its connections and stops resolving; the next call brings both back.
   * Default 30 minutes as in grpc-go and grpc-js; 0 or Infinity switches it off.
   */
  readonly idleTimeoutMs?: number;
  /** Least time for an attempt to connect. Default 20,000 ms, as in gRPC's connection backoff protocol. */
  readonly connectTimeoutMs?: number;
  /** The pauses between attempts to connect, and to resolve. */
  readonly backoff?: BackoffOptions;
  /** Resolvers of further schemes, or instead of built-in ones. */
  readonly resolvers?: readonly ResolverFactory[];
  /** The policy where no service config names one. Default pick_first. */
  readonly balancer?: BalancerFactory;
  /** The policies that service configs may name. Default pick_first alone. */
  readonly balancers?: readonly BalancerFactory[];
  /** In force where the resolver does not return one. Default: an empty config. */
  readonly serviceConfig?: ServiceConfig;
  /** Notified of each service config that comes into force, before any call is given a connection by it. */
  readonly onServiceConfig?: (config: ServiceConfig) => void;
  /** Makes the calls that follow servers' health and load. Without it no one follows them. */
  readonly startWatch?: StartWatch;
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
}

export type { CallWaiter, CompletePick } from "./waiter-queue.ts";

const defaultIdleTimeoutMs = 30 * 60_000;
/** As a server's. */
const defaultCloseDeadlineMs = 30_000;

/**
 * Finds a connection for each call: target → resolver → balancer → picker → subchannel.
 *
 * It starts in idle mode, without connections or timers; the first call, or `connect`, leaves it. Only a waiting call keeps
 * the process alive.
 */
export class ChannelCore {
  readonly #target: ParsedTarget;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #resolver: ResolverFactory;
  readonly #balancer: BalancerFactory;
  readonly #serviceConfigs: ServiceConfigChoice;
  readonly #onServiceConfig: ((config: ServiceConfig) => void) | undefined;
  readonly #log: Log;
  /** What explanations are made of. */
  readonly history = new ChannelHistory();
  readonly #connections = new ConnectionSet();
  readonly #subchannels: SubchannelSource;
  readonly #idleTimer: IdleTimer;
  readonly #idlePicker: Picker;
  readonly #waiters: WaitingCalls;
  readonly #watchers = new StateWatchers();
  /** Undefined in idle mode and after close. */
  #active: ResolvingBalancer | undefined;
  /** The one that calls go by; undefined until the first name resolution has ended one way or the other. */
  #serviceConfig: ServiceConfig | undefined;
  /** The first resolution since idle mode has not ended yet. */
  #isNameAwaited = false;
  #state: ConnectivityState = "idle";
  #picker: Picker;
  #closed: Promise<void> | undefined;

  /** @throws TypeError when no resolver knows the target's scheme, RangeError when an option is out of range. */
  constructor(target: ParsedTarget, connect: Connect, options: ChannelCoreOptions = {}) {
    const resolvers = [...(options.resolvers ?? []), createDnsResolver(), ...staticResolvers, unixResolver];
    const resolver = resolvers.find(({ scheme }) => scheme === target.scheme);
    if (resolver === undefined) throw new TypeError(`no resolver for target "${target.text}"`);
    const idleTimeoutMs = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
    if (!(idleTimeoutMs >= 0)) throw new RangeError(`idleTimeoutMs has to be at least 0, not ${idleTimeoutMs}`);
    this.#target = target;
    this.#resolver = resolver;
    this.#balancer = options.balancer ?? pickFirst;
    this.#serviceConfigs = new ServiceConfigChoice(options.serviceConfig, options.balancers ?? [this.#balancer]);
    this.#onServiceConfig = options.onServiceConfig;
    this.#log = options.log ?? stderrLog;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = createBackoff(options.backoff);
    this.#subchannels = new SubchannelSource({
      connect: this.#connections.track(connect),
      clock: this.#clock,
      backoff: this.#backoff,
      connectTimeoutMs: options.connectTimeoutMs,
      startWatch: options.startWatch,
      serviceConfig: () => this.#serviceConfig,
      log: this.#log,
      onCapacity: () => this.#waiters.serve(),
    });
    this.#idleTimer = new IdleTimer(this.#clock, idleTimeoutMs, () => this.#enterIdle());
    this.#waiters = new WaitingCalls(this.#clock, () => this.#picker);
    this.#idlePicker = createQueuePicker(() => "idle");
    this.#picker = this.#idlePicker;
  }

  get clock(): Clock {
    return this.#clock;
  }

  get state(): ConnectivityState {
    return this.#state;
  }

  /** Whether calls know their service config; until then one that begins has to `enqueue`. */
  get isConfigured(): boolean {
    return this.#serviceConfig !== undefined;
  }

  /**
   * A subchannel whose connection can take a call now; undefined when the call has to `enqueue`. Called for every call, so it
   * allocates nothing. `info` is for policies that read the call.
   */
  tryPick(info?: PickInfo): CompletePick | undefined {
    const picker = this.#picker;
    // A new call must not overtake calls that wait for the same.
    if (this.#waiters.length > 0 && !picker.dependsOnCall) return undefined;
    const result = picker.pick(info);
    if (result.kind !== "complete") return undefined;
    return result.subchannel.connection?.canStartCall ? result : undefined;
  }

  /**
   * Lets a call wait until a connection has a place for it. The waiter may be called back before this returns. Without
   * `waitForReady` the call fails with Unavailable while the channel cannot connect. Code that ends the call otherwise (deadline,
   * cancellation) has to `remove` the waiter.
   */
  enqueue(waiter: CallWaiter): void {
    this.leaveIdle();
    const picker = this.#picker;
    const result = picker.pick(waiter.pickInfo);
    // Asked last, because a call that fails as the channel wakes up may close it.
    if (this.#closed !== undefined) {
      waiter.onFail(this.#createClosedError(), true);
      return;
    }
    if (result.kind === "drop" || (result.kind === "fail" && !waiter.waitForReady)) {
      waiter.onFail(controlPlaneError(result.createError()), result.kind === "drop");
      return;
    }
    this.#waiters.add(waiter);
    // The waiting calls have been tried with this picker, so a picker that queues changes nothing for them.
    if (result.kind === "complete" || picker !== this.#picker) this.#waiters.serve();
  }

  /** Takes a waiter out of the queue; does nothing when it is not in it. */
  remove(waiter: CallWaiter): void {
    this.#waiters.remove(waiter);
  }

  /** What a call that waits now is waiting for: for the error of one whose deadline passes while it waits. */
  describeWait(): string {
    return `waiting for a connection to "${this.#target.text}": ${this.#picker.describe()}`;
  }

  /** A call began, waiting included: no idle mode until as many have ended. */
  callStarted(nowMs = 0): void {
    this.history.started += 1;
    this.history.lastStartedAtMs = nowMs;
    this.#idleTimer.callStarted();
  }

  callEnded(error: ConnectError | undefined): void {
    if (error === undefined) this.history.succeeded += 1;
    else this.history.callFailed(error, this.#clock.nowMs());
    this.#idleTimer.callEnded();
  }

  /** Calls that have started and not ended. */
  get openCalls(): number {
    const { started, succeeded, failed } = this.history;
    return started - succeeded - failed;
  }

  get target(): ParsedTarget {
    return this.#target;
  }

  get policyName(): string | undefined {
    return this.#active?.policyName;
  }

  /** The channel as it is now. */
  explain(): ChannelExplanation {
    const { history } = this;
    const nowMs = this.#clock.nowMs();
    const { policyName } = this;
    history.subchannelChanged();
    const facts = {
      target: this.#target.text,
      state: this.#state,
      ...(policyName !== undefined && { policy: policyName }),
      resolver: history.resolver(this.#target.scheme, nowMs),
      endpoints: history.endpoints(),
      calls: {
        waiting: this.#waiters.length,
        open: this.openCalls,
        started: history.started,
        succeeded: history.succeeded,
        failed: history.failed,
      },
      lastErrors: history.lastErrors(nowMs),
    };
    return { ...facts, line: printChannel(facts) };
  }

  /** Leaves idle mode, and makes an idle balancer connect, without a call. */
  connect(): void {
    if (this.#active === undefined) this.leaveIdle();
    else this.#active.exitIdle();
  }

  /**
   * Calls `watcher` with each state that the channel enters from now on, each in a microtask of its own, in order: what a
   * watcher does, or throws, cannot disturb the channel. `state` may already be further on. Returns what ends the watch.
   */
  watchState(watcher: StateWatcher): () => void {
    return this.#watchers.add(watcher);
  }

  /**
   * Shuts the channel down for good. Waiting and later calls fail with Canceled, as in grpc-go. Open calls may end within
   * `deadlineMs` (default 30,000); those that are open then fail with Unavailable (0: at once, as in grpc-go). Resolves when the last connection
   * is closed. May be repeated, with a shorter deadline for instance.
   */
  close(deadlineMs = defaultCloseDeadlineMs): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = this.#connections.whenEmpty();
      // The caller waits for connections that keep nothing alive by themselves.
      const hold = new ProcessHold(this.#clock);
      hold.start();
      this.#closed.then(() => hold.stop());
      this.#shutDown();
    }
    const endCalls = (): void => {
      const text = `the channel to "${this.#target.text}" was closed while the call was open`;
      this.#connections.closeAll(deadlineMs === 0 ? text : `${text}, and the deadline of ${deadlineMs} ms has passed`);
    };
    if (deadlineMs === 0) endCalls();
    else this.#closed.then(this.#clock.after(deadlineMs, endCalls));
    return this.#closed;
  }

  #shutDown(): void {
    this.#idleTimer.stop();
    const active = this.#active;
    this.#active = undefined;
    this.#picker = createQueuePicker(() => "shut down");
    this.#enter("shutdown");
    active?.close();
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.onFail(this.#createClosedError(), true);
    }
  }

  /** Begins to resolve and to connect, if the channel does not yet. */
  leaveIdle(): void {
    if (this.#active !== undefined || this.#closed !== undefined) return;
    this.#picker = createQueuePicker(() => "resolving the name");
    this.#isNameAwaited = true;
    this.#enter("connecting");
    this.#idleTimer.start();
    this.history.activated(this.#clock.nowMs());
    const active = new ResolvingBalancer({
      target: this.#target,
      clock: this.#clock,
      backoff: this.#backoff,
      resolver: this.#resolver,
      balancer: this.#balancer,
      serviceConfigs: this.#serviceConfigs,
      log: this.#log,
      onServiceConfig: (config) => this.#useServiceConfig(config),
      onEndpoints: (endpoints) => {
        this.history.resolved(endpoints.length, this.#clock.nowMs());
        this.#resolutionEnded();
      },
      onResolverError: (error) => {
        this.history.resolutionFailed(error);
        this.#resolutionEnded();
      },
      createSubchannel: (address, onState) => this.#createSubchannel(address, onState),
      watchHealth: this.#subchannels.watchHealth,
      watchLoad: this.#subchannels.watchLoad,
      onState: (state, picker) => {
        this.#picker = picker;
        this.#enter(state);
        this.#waiters.serve();
      },
    });
    this.#active = active;
    active.start();
  }

  #enterIdle(): void {
    if (this.#waiters.length > 0) {
      // A waiting call is a call, whether or not it was counted.
      this.#idleTimer.start();
      return;
    }
    const active = this.#active;
    this.#active = undefined;
    this.#picker = this.#idlePicker;
    this.#enter("idle");
    active?.close();
  }

  /** One way or the other; later results find no one waiting for a name. */
  #resolutionEnded(): void {
    if (!this.#isNameAwaited) return;
    this.#isNameAwaited = false;
    this.#waiters.tellResolutionEnd();
  }

  #useServiceConfig(config: ServiceConfig): void {
    const before = this.#serviceConfig;
    if (config === before) return;
    this.#serviceConfig = config;
    this.#onServiceConfig?.(config);
    if (before !== undefined) return;
    // Later configs are for later calls; those that wait have begun before there was any.
    this.#waiters.tellServiceConfig();
  }

  #createSubchannel(address: Address, onState: SubchannelStateListener): Subchannel {
    const subchannel = this.#subchannels.create(address, (state) => {
      this.history.subchannelChanged();
      onState(state);
    });
    this.history.subchannelMade(subchannel);
    return subchannel;
  }

  #enter(state: ConnectivityState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.history.entered(state, this.#clock.nowMs());
    this.#watchers.notify(state);
  }

  #createClosedError(): ConnectError {
    return new ConnectError(`the channel to "${this.#target.text}" is closed`, Code.Canceled);
  }
}
