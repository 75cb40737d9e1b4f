import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** A message of proto-loader, with field names in camel case. */
export type Fields = Record<string, unknown>;

const loaded = loadSync("grpc/testing/test.proto", {
  includeDirs: [fileURLToPath(new URL("../../proto", import.meta.url))],
  defaults: true,
});
const { TestService, UnimplementedService } = (
  grpc.loadPackageDefinition(loaded) as unknown as {
    grpc: { testing: Record<"TestService" | "UnimplementedService", grpc.ServiceClientConstructor> };
  }
).grpc.testing;

export { TestService, UnimplementedService };

export function bodyBytes(message: Fields): number {
  const payload = message.payload as { body: Buffer } | null;
  return payload?.body.length ?? 0;
}

export function payload(bytes: number): Fields {
  return { body: Buffer.alloc(bytes) };
}
