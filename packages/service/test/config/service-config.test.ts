import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { array, optional, strictObject } from "valibot";
import {
  ConfigError,
  choice,
  duration,
  flag,
  loadConfig,
  loadServiceConfig,
  port,
  type ServiceConfigOptions,
  type StandardSchemaV1,
  text,
} from "../../src/config/index.ts";
import { createConfigFolder } from "./config-folder.ts";
import { postgresType } from "./database-provider.ts";

async function load<App = undefined>(t: TestContext, yaml: string, options: ServiceConfigOptions<App> = {}) {
  const folder = createConfigFolder(t, { "config.yaml": yaml, crt: "", key: "", ca: "" });
  return loadServiceConfig<App>({ folder, variables: {}, providers: [postgresType], ...options });
}

async function refusal(t: TestContext, yaml: string, options: ServiceConfigOptions<unknown> = {}): Promise<string> {
  try {
    await load(t, yaml, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return assert.fail("was taken");
}

describe("the configuration of a service", () => {
  test("needs no file: it is open in development and closed to none but itself", async (t) => {
    const { value } = await loadServiceConfig({ folder: createConfigFolder(t, {}), variables: {} });
    assert.deepEqual(value.listeners, [{ host: "127.0.0.1", port: 50_051, key: "service.port", serves: ["grpc"] }]);
    assert.deepEqual([value.grpc?.reflection, value.grpc?.debugInfo], [true, true]);
    assert.deepEqual(
      [value.service.startWaitMs, value.service.propagationMs, value.service.drainMs],
      [5_000, 0, 30_000],
    );
    assert.deepEqual(value.concerns.logging?.default, "console");
  });

  test("has other defaults in the production profile", async (t) => {
    const yaml = "service: {insecure: true}\nmonitoring: {providers: {prometheus: , otlp: }}\n";
    const { value, entries } = await load(t, yaml, { variables: { TERCEL_ENV: "staging" } });
    assert.deepEqual(value.listeners, [
      { host: "0.0.0.0", port: 50_051, key: "service.port", serves: ["grpc"] },
      { port: 9464, key: "monitoring.providers.prometheus.endpoint", serves: ["metrics"] },
    ]);
    assert.deepEqual([value.grpc?.reflection, value.grpc?.debugInfo], [false, false]);
    assert.deepEqual([value.service.startWaitMs, value.service.propagationMs], [60_000, 5_000]);
    const rate = entries.find(({ path }) => path === "monitoring.providers.otlp.sample_rate");
    assert.deepEqual([rate?.value, rate?.origin, rate?.isLive], [0.1, "default", true]);
  });

  test("needs no TLS in production on loopback, with TLS, or where gRPC is off", async (t) => {
    const production = { variables: { NODE_ENV: "production" } };
    for (const yaml of [
      "service: {host: 127.0.0.1}\n",
      "communication: {providers: {grpc: {tls: {cert_file: crt, key_file: key}}}}\n",
      "communication: {providers: {grpc: {enabled: false}}}\n",
    ]) {
      await load(t, yaml, production);
    }
    assert.match(
      await refusal(t, "service: {name: a}\n", production),
      /service\.insecure is missing; TLS is required in the production profile/,
    );
  });

  test("takes an entry by the type's name, by an alias, and by a type of its own", async (t) => {
    const yaml =
      "database:\n  default: main\n  providers:\n    postgresql: {url: a}\n    main: {type: postgres, url: b}\n";
    const { value } = await load(t, yaml);
    assert.equal(value.concerns.database?.default, "main");
    assert.deepEqual(
      value.concerns.database?.entries.map(({ name, type }) => [name, type]),
      [
        ["postgresql", "postgres"],
        ["main", "postgres"],
      ],
    );
  });

  test("has no default where several entries are enabled and none is named", async (t) => {
    const yaml = "database: {providers: {postgres: {url: a}, postgresql: {url: b}}}\n";
    assert.equal((await load(t, yaml)).value.concerns.database?.default, undefined);
  });

  test("leaves out an entry that is not enabled, whatever it lacks, but not its misspelt keys", async (t) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of the configuration
    const yaml = 'database: {providers: {postgres: {enabled: false, url: "${UNSET}"}}}\n';
    assert.deepEqual((await load(t, yaml)).value.concerns.database, { entries: [] });
    assert.match(
      await refusal(t, "database: {providers: {postgres: {enabled: false, ulr: x}}}\n"),
      /unknown key database\.providers\.postgres\.ulr/,
    );
  });

  test("takes an entry's type from a variable that adds it", async (t) => {
    const variables = {
      TERCEL__DATABASE__PROVIDERS__POSTGRES__URL: "x",
      TERCEL__DATABASE__PROVIDERS__POSTGRES__MAX_CONNECTIONS: "5",
    };
    const { value } = await load(t, "", { variables });
    assert.deepEqual(value.concerns.database?.entries[0]?.config, { url: "x", max_connections: 5 });
  });

  test("knows the concerns of the application's own providers, and its own type in place of a built-in one", async (t) => {
    const queue = { concern: "queue", type: "rabbit", config: strictObject({ url: text() }) };
    const consul = { concern: "discovery", type: "consul", config: strictObject({ mine: text() }) };
    const yaml = "queue: {providers: {rabbit: {url: a}}}\ndiscovery: {providers: {consul: {mine: b}}}\n";
    const { value } = await load(t, yaml, { providers: [queue, consul] });
    assert.deepEqual(value.concerns.queue?.entries[0]?.config, { url: "a" });
    assert.deepEqual(value.concerns.discovery?.entries[0]?.config, { mine: "b" });
  });

  test("merges dependencies by name, and gives each its client's policy", async (t) => {
    const folder = createConfigFolder(t, {
      "config.yaml":
        "dependencies:\n  - {name: orders, version: v1, retry: {max_attempts: 4}, circuit_breaker: {half_open_calls: 5}, compression: {min_size: 2KiB}}\n  - name: payments\n",
      "config/development.yaml":
        "dependencies:\n  - {name: payments, required: false, timeout: 1s, load_balancing: pick_first}\n",
    });
    const { value } = await loadServiceConfig({
      folder,
      variables: { TERCEL__DEPENDENCIES__ORDERS__POOL__MAX_CONNECTIONS: "2" },
    });
    const [orders, payments] = value.dependencies;
    assert.deepEqual(
      [
        orders?.name,
        orders?.version,
        orders?.isRequired,
        orders?.timeoutMs,
        orders?.retry?.maxAttempts,
        orders?.circuitBreaker?.halfOpenCalls,
        orders?.compression?.minBytes,
        orders?.pool.maxConnections,
      ],
      ["orders", "v1", true, 5_000, 4, 5, 2_048, 2],
    );
    assert.deepEqual(
      [payments?.isRequired, payments?.timeoutMs, payments?.loadBalancing],
      [false, 1_000, "pick_first"],
    );
  });

  test("takes the server limits of large services", async (t) => {
    const yaml = `communication:
  providers:
    grpc:
      max_concurrent_streams: 1000
      max_recv_msg_size: 10MiB
      max_send_msg_size: 10485760
      max_connection_idle: 15s
      max_connection_age: 30s
      max_connection_age_grace: 5s
      initial_window_size: 65536
      initial_conn_window_size: 65536
      keepalive: {time: 5s, timeout: 1s, min_time: 5s, permit_without_stream: true}
`;
    const { grpc } = (await load(t, yaml)).value;
    assert.deepEqual(
      [grpc?.maxConcurrentStreams, grpc?.maxReceiveMessageBytes, grpc?.maxSendMessageBytes],
      [1_000, 10_485_760, 10_485_760],
    );
    assert.deepEqual(
      [grpc?.maxConnectionIdleMs, grpc?.maxConnectionAgeMs, grpc?.maxConnectionAgeGraceMs],
      [15_000, 30_000, 5_000],
    );
    assert.deepEqual([grpc?.streamWindowBytes, grpc?.connectionWindowBytes], [65_536, 65_536]);
    assert.deepEqual(grpc?.keepalive, { timeMs: 5_000, timeoutMs: 1_000, permitWithoutCalls: true, minTimeMs: 5_000 });
  });

  test("limits rates where that is asked for and not switched off", async (t) => {
    assert.equal((await load(t, "")).value.rateLimit, undefined);
    assert.deepEqual((await load(t, "rate_limit:\n  calls: 5\n")).value.rateLimit, {
      enabled: true,
      calls: 5,
      windowMs: 60_000,
    });
    assert.equal((await load(t, "rate_limit: {enabled: false}\n")).value.rateLimit?.enabled, false);
  });

  test("sheds load by default, and not where that is switched off", async (t) => {
    const by = async (yaml: string) => (await load(t, yaml)).value.loadShedding;
    assert.deepEqual(await by(""), {
      enabled: true,
      minLimit: 5,
      maxQueued: 1000,
      maxWaitMs: 1000,
      maxLoopDelayMs: 100,
      retryAfterMs: 1000,
      methods: {},
    });
    assert.equal((await by("load_shedding: {enabled: false}\n")).enabled, false);
    const methods = "load_shedding: {overloaded_wait: 50ms, methods: {shop.v1.OrderService/Pay: critical}}\n";
    assert.deepEqual((await by(methods)).methods, { "shop.v1.OrderService/Pay": "critical" });
    assert.equal((await by(methods)).overloadedWaitMs, 50);
  });

  test("keeps idempotency keys where that is asked for", async (t) => {
    const by = async (yaml: string) => (await load(t, yaml)).value.idempotency;
    assert.equal(await by(""), undefined);
    const defaults = { enabled: true, required: false, ttlMs: 86_400_000, leaseMs: 30_000, maxWaitMs: 30_000 };
    assert.deepEqual(await by("idempotency: {}\n"), defaults);
    assert.deepEqual(await by("idempotency: {ttl: 1h, required: true}\n"), {
      ...defaults,
      ttlMs: 3_600_000,
      required: true,
    });
  });

  test("serves REST, Connect and gRPC-Web where there is a port of HTTP and gRPC has no TLS, or where they are named", async (t) => {
    const grpc = "communication: {providers: {grpc: {port: 9090}";
    const gatewayOf = async (yaml: string) => (await load(t, yaml)).value.gateway;
    assert.equal(await gatewayOf("service: {port: 8080}\n"), undefined);
    assert.equal(await gatewayOf(`${grpc}}}\n`), undefined);
    assert.deepEqual((await gatewayOf(`service: {port: 8080}\n${grpc}}}\n`))?.protocols, [
      "rest",
      "connect",
      "grpc-web",
    ]);
    assert.equal(await gatewayOf(`service: {port: 8080}\n${grpc}, http: {enabled: false}}}\n`), undefined);
    assert.deepEqual((await gatewayOf(`${grpc}, http: {protocols: [rest]}}}\n`))?.protocols, ["rest"]);
    assert.match(
      await refusal(t, `${grpc}, http: {host: 0.0.0.0}}}\n`),
      /http\.host is "0\.0\.0\.0"; gRPC's port is bound to another host; set communication\.providers\.http\.port/,
    );
    await load(t, `${grpc}, http: {host: 0.0.0.0, port: 8080}}}\n`);
  });

  test("checks what keys mean together", async (t) => {
    const jwt = (rest: string) => `security: {jwt: {issuer: a${rest}}}\n`;
    assert.match(
      await refusal(t, jwt("")),
      /security\.jwt\.jwks_url is missing; set it or security\.jwt\.secret, not both/,
    );
    assert.match(await refusal(t, jwt(`, jwks_url: https://a, secret: ${"x".repeat(32)}`)), /not both/);
    await load(t, jwt(", jwks_url: https://a"));
    await load(t, jwt(`, secret: ${"x".repeat(32)}`));
    assert.match(
      await refusal(t, jwt(", secret: short")),
      /security\.jwt\.secret is •••; expected a secret of 32 characters or more/,
    );
    const tls = (rest: string) => `communication: {providers: {grpc: {tls: {cert_file: crt, key_file: key${rest}}}}}\n`;
    assert.match(
      await refusal(t, tls(", client_auth: required")),
      /tls\.ca_file is missing; expected the path of a file, because client_auth is required/,
    );
    await load(t, tls(", client_auth: required, ca_file: ca"));
    assert.match(
      await refusal(t, "security: {service_keys_file: none}\n"),
      /service_keys_file is "none"; no such file/,
    );
    assert.match(
      await refusal(t, "dependencies: [{name: a, tls: {enabled: true, ca_file: none}}]\n"),
      /dependencies\[0\]\.tls\.ca_file is "none"; no such file/,
    );
  });

  test("has its overlays in the folder that config.providers.file names, or none", async (t) => {
    const files = (text: string) => ({
      "config.yaml": text,
      "configs/development.yaml": "service: {name: b}\n",
      "config/development.yaml": "service: {name: c}\n",
    });
    const nameFor = async (text: string) =>
      (await loadServiceConfig({ folder: createConfigFolder(t, files(text)), variables: {} })).value.service.name;
    assert.equal(await nameFor("config: {providers: {file: {path: ./configs}}}\n"), "b");
    assert.equal(await nameFor("config: {providers: {file: {path: ./none}}}\n"), "service");
    assert.equal(await nameFor("config: {providers: {file: {enabled: false}}}\n"), "service");
    assert.equal(await nameFor(""), "c");
  });

  for (const [short, long] of [
    ["registry: {type: embedded, address: 'a:1'}", "discovery: {providers: {embedded: {target: 'a:1'}}}"],
    ["registry: {type: embedded}\ndiscovery:", "discovery: {providers: {embedded: }}"],
    ["registry: {type: etcd, address: 'a:1'}", "discovery: {providers: {etcd: {endpoints: ['a:1']}}}"],
    [
      "registry: {type: consul, token: t, check_timeout: 1s}",
      "discovery: {providers: {consul: {token: t, health_check: {timeout: 1s}}}}",
    ],
    [
      "tracing: {otlp_endpoint: 'http://a:1', sample_rate: 0.5}",
      "monitoring: {providers: {otlp: {endpoint: 'http://a:1', sample_rate: 0.5}}}",
    ],
    [
      "tracing: {enabled: false, jaeger_endpoint: 'http://a:14268'}",
      "monitoring: {providers: {jaeger: {enabled: false}}}",
    ],
    [
      "metrics: {enabled: true, prometheus_port: 1, path: /m}",
      "monitoring: {providers: {prometheus: {endpoint: ':1', path: /m}}}",
    ],
    [
      "security: {tls_enabled: true, cert_file: crt, key_file: key}",
      "communication: {providers: {grpc: {tls: {enabled: true, cert_file: crt, key_file: key}}}}",
    ],
  ] as const) {
    test(`means by ${short} the same as the long form`, async (t) => {
      assert.deepEqual((await load(t, `${short}\n`)).value, (await load(t, `${long}\n`)).value);
    });
  }
});

describe("the settings of an application", () => {
  const settings = strictObject({
    limit: optional(port(), 5),
    mode: optional(choice(["a", "b"], { reload: true }), "a"),
  });

  test("are the key app, with the same defaults, checks and origins as the rest", async (t) => {
    const { value, entries } = await load(t, "app: {limit: 7}\n", { settings, variables: { TERCEL__APP__MODE: "b" } });
    assert.deepEqual(value.app, { limit: 7, mode: "b" });
    const shown = entries
      .filter(({ path }) => path.startsWith("app."))
      .map(({ path, origin, isLive }) => [path, origin, isLive]);
    assert.deepEqual(shown, [
      ["app.limit", "config.yaml:1:14", false],
      ["app.mode", "variable TERCEL__APP__MODE", true],
    ]);
    assert.deepEqual((await load(t, "", { settings })).value.app, { limit: 5, mode: "a" });
    assert.equal(
      await refusal(t, "app: {limt: 7, mode: c}\n", { settings }),
      'the configuration has 2 problems:\nconfig.yaml:1:7: unknown key app.limt; did you mean limit?\nconfig.yaml:1:22: app.mode is "c"; expected one of a, b',
    );
  });

  test("may have a schema of another library", async (t) => {
    const other: StandardSchemaV1<unknown, { limit: number }> = {
      "~standard": {
        version: 1,
        vendor: "other",
        async validate(value) {
          const { limit = 1 } = value as { limit?: unknown };
          return typeof limit === "number"
            ? { value: { limit } }
            : { issues: [{ message: "expected a number", path: ["limit"] }] };
        },
      },
    };
    const { value } = await load(t, "app: {anything: {goes: 1}}\n", {
      settings: other,
      variables: { TERCEL__APP__LIMIT: "9" },
    });
    assert.deepEqual(value.app, { limit: 9 });
    assert.equal(
      await refusal(t, "app: {limit: x}\n", { settings: other }),
      "config.yaml:1:14: app.limit: expected a number",
    );
  });
});

test("a schema of one's own has the same loader: keys in camelCase, secrets by name, its own variables", async (t) => {
  const yaml = `environment: production
appID: 550e8400-e29b-41d4-a716-446655440000
appSecret: secret-key-here
service:
  server:
    port: 52730
    enabled: true
    database: wimbackup.db
  client:
    serverAddress: localhost:52730
    timeout: 30s
`;
  const schema = strictObject({
    environment: text(),
    appID: text(),
    appSecret: text({ minLength: 8 }),
    service: strictObject({
      server: strictObject({ port: port(), enabled: flag(), database: text(), roots: optional(array(text()), []) }),
      client: strictObject({ serverAddress: text(), timeout: optional(duration(), "30s") }),
    }),
  });
  const sources = {
    folder: createConfigFolder(t, { "config.yaml": yaml }),
    overlays: false,
    envPrefix: "WIMGUARD",
    variables: { WIMGUARD__SERVICE__CLIENT__SERVERADDRESS: "b:1", WIMGUARD__SERVICE__SERVER__ROOTS: "/a,/b" },
  } as const;
  const { value, entries } = await loadConfig(schema, sources);
  assert.deepEqual(value.service, {
    server: { port: 52_730, enabled: true, database: "wimbackup.db", roots: ["/a", "/b"] },
    client: { serverAddress: "b:1", timeout: 30_000 },
  });
  assert.equal(entries.find(({ path }) => path === "appSecret")?.value, "•••");
  await assert.rejects(
    loadConfig(schema, { ...sources, set: ["service.client.server_address=x"] }),
    /--set service\.client\.server_address: unknown key .*; did you mean service\.client\.serverAddress\?/,
  );
});
