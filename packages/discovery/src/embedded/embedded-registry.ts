import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { type Channel, type Clock, createChannel } from "@tercel/grpc";
import { refuseUnknownOptions } from "@tercel/grpc/internal";
import { Registry as RegistryRpc } from "../gen/tercel/discovery/v1/registry_pb.ts";
import { type AdapterOptions, adapterOptionNames, readAdapterOptions } from "../port/adapter-options.ts";
import { backgroundCall } from "../port/background-call.ts";
import { follow } from "../port/follow.ts";
import { checkServiceName, createInstance, type ServiceInstance } from "../port/instance.ts";
import { type Lease, RegistrationKeeper } from "../port/keep-registered.ts";
import type { Registry } from "../port/registry.ts";
import { WatchHub } from "../port/watch-hub.ts";
import type { WatchSink } from "../port/watched-service.ts";
import { fromMessage, toMessage } from "./instance-messages.ts";
import { heartbeatMs } from "./registry-service.ts";

export interface EmbeddedRegistryOptions extends AdapterOptions {
  /** The channel target of the process that hosts the registry, for example `127.0.0.1:50050`. */
  readonly target?: string;
  /** A transport to the registry instead of a target, for example within one process. The caller closes it. */
  readonly transport?: Transport;
  /** How long an instance stays registered without a renewal. Default: chosen by the registry, which uses 15,000 by default. */
  readonly leaseMs?: number;
  /** The timeout of each call to the registry. Default 3,000, because the registry is on this machine. */
  readonly timeoutMs?: number;
}

/**
 * Creates a client of the registry that a process on this machine hosts with `createRegistryService`.
 *
 * @throws TypeError or RangeError that names the invalid option
 */
export function createEmbeddedRegistry(options: EmbeddedRegistryOptions): Registry {
  const where = "createEmbeddedRegistry";
  refuseUnknownOptions(where, options, [...adapterOptionNames, "target", "transport", "leaseMs", "timeoutMs"]);
  const settings = readAdapterOptions(where, options);
  const { clock, backoff } = settings;
  const { target, transport, leaseMs = 0, timeoutMs = 3000 } = options;
  if ((target === undefined) === (transport === undefined))
    throw new TypeError(`${where}: set either target or transport`);
  const channel: Channel | undefined = target === undefined ? undefined : createChannel(target, { clock });
  const client = createClient(RegistryRpc, (transport ?? channel) as Transport);
  const description = target === undefined ? "the embedded registry" : `the embedded registry at ${target}`;
  const kept = new RegistrationKeeper({ ...settings, description });

  function followService(name: string, sink: WatchSink): () => void {
    const once = async (signal: AbortSignal, onProgress: () => void): Promise<void> => {
      const watchdog = createWatchdog(clock, signal);
      try {
        await readWatch(client, name, sink, watchdog.signal, () => {
          watchdog.restart();
          onProgress();
        });
      } catch (error) {
        // The watchdog's reason explains more than the cancelled call.
        throw watchdog.signal.aborted ? watchdog.signal.reason : error;
      } finally {
        watchdog.stop();
      }
    };
    return follow(once, sink, { clock, backoff, description });
  }

  const hub = new WatchHub(clock, followService);
  return {
    description,
    canRegister: true,
    async register(registration) {
      return kept.register(createInstance(registration), createLease(client, leaseMs, timeoutMs));
    },
    deregister: (id) => kept.deregister(id),
    async getService(name) {
      checkServiceName("getService", name);
      const instances: ServiceInstance[] = [];
      let pageToken = "";
      do {
        const page = await client.getService({ name, pageToken }, { timeoutMs });
        instances.push(...page.instances.map(fromMessage));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return instances;
    },
    watch: (name, listener, watchOptions) => hub.watch(name, listener, watchOptions),
    async close() {
      hub.close();
      await kept.close();
      await channel?.close();
    },
  };
}

function createLease(client: Client<typeof RegistryRpc>, leaseMs: number, timeoutMs: number): Lease {
  let leaseId = "";
  return {
    async place(instance, signal) {
      const placed = await client.register({ instance: toMessage(instance), leaseMs, leaseId }, { signal, timeoutMs });
      leaseId = placed.leaseId;
      // Two renewals may be lost before the lease expires.
      return { renewAfterMs: placed.leaseMs / 3 };
    },
    async renew({ id }, signal) {
      try {
        await client.renew({ id, leaseId }, { signal, timeoutMs });
        return true;
      } catch (error) {
        if (ConnectError.from(error).code === Code.NotFound) return false;
        throw error;
      }
    },
    async remove({ id }) {
      await client.deregister({ id, leaseId }, { timeoutMs });
    },
  };
}

async function readWatch(
  client: Client<typeof RegistryRpc>,
  name: string,
  sink: WatchSink,
  signal: AbortSignal,
  onMessage: () => void,
): Promise<void> {
  /** The instances of an incomplete snapshot. */
  let parts: ServiceInstance[] | undefined;
  let wasSettling = false;
  for await (const message of client.watch({ name }, { signal, contextValues: backgroundCall() })) {
    onMessage();
    const { beginsSnapshot, continues, removedIds, isSettling } = message;
    const put = message.put.map(fromMessage);
    if (beginsSnapshot) parts = [];
    if (parts !== undefined) {
      parts.push(...put);
      if (!continues) {
        sink.replace(parts, { isSettling });
        parts = undefined;
      }
    } else if (put.length + removedIds.length > 0) sink.change(put, removedIds);
    else sink.confirm();
    if (wasSettling && !isSettling) sink.settled();
    wasSettling = isSettling;
  }
}

/** Creates a signal that also aborts after three heartbeats without a message: a half-open connection reports nothing. */
function createWatchdog(clock: Clock, parent: AbortSignal) {
  const controller = new AbortController();
  const abort = (): void => controller.abort(parent.reason);
  const expire = (): void => {
    controller.abort(new ConnectError(`no message for ${(3 * heartbeatMs) / 1000} s`, Code.Unavailable));
  };
  parent.addEventListener("abort", abort);
  let cancel = clock.after(3 * heartbeatMs, expire);
  return {
    signal: controller.signal,
    restart() {
      cancel();
      cancel = clock.after(3 * heartbeatMs, expire);
    },
    stop() {
      cancel();
      parent.removeEventListener("abort", abort);
    },
  };
}
