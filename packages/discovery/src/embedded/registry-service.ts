import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { type Clock, type Log, systemClock } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions, safeLog } from "@tercel/grpc/internal";
import {
  type Instance,
  type RegisterRequest,
  Registry,
  type WatchResponse,
  WatchResponseSchema,
} from "../gen/tercel/discovery/v1/registry_pb.ts";
import type { ServiceInstance } from "../port/instance.ts";
import { readInstance, toMessage } from "./instance-messages.ts";
import { LeaseTable } from "./lease-table.ts";
import { PendingChanges } from "./pending-changes.ts";

export interface RegistryServiceOptions {
  /** The lease of instances that do not request one. Default 15,000: renewals come every 5 s, so a dead instance is removed after 10 to 15 s. */
  readonly leaseMs?: number;
  /** The maximum number of instances; further ones are rejected with ResourceExhausted. Default 100,000, of about 1 KB each. */
  readonly maxInstances?: number;
  /** Receives a warning for each expired lease. Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log;
  /** For tests. */
  readonly clock?: Clock;
}

/** A registry that one process hosts for its machine. It stores nothing on disk: after a restart, live instances register again. */
export interface RegistryService {
  /** The descriptor of tercel.discovery.v1.Registry. */
  readonly service: typeof Registry;
  /** Registers the service, as `createServer({ routes })` expects. It has no authentication: listen on this machine only. */
  readonly routes: (router: ConnectRouter) => void;
  /** The current number of instances. */
  readonly size: number;
  /** Ends all watches and timers. */
  close(): void;
}

const defaultLeaseMs = 15_000;
const minLeaseMs = 1000;
const maxLeaseMs = 3_600_000;
/** For ordinary instances of about 200 bytes. With all fields at their limits, fewer would fit into a message of 4 MiB. */
const maxInstancesInMessage = 500;
/** A watcher that receives nothing for three heartbeats reconnects. */
export const heartbeatMs = 10_000;

/**
 * Creates the service to host in one process of a machine; see `createEmbeddedRegistry` for its clients.
 *
 * @throws TypeError or RangeError that names the invalid option
 */
export function createRegistryService(options: RegistryServiceOptions = {}): RegistryService {
  const where = "createRegistryService";
  refuseUnknownOptions(where, options, ["leaseMs", "maxInstances", "log", "clock"]);
  checkWholeNumber(where, "leaseMs", options.leaseMs, minLeaseMs, maxLeaseMs);
  checkWholeNumber(where, "maxInstances", options.maxInstances, 1, 10_000_000);
  return new HostedRegistry(options);
}

class HostedRegistry implements RegistryService {
  readonly service = Registry;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #table: LeaseTable;
  /** Until then, instances that a previous process of the registry knew may not have noticed its restart. */
  readonly #settledMs: number;
  /** Instances do not change, so all watchers get the same message. */
  readonly #messages = new WeakMap<ServiceInstance, Instance>();
  #isClosed = false;

  constructor(options: RegistryServiceOptions) {
    const log = safeLog(options.log);
    this.#clock = options.clock ?? systemClock;
    this.#leaseMs = options.leaseMs ?? defaultLeaseMs;
    this.#settledMs = this.#clock.nowMs() + this.#leaseMs;
    this.#table = new LeaseTable({
      clock: this.#clock,
      maxInstances: options.maxInstances ?? 100_000,
      onExpired: ({ name, id }) => log.warn("removed an instance whose lease expired", { service: name, instance: id }),
    });
  }

  get size(): number {
    return this.#table.size;
  }

  readonly routes = (router: ConnectRouter): void => {
    router.service(Registry, {
      register: (request) => this.#register(request),
      renew: ({ id, leaseId }) => {
        this.#table.renew(id, leaseId);
        return {};
      },
      deregister: ({ id, leaseId }) => {
        this.#table.deregister(id, leaseId);
        return {};
      },
      getService: ({ name, pageToken }) => {
        const { instances, nextToken } = this.#table.page(name, pageToken, maxInstancesInMessage);
        return { instances: instances.map((one) => this.#toMessage(one)), nextPageToken: nextToken };
      },
      listServices: () => ({ names: this.#table.names }),
      watch: ({ name }, context) => this.#watch(name, context),
    });
  };

  close(): void {
    this.#isClosed = true;
    this.#table.close();
  }

  #toMessage(instance: ServiceInstance): Instance {
    const known = this.#messages.get(instance);
    if (known !== undefined) return known;
    const message = toMessage(instance);
    this.#messages.set(instance, message);
    return message;
  }

  #register(request: RegisterRequest) {
    const instance = readInstance(request.instance);
    const leaseMs = request.leaseMs === 0 ? this.#leaseMs : request.leaseMs;
    if (leaseMs < minLeaseMs || leaseMs > maxLeaseMs) {
      const rule = `it has to be from ${minLeaseMs} to ${maxLeaseMs}`;
      throw new ConnectError(`lease_ms is ${leaseMs}; ${rule}`, Code.InvalidArgument);
    }
    if (this.#isClosed) throw new ConnectError("the registry is closing", Code.Unavailable);
    return { leaseId: this.#table.register(instance, leaseMs, request.leaseId), leaseMs };
  }

  async *#watch(name: string, { signal }: Pick<HandlerContext, "signal">): AsyncGenerator<WatchResponse> {
    const pending = new PendingChanges();
    const wake = (): void => pending.wake();
    let cancelTimer: (() => void) | undefined;
    let isSettling = this.#clock.nowMs() < this.#settledMs;
    let isSnapshot = true;
    this.#table.watch(name, pending);
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted && !this.#isClosed) {
        const { put, removedIds, continues } = pending.take(maxInstancesInMessage);
        // A change that arrives right after the last batch starts a new change.
        yield create(WatchResponseSchema, {
          beginsSnapshot: isSnapshot,
          continues,
          put: put.map((one) => this.#toMessage(one)),
          removedIds: [...removedIds],
          isSettling,
        });
        isSnapshot = false;
        if (continues) continue;
        const untilSettledMs = this.#settledMs - this.#clock.nowMs();
        const waitMs = isSettling && untilSettledMs > 0 ? Math.min(untilSettledMs, heartbeatMs) : heartbeatMs;
        cancelTimer = this.#clock.after(waitMs, wake);
        if (!signal.aborted && !this.#isClosed) await pending.whenNotEmpty();
        cancelTimer();
        isSettling = isSettling && this.#clock.nowMs() < this.#settledMs;
      }
    } finally {
      cancelTimer?.();
      signal.removeEventListener("abort", wake);
      this.#table.unwatch(name, pending);
    }
    if (this.#isClosed) throw new ConnectError("the registry is closing", Code.Unavailable);
  }
}
