import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { type Channel, type ChannelOptions, createChannel } from "@tercel/grpc";
import type { Registry } from "../port/registry.ts";
import { createDiscoveryResolver } from "./discovery-resolver.ts";

export interface ServiceChannelsOptions {
  readonly registry: Registry;
  /** The options of every channel. Its `resolvers` come before the registry's. */
  readonly channel?: ChannelOptions;
}

/** The channels of a process to other services: one for each target, shared by all parts of the program. */
export interface ServiceChannels {
  /**
   * Returns the channel to a service, which is created at the first call. `query` selects instances, as in a target:
   * `version=v2`. Throws after `close`.
   */
  channel(service: string, query?: string): Channel;
  /** Returns a client that uses the channel to the service. */
  client<Service extends DescService>(descriptor: Service, service: string, query?: string): Client<Service>;
  /** Closes all channels. The caller closes the registry. */
  close(): Promise<void>;
}

/** Creates the channels of a process that finds other services in `registry`. */
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
