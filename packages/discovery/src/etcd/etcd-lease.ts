import { Code, ConnectError } from "@connectrpc/connect";
import type { ServiceInstance } from "../port/instance.ts";
import type { Lease } from "../port/keep-registered.ts";
import { type EtcdClient, requireLeader } from "./etcd-client.ts";
import { instanceKey, writeRecord } from "./instance-record.ts";

export interface EtcdLeaseOptions {
  readonly client: EtcdClient;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly timeoutMs: number;
}

/** Attaches an instance's key to its own lease: if this process dies, etcd removes the key. */
export function createEtcdLease({ client, prefix, leaseMs, timeoutMs }: EtcdLeaseOptions): Lease {
  let leaseId: bigint | undefined;
  let grantedMs = leaseMs;

  async function put(instance: ServiceInstance, signal: AbortSignal): Promise<void> {
    if (leaseId === undefined) {
      const granted = await client.lease.leaseGrant({ TTL: BigInt(Math.ceil(leaseMs / 1000)) }, { signal, timeoutMs });
      leaseId = granted.ID;
      grantedMs = Number(granted.TTL) * 1000;
    }
    const request = { key: instanceKey(prefix, instance), value: writeRecord(instance), lease: leaseId };
    await client.kv.put(request, { signal, timeoutMs });
  }

  return {
    async place(instance, signal) {
      try {
        await put(instance, signal);
      } catch (error) {
        if (leaseId === undefined || ConnectError.from(error).code !== Code.NotFound) throw error;
        // The lease has expired in the meantime.
        leaseId = undefined;
        await put(instance, signal);
      }
      return { renewAfterMs: grantedMs / 3 };
    },

    async renew(instance, signal) {
      if (leaseId === undefined) return false;
      try {
        for await (const { TTL } of client.lease.leaseKeepAlive(one({ ID: leaseId }), {
          signal,
          timeoutMs,
          headers: requireLeader,
        })) {
          if (TTL > 0n) break;
          leaseId = undefined;
          return false;
        }
      } catch (error) {
        // The stream cannot be retried with another token, but the next attempt can get one.
        client.forgetToken();
        throw error;
      }
      // The lease exists without the key if another client has deleted the key.
      const { kvs } = await client.kv.range({ key: instanceKey(prefix, instance) }, { signal, timeoutMs });
      return kvs.length > 0;
    },

    async remove() {
      if (leaseId === undefined) return;
      const ID = leaseId;
      leaseId = undefined;
      try {
        await client.lease.leaseRevoke({ ID }, { timeoutMs });
      } catch (error) {
        if (ConnectError.from(error).code !== Code.NotFound) throw error;
      }
    },
  };
}

async function* one<Message>(message: Message): AsyncGenerator<Message> {
  yield message;
}
