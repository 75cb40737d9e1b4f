import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { type Channel, type ChannelOptions, createChannel } from "@tercel/grpc";
import { createLoadReporting, type LoadReporting } from "@tercel/grpc/services";
import { markingGzip } from "../compressed-mark.ts";
import { TestService, UnimplementedService } from "../gen/grpc/testing/test_pb.ts";

/** The server of a case. */
export interface InteropTarget {
  readonly host: string;
  readonly port: number;
  /** The name to verify, and the authority of calls. Default: the host. */
  readonly hostOverride: string | undefined;
  /** The trusted authority as PEM; undefined for cleartext. */
  readonly ca: string | undefined;
  readonly interceptors?: readonly Interceptor[];
}

export interface TestChannel {
  readonly channel: Channel;
  readonly client: Client<typeof TestService>;
  readonly unimplemented: Client<typeof UnimplementedService>;
  readonly load: Client<LoadReporting["service"]>;
}

/** Creates a channel to the target with clients of both services. Responses show whether they were compressed. */
export function openTestChannel(target: InteropTarget, options: ChannelOptions = {}): TestChannel {
  const { host, port, hostOverride, ca } = target;
  const channel = createChannel(`${host}:${port}`, {
    acceptCompressions: [markingGzip],
    interceptors: target.interceptors ?? [],
    ...(ca === undefined ? {} : { tls: { ca, ...(hostOverride === undefined ? {} : { servername: hostOverride }) } }),
    ...(hostOverride === undefined ? {} : { authority: hostOverride }),
    ...options,
  });
  return {
    channel,
    client: createClient(TestService, channel),
    unimplemented: createClient(UnimplementedService, channel),
    load: createClient(createLoadReporting().service, channel),
  };
}
