import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { it } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createServer } from "@tercel/grpc";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";

const definition = loadSync(join(import.meta.dirname, "proto/tercel/grpc/test/v1/echo.proto"), { defaults: true });
const loaded = grpc.loadPackageDefinition(definition) as unknown as {
  tercel: { grpc: { test: { v1: { EchoService: grpc.ServiceClientConstructor } } } };
};

/** The start of a TLS record of 512 bytes. */
const partOfRecord = Buffer.from("1603010200", "hex");

for (const [what, bytes] of [
  ["nothing", undefined],
  ["a part of a record", partOfRecord],
] as const) {
  it(`serves grpc-js over TLS while 1,000 sockets have sent ${what}, long before they time out`, {
    skip: withoutOpenssl,
  }, async () => {
    const certificate = createSelfSigned();
    const server = createServer({
      routes: echoRoutes({ unary: ({ text }) => ({ text }) }),
      tls: certificate,
      limits: { life: { handshakeTimeoutMs: 120_000 } },
      log: recordingLog().log,
    });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const silent = await Promise.all(Array.from({ length: 1000 }, () => open(port as number, bytes)));
    const client = new loaded.tercel.grpc.test.v1.EchoService(
      `127.0.0.1:${port}`,
      grpc.credentials.createSsl(certificate.cert),
      { "grpc.ssl_target_name_override": "localhost" },
    );
    try {
      const text = await new Promise<string>((resolve, reject) => {
        const options = { deadline: Date.now() + 30_000 };
        client.Unary?.(
          { text: "hi" },
          new grpc.Metadata(),
          options,
          (error: Error | null, response: { text: string }) => {
            if (error === null) resolve(response.text);
            else reject(error);
          },
        );
      });
      assert.equal(text, "hi");
    } finally {
      client.close();
      for (const socket of silent) socket.destroy();
      await server.close();
    }
  });
}

async function open(port: number, bytes: Uint8Array | undefined): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}
