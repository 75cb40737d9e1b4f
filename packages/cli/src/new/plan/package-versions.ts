/** Version ranges of third-party packages that projects use. A test compares them with those of this repository. */
export const packageVersions = {
  "@bufbuild/buf": "^1.75.0",
  "@bufbuild/protobuf": "^2.17.0",
  "@bufbuild/protovalidate": "^1.3.0",
  "@connectrpc/connect": "^2.3.0",
  "@nats-io/jetstream": "^3.4.0",
  "@nats-io/transport-node": "^3.4.0",
  "@opentelemetry/exporter-trace-otlp-proto": "^0.223.1",
  "@opentelemetry/resources": "^2.12.0",
  "@opentelemetry/sdk-trace-node": "^2.12.0",
  "@types/node": "^24.19.2",
  esbuild: "^0.28.2",
  ioredis: "^6.0.0",
  pg: "^8.23.1",
  typescript: "^7.0.2",
} as const;

/** Returns the version range of a package. @throws TypeError for an unknown package */
export function versionOf(name: string): string {
  const range = (packageVersions as Readonly<Record<string, string>>)[name];
  if (range === undefined) throw new TypeError(`no version range for package ${name}`);
  return range;
}
