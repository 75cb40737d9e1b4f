// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested here
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigError, loadServiceConfig } from "../../src/config/index.ts";
import { createConfigFolder } from "./config-folder.ts";
import { postgresType } from "./database-provider.ts";

const printed = fileURLToPath(new URL("printed/", import.meta.url));
const providers = [postgresType];

function printedText(name: string): string {
  return readFileSync(new URL(`printed/${name}`, import.meta.url), "utf8");
}

test("the printed files are kept byte for byte", () => {
  for (const [name, digest] of [
    ["config.yaml", "dfcce7203bdb69ea69304860354dd2bef7e5b67beb4c414e238f667a5810fc1d"],
    ["config/user-service.yaml", "7ffe6fbfb3c6922dcb0ae0cc95dc6aa84b56c690dec29f4b17701c64a8c396ec"],
  ] as const) {
    assert.equal(createHash("sha256").update(printedText(name)).digest("hex"), digest, name);
  }
});

describe("the printed config.yaml", () => {
  const variables = { CONSUL_TOKEN: "token", DATABASE_URL: "postgres://me:pw@db/users" };
  const load = () => loadServiceConfig({ folder: printed, providers, variables });

  test("loads, and each key means what it says", async () => {
    const { value } = await load();
    assert.deepEqual([value.service.name, value.service.version], ["user-service", "1.0.0"]);
    const { defaultTimeoutMs, maxReceiveMessageBytes, maxSendMessageBytes, keepalive, compression, tls } =
      value.grpc ?? assert.fail();
    assert.deepEqual(
      { defaultTimeoutMs, maxReceiveMessageBytes, maxSendMessageBytes, keepalive, compression, tls },
      {
        defaultTimeoutMs: 30_000,
        maxReceiveMessageBytes: 4_194_304,
        maxSendMessageBytes: 4_194_304,
        keepalive: { timeMs: 30_000, timeoutMs: 5_000, permitWithoutCalls: true, minTimeMs: 9_000 },
        compression: { enabled: true, algorithm: "gzip", minBytes: 1_024 },
        tls: { enabled: false, clientAuth: "none" },
      },
    );
    assert.deepEqual(value.concerns.logging?.entries, [
      { name: "console", type: "console", config: { level: "info", format: "json" } },
    ]);
    assert.deepEqual(value.concerns.database, {
      default: "postgresql",
      entries: [
        { name: "postgresql", type: "postgres", config: { url: variables.DATABASE_URL, max_connections: 100 } },
      ],
    });
    assert.deepEqual(value.concerns.discovery?.entries[0]?.config, {
      address: "http://localhost:8500",
      token: "token",
      serviceName: "user-service",
      servicePort: 9090,
      check: { kind: "http", path: "/health", intervalMs: 10_000, timeoutMs: 3_000, deregisterAfterMs: 30_000 },
    });
  });

  test("serves gRPC and metrics on one port and HTTP on the other", async () => {
    assert.deepEqual((await load()).value.listeners, [
      { host: "127.0.0.1", port: 9090, key: "communication.providers.grpc.port", serves: ["grpc", "metrics"] },
      { host: "127.0.0.1", port: 8080, key: "service.port", serves: ["http"] },
    ]);
  });

  test("sends traces by OTLP to Jaeger's host, with a warning", async () => {
    const { value, warnings } = await load();
    const jaeger = value.concerns.monitoring?.entries.find(({ name }) => name === "jaeger");
    assert.deepEqual(
      [jaeger?.type, (jaeger?.config as { url: string } | undefined)?.url],
      ["otlp", "http://localhost:4318/v1/traces"],
    );
    assert.deepEqual(warnings, [
      "config.yaml:25:17: monitoring.providers.jaeger.endpoint is an endpoint of Jaeger's own protocol; traces are sent by OTLP to http://localhost:4318/v1/traces",
    ]);
  });

  test("says where each value comes from, and hides the secrets", async () => {
    const { entries } = await load();
    const shown = new Map(entries.map(({ path, value, origin }) => [path, `${value} <- ${origin}`]));
    assert.equal(shown.get("service.port"), "8080 <- config.yaml:5:9");
    assert.equal(shown.get("service.drain"), "30s <- default");
    assert.equal(shown.get("discovery.providers.consul.token"), "••• <- config.yaml:55:14 (variable CONSUL_TOKEN)");
    assert.equal(
      shown.get("database.providers.postgresql.url"),
      "postgres://me:•••@db/users <- config.yaml:69:12 (variable DATABASE_URL)",
    );
    assert.doesNotMatch(entries.map(({ value }) => value).join(), /pw|^token$/);
  });

  test("names file, line, column and variable for each placeholder that is not set", async () => {
    await assert.rejects(loadServiceConfig({ folder: printed, providers, variables: {} }), (error: unknown) => {
      assert.equal(error instanceof ConfigError, true);
      assert.equal(
        (error as ConfigError).message,
        [
          "the configuration has 2 problems:",
          "config.yaml:55:14: CONSUL_TOKEN is not set (discovery.providers.consul.token); set it or CONSUL_TOKEN_FILE, or write ${CONSUL_TOKEN:-…}",
          "config.yaml:69:12: DATABASE_URL is not set (database.providers.postgresql.url); set it or DATABASE_URL_FILE, or write ${DATABASE_URL:-…}",
        ].join("\n"),
      );
      return true;
    });
  });

  test("needs TLS, or a word that cleartext is meant, in the production profile", async () => {
    const production = { ...variables, NODE_ENV: "production" };
    await assert.rejects(
      loadServiceConfig({ folder: printed, providers, variables: production }),
      /^ConfigError: config\.yaml:2:1: service\.insecure is missing; TLS is required in the production profile; set communication\.providers\.grpc\.tls, or service\.insecure: true/,
    );
    const { value } = await loadServiceConfig({
      folder: printed,
      providers,
      variables: production,
      set: ["service.insecure=true"],
    });
    assert.equal(value.listeners[0]?.host, "0.0.0.0");
  });
});

describe("the printed config/user-service.yaml", () => {
  const variables = { SERVICE_AUTH_KEY: "a shared key" };

  test("loads where its certificates are, and its short forms mean what the long ones do", async (t) => {
    const text = printedText("config/user-service.yaml");
    const folder = createConfigFolder(t, { "service.crt": "", "service.key": "" });
    // The printed paths are those of a container: only the overlay points elsewhere.
    const set = [`security.cert_file=${folder}/service.crt`, `security.key_file=${folder}/service.key`];
    const { value, warnings } = await loadServiceConfig({
      folder: printed,
      file: "config/user-service.yaml",
      variables,
      set,
    });
    assert.match(text, /cert_file: \/etc\/certs\/service\.crt/);
    assert.deepEqual(value.concerns.discovery, {
      default: "consul",
      entries: [
        {
          name: "consul",
          type: "consul",
          config: {
            address: "http://localhost:8500",
            check: { kind: "grpc", intervalMs: 10_000, timeoutMs: 5_000, deregisterAfterMs: 30_000 },
          },
        },
      ],
    });
    assert.deepEqual(
      value.dependencies.map(({ name, version, isRequired }) => [name, version, isRequired]),
      [
        ["order-service", "v1", true],
        ["payment-service", "v1", false],
      ],
    );
    assert.equal(value.security.serviceAuthKey, "a shared key");
    assert.equal(value.grpc?.tls.enabled, true);
    assert.deepEqual(value.listeners, [
      { host: "127.0.0.1", port: 50_051, key: "service.port", serves: ["grpc"] },
      { port: 9090, key: "monitoring.providers.prometheus.endpoint", serves: ["metrics"] },
    ]);
    const tracing = value.concerns.monitoring?.entries.find(({ type }) => type === "otlp")?.config;
    assert.deepEqual(tracing, { url: "http://jaeger:4318/v1/traces", sampleRate: 0.1, headers: {} });
    assert.deepEqual(warnings, [
      "config/user-service.yaml:29:20: tracing.jaeger_endpoint is an endpoint of Jaeger's own protocol; traces are sent by OTLP to http://jaeger:4318/v1/traces",
    ]);
  });

  test("names the files of certificates that are missing, as the keys were written", async () => {
    await assert.rejects(
      loadServiceConfig({ folder: printed, file: "config/user-service.yaml", variables }),
      /config\/user-service\.yaml:24:14: security\.cert_file is "\/etc\/certs\/service\.crt"; no such file\n/,
    );
  });
});
