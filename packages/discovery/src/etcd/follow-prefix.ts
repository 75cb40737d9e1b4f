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

/** Keys in one response: some 100 KB of ordinary instances. */
const maxKeysInAnswer = 500;

/** All instances of a service, as of one revision. */
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
    const request = { key, rangeEnd, limit: BigInt(maxKeysInAnswer), revision };
    const answer = await client.kv.range(request, { timeoutMs, ...(signal !== undefined && { signal }) });
    // The pages that follow are read as of the first, or a change between them would be lost.
    if (revision === 0n) revision = answer.header?.revision ?? 0n;
    for (const kv of answer.kvs) instances.push(...readInstance(kv, prefix, name, log));
    const last = answer.kvs.at(-1);
    if (!answer.more || last === undefined) return { instances, revision };
    key = Uint8Array.of(...last.key, 0);
  }
}

/**
 * Follows a service: lists it, then watches from the revision after the list. After an interruption the watch continues where
 * it was, unless etcd has compacted that away or is not the same any more; then it lists again.
 */
export function createEtcdFollower(reader: EtcdReader, name: string, sink: WatchSink): FollowOnce {
  const { client, prefix, log } = reader;
  const key = new TextEncoder().encode(servicePrefix(prefix, name));
  const rangeEnd = endOfPrefix(servicePrefix(prefix, name));
  /** What is known is complete up to here; 0 before the first list. */
  let revision = 0n;
  let clusterId = 0n;

  return async (signal, onProgress) => {
    try {
      await followOnce(signal, onProgress);
    } catch (error) {
      // What a stream failed with cannot be seen before it is read, too late to repeat it; the next one gets a new token.
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
        // Compacted: a list of the present keys says all that the events would have said.
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

  /** A store with an older revision than ours, restored from a backup for instance, would keep silent until it has caught up. */
  function isAnotherStore({ header }: WatchResponse): boolean {
    if (header === undefined) return false;
    return header.revision < revision || (clusterId !== 0n && header.clusterId !== clusterId);
  }

  function apply(response: WatchResponse): void {
    // Of several events of one key the last counts: an instance that went and came back within one response is there.
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
    // The parts of one response have one revision; the watch may continue after it only when all have come.
    if (!response.fragment) revision = response.header?.revision ?? revision;
  }
}

function readInstance(kv: KeyValue, prefix: string, name: string, log: Log): ServiceInstance[] {
  const id = idInKey(prefix, name, kv.key);
  try {
    return [readRecord(name, id, kv.value)];
  } catch (error) {
    log.warn("an entry of the registry cannot be read and is left out", {
      service: name,
      instance: id,
      error: error instanceof Error ? error.message : String(error),
    });
    return [];
  }
}

/** The request, and then nothing until the signal: etcd ends a watch whose requests end. */
async function* openRequests<Message>(first: Message, signal: AbortSignal): AsyncGenerator<Message> {
  yield first;
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
