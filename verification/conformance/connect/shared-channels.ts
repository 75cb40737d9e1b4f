import type { Registry } from "@bufbuild/protobuf";
import { type Channel, createChannel, gzipCompression } from "@tercel/grpc";
import { type ClientCompatRequest, codecJson, compressionGzip } from "./messages.ts";

interface SharedChannel {
  readonly channel: Channel;
  calls: number;
}

/**
 * One channel for all simultaneous calls with the same server and settings, so that they share its
 * connection. It is closed after the last of them, because another server may use the port afterwards.
 */
export class SharedChannels {
  private readonly registry: Registry;
  private readonly open = new Map<string, SharedChannel>();

  /** @param registry The types that a google.protobuf.Any may contain */
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
      // Some cases test compression with small messages.
      compressMinBytes: 0,
      ...(request.compression === compressionGzip ? { sendCompression: gzipCompression } : {}),
      ...(messageReceiveLimit === 0 ? {} : { maxReceiveMessageBytes: messageReceiveLimit }),
      ...(serverTlsCert.length === 0 ? {} : { tls: { ca: Buffer.from(serverTlsCert), ...clientCertificate } }),
    });
  }
}

/** The key of a channel: its server and settings. */
function keyOf(request: ClientCompatRequest): string {
  const { host, port, codec, compression, messageReceiveLimit, serverTlsCert, clientTlsCreds } = request;
  const certificates = [serverTlsCert, clientTlsCreds?.cert ?? new Uint8Array(0)].map((pem) =>
    Buffer.from(pem).toString(),
  );
  return JSON.stringify([host, port, codec, compression, messageReceiveLimit, ...certificates]);
}
