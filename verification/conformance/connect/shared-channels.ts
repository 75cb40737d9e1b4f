import type { Registry } from "@bufbuild/protobuf";
import { type Channel, createChannel, gzipCompression } from "@tercel/grpc";
import { type ClientCompatRequest, codecJson, compressionGzip } from "./messages.ts";

interface SharedChannel {
  readonly channel: Channel;
  calls: number;
}

/**
 * One channel for all calls that run at the same time and ask for the same server and settings, so that they share its
 * connection. It is closed with the last of them, because the port may be another server's afterwards.
 */
export class SharedChannels {
  private readonly registry: Registry;
  private readonly open = new Map<string, SharedChannel>();

  /** `registry`: the types that a google.protobuf.Any may hold. */
  constructor(registry: Registry) {
    this.registry = registry;
  }

  async use<T>(request: ClientCompatRequest, call: (channel: Channel) => Promise<T>): Promise<T> {
    const key = keyOf(request);
    let shared = this.open.get(key);
    if (shared === undefined) {
      shared = { channel: this.create(request), calls: 0 };
      this.open.set(key, shared);
    }
    shared.calls++;
    try {
      return await call(shared.channel);
    } finally {
      shared.calls--;
      if (shared.calls === 0) {
        this.open.delete(key);
        await shared.channel.close();
      }
    }
  }

  private create(request: ClientCompatRequest): Channel {
    const { host, port, clientTlsCreds, serverTlsCert, messageReceiveLimit } = request;
    const clientCertificate =
      clientTlsCreds === undefined
        ? {}
        : { cert: Buffer.from(clientTlsCreds.cert), key: Buffer.from(clientTlsCreds.key) };
    return createChannel(`${host}:${port}`, {
      format: request.codec === codecJson ? "json" : "proto",
      jsonOptions: { registry: this.registry },
      // Compression is what some of the cases are about, and their messages are small.
      compressMinBytes: 0,
      ...(request.compression === compressionGzip ? { sendCompression: gzipCompression } : {}),
      ...(messageReceiveLimit === 0 ? {} : { maxReceiveMessageBytes: messageReceiveLimit }),
      ...(serverTlsCert.length === 0 ? {} : { tls: { ca: Buffer.from(serverTlsCert), ...clientCertificate } }),
    });
  }
}

/** Everything that a channel is made of. */
function keyOf(request: ClientCompatRequest): string {
  const { host, port, codec, compression, messageReceiveLimit, serverTlsCert, clientTlsCreds } = request;
  const certificates = [serverTlsCert, clientTlsCreds?.cert ?? new Uint8Array(0)].map((pem) =>
    Buffer.from(pem).toString(),
  );
  return JSON.stringify([host, port, codec, compression, messageReceiveLimit, ...certificates]);
}
