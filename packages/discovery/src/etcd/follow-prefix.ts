import { Code, ConnectError } from "@connectrpc/connect";
import type { Log } from "@tercel/grpc";
import type { WatchResponse } from "../gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { Event_EventType, type KeyValue } from "../gen/etcd/api/mvccpb/kv_pb.ts";
import { backgroundCall } from "../port/background-call.ts";
import type { FollowOnce } from "../port/follow.ts";
import type { ServiceInstance } from "../port/instance.ts";
import type { WatchSink } from "../port/watched-service.ts";
import { type EtcdClient, requireLeader } from "./etcd-client.ts";
import { endOfPrefix, idInKey, readRecord, servicePrefix } from "./instance-record.ts";

export interface EtcdReader {
  readonly client: EtcdClient;
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly log: Log;
}

/** The maximum number of keys in one response: about 100 KB of ordinary instances. */
const maxKeysPerPage = 500;

/** Returns all instances of a service at one revision. */
export async function listInstances(
  { client, prefix, timeoutMs, log }: EtcdReader,
  name: string,
  signal?: AbortSignal,
): Promise<{ readonly instances: ServiceInstance[]; readonly revision: bigint }> {
  const instances: ServiceInstance[] = [];
  const rangeEnd = endOfPrefix(servicePrefix(prefix, name));
  let key = new TextEncoder().encode(servicePrefix(prefix, name));
  let revision = 0n;
  for (;;) {
    const request = { key, rangeEnd, limit: BigInt(maxKeysPerPage), revision };
    const response = await client.kv.range(request, { timeoutMs, ...(signal !== undefined && { signal }) });
    // All pages are read at the revision of the first, or a change between them would be lost.
    if (revision === 0n) revision = response.header?.revision ?? 0n;
    for (const kv of response.kvs) instances.push(...readInstance(kv, prefix, name, log));
    const last = response.kvs.at(-1);
    if (!response.more || last === undefined) return { instances, revision };
    key = Uint8Array.of(...last.key, 0);
  }
}

/**
 * Follows a service: lists its instances, then watches from the revision after the list. After an interruption the watch continues from
 * its last revision. If etcd has compacted that revision, or is another cluster, the follower lists again.
 */
export function createEtcdFollower(reader: EtcdReader, name: string, sink: WatchSink): FollowOnce {
  const { client, prefix, log } = reader;
  const key = new TextEncoder().encode(servicePrefix(prefix, name));
  const rangeEnd = endOfPrefix(servicePrefix(prefix, name));
  /** All changes up to this revision are known; 0 before the first list. */
  let revision = 0n;
  let clusterId = 0n;

  return async (signal, onProgress) => {
    try {
      await followOnce(signal, onProgress);
    } catch (error) {
      // The error of a stream appears only while it is read, too late for the interceptor to retry it. The next stream gets a new token.
      client.forgetToken();
      throw error;
    }
  };

  async function followOnce(signal: AbortSignal, onProgress: () => void): Promise<void> {
    if (revision === 0n) {
      const listed = await listInstances(reader, name, signal);
      revision = listed.revision;
      onProgress();
      sink.replace(listed.instances);
    }
    const create = { key, rangeEnd, startRevision: revision + 1n, progressNotify: true, fragment: true };
    const requests = openRequests({ requestUnion: { case: "createRequest" as const, value: create } }, signal);
    for await (const response of client.watch.watch(requests, {
      signal,
      headers: requireLeader,
      contextValues: backgroundCall(),
    })) {
      if (response.canceled) {
        revision = 0n;
        // Compacted: a list of the current keys replaces the missing events.
        if (response.compactRevision > 0n) return;
        client.forgetToken();
        throw new ConnectError(
          `the watch was cancelled: ${response.cancelReason || "no reason given"}`,
          Code.Unavailable,
        );
      }
      onProgress();
      if (response.created) {
        if (isAnotherStore(response)) {
          revision = 0n;
          return;
        }
        clusterId = response.header?.clusterId ?? clusterId;
        sink.change([], []);
        continue;
      }
      apply(response);
    }
    throw new ConnectError("the watch has ended", Code.Unavailable);
  }

  /** A store with an older revision than ours, for example one restored from a backup, would stay silent until it has caught up. */
  function isAnotherStore({ header }: WatchResponse): boolean {
    if (header === undefined) return false;
    return header.revision < revision || (clusterId !== 0n && header.clusterId !== clusterId);
  }

  function apply(response: WatchResponse): void {
    // The last event of a key decides: an instance that was removed and added within one response exists.
    const byId = new Map<string, ServiceInstance | undefined>();
    for (const { type, kv } of response.events) {
      if (kv === undefined) continue;
      const [instance] = type === Event_EventType.PUT ? readInstance(kv, prefix, name, log) : [];
      byId.set(idInKey(prefix, name, kv.key), instance);
    }
    const removedIds = [...byId].filter(([, instance]) => instance === undefined).map(([id]) => id);
    if (byId.size === 0) sink.confirm();
    else
      sink.change(
        [...byId.values()].filter((instance) => instance !== undefined),
        removedIds,
      );
    // All fragments of a response have the same revision. The watch may continue after it only when all have arrived.
    if (!response.fragment) revision = response.header?.revision ?? revision;
  }
}

function readInstance(kv: KeyValue, prefix: string, name: string, log: Log): ServiceInstance[] {
  const id = idInKey(prefix, name, kv.key);
  try {
    return [readRecord(name, id, kv.value)];
  } catch (error) {
    log.warn("skipped an invalid entry of the registry", {
      service: name,
      instance: id,
      error: error instanceof Error ? error.message : String(error),
    });
    return [];
  }
}

/** Yields the request, then waits for the signal: etcd ends a watch when its request stream ends. */
async function* openRequests<Message>(first: Message, signal: AbortSignal): AsyncGenerator<Message> {
  yield first;
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
