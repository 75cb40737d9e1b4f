import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { type Channel, type ChannelOptions, createChannel } from "@tercel/grpc";
import type { Registry } from "../port/registry.ts";
import { createDiscoveryResolver } from "./discovery-resolver.ts";

export interface ServiceChannelsOptions {
  readonly registry: Registry;
  /** For every channel. `resolvers` are tried before the registry's. */
  readonly channel?: ChannelOptions;
}

/** The channels of a process to the services it calls: one for each, however many parts of the program use it. */
export interface ServiceChannels {
  /**
   * The channel to a service, made when it is first used, and kept. `query` chooses among the instances, as in a target:
   * `version=v2`. Throws after `close`.
   */
  channel(service: string, query?: string): Channel;
  /** A client over that channel. */
  client<Service extends DescService>(descriptor: Service, service: string, query?: string): Client<Service>;
  /** Closes all channels; the registry stays the caller's. */
  close(): Promise<void>;
}

export function createServiceChannels({ registry, channel: options = {} }: ServiceChannelsOptions): ServiceChannels {
  const byTarget = new Map<string, Channel>();
  const resolvers = [...(options.resolvers ?? []), createDiscoveryResolver(registry)];
  let isClosed = false;

  function channel(service: string, query = ""): Channel {
    if (isClosed) throw new Error("the channels are closed");
    const target = `discovery:///${encodeURIComponent(service)}${query === "" ? "" : `?${query}`}`;
    const known = byTarget.get(target);
    if (known !== undefined) return known;
    const made = createChannel(target, { ...options, resolvers });
    byTarget.set(target, made);
    return made;
  }

  return {
    channel,
    client: (descriptor, service, query) => createClient(descriptor, channel(service, query)),
    async close() {
      isClosed = true;
      await Promise.all([...byTarget.values()].map((one) => one.close()));
      byTarget.clear();
    },
  };
}
