// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested here
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { ConfigError, loadServiceConfig, type ServiceConfigOptions } from "../../src/config/index.ts";
import { createConfigFolder } from "./config-folder.ts";
import { postgresType } from "./database-provider.ts";

const printed = readFileSync(new URL("printed/config.yaml", import.meta.url), "utf8");
const variables = { CONSUL_TOKEN: "", DATABASE_URL: "postgres://db/users" };

async function messageFor(
  test: TestContext,
  text: string,
  options: ServiceConfigOptions<unknown> = {},
): Promise<string> {
  const folder = createConfigFolder(test, { "config.yaml": text });
  try {
    await loadServiceConfig({ folder, variables, providers: [postgresType], ...options });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

/** The printed file with one mistake. */
function withMistake(from: string, to: string): string {
  assert.ok(printed.includes(from), from);
  return printed.replace(from, to);
}

describe("a mistake in the configuration prints", () => {
  for (const [mistake, text, message] of [
    [
      "the known key for a misspelt one",
      withMistake("max_connections", "max_conections"),
      "config.yaml:70:7: unknown key database.providers.postgresql.max_conections; did you mean max_connections?",
    ],
    [
      "the key in snake_case for one in camelCase",
      withMistake("max_connections", "maxConnections"),
      "config.yaml:70:7: unknown key database.providers.postgresql.maxConnections; did you mean max_connections?",
    ],
    [
      "what a port is",
      withMistake("port: 8080", "port: abc"),
      'config.yaml:5:9: service.port is "abc"; expected a number from 0 to 65535',
    ],
    [
      "what a port is, for one that is too high",
      withMistake("port: 8080", "port: 65536"),
      "config.yaml:5:9: service.port is 65536; expected a number from 0 to 65535",
    ],
    [
      "how a unit is written",
      withMistake('timeout: "30s"', "timeout: 30"),
      'config.yaml:34:16: communication.providers.grpc.timeout is 30; add a unit: "30s"',
    ],
    [
      "both places of a repeated key",
      withMistake("  port: 8080", '  port: 8080\n  name: "again"'),
      "config.yaml:6:3: duplicate key service.name, also at config.yaml:3:3; keep one of them",
    ],
    [
      "the line of broken YAML with a caret",
      withMistake("  port: 8080", "  port: : 8080"),
      "config.yaml:5:9: not valid YAML: nested mappings are not allowed in compact mappings\n  5 |   port: : 8080\n    |         ^",
    ],
    [
      "the known types for one that is not known, and how to bring one's own",
      withMistake("    postgresql:\n", "    main:\n      type: mysql\n"),
      'config.yaml:69:13: unknown database.providers.main.type "mysql"; known types: postgres; to use your own, add a provider with concern "database" and that type to the definition\'s providers',
    ],
    [
      "the known types for an entry whose name is none",
      withMistake("    consul:\n", "    consol:\n"),
      'config.yaml:52:5: discovery.providers.consol has no type; did you mean consul? known types: consul, embedded, static, dns, etcd, kubernetes, none; to use your own, add a provider with concern "discovery" and that type to the definition\'s providers',
    ],
    [
      "both places of two forms for one thing",
      withMistake("# Database\n", "registry:\n  type: consul\n"),
      "config.yaml:65:1: registry and discovery at config.yaml:50:1 set the same; keep one of them",
    ],
    [
      "both places of two forms for metrics",
      withMistake("# Database\n", "metrics: {prometheus_port: 1}\n"),
      "config.yaml:65:1: metrics and monitoring.providers.prometheus at config.yaml:22:5 set the same; keep one of them",
    ],
    [
      "both places of two forms for TLS",
      withMistake("# Database\n", "security: {tls_enabled: true}\n"),
      "config.yaml:65:12: security.tls_enabled and communication.providers.grpc.tls at config.yaml:44:7 set the same; keep one of them",
    ],
    [
      "which file TLS needs",
      withMistake('        enabled: false\n        cert_file: ""\n', "        enabled: true\n"),
      "the configuration has 2 problems:\n" +
        "config.yaml:44:7: communication.providers.grpc.tls.cert_file is missing; expected the path of a file, because TLS is enabled\n" +
        'config.yaml:46:19: communication.providers.grpc.tls.key_file is ""; expected the path of a file, because TLS is enabled',
    ],
    [
      "the place of a TLS file that is missing",
      withMistake(
        'enabled: false\n        cert_file: ""\n        key_file: ""',
        "cert_file: none.crt\n        key_file: none.key",
      ),
      "the configuration has 2 problems:\n" +
        'config.yaml:45:20: communication.providers.grpc.tls.cert_file is "none.crt"; no such file\n' +
        'config.yaml:46:19: communication.providers.grpc.tls.key_file is "none.key"; no such file',
    ],
    ["what a section is", "service: 5\n", "config.yaml:1:10: service is 5; expected a map of keys"],
    [
      "what an entry is",
      "database: {providers: {postgres: 5}}\n",
      "config.yaml:1:34: database.providers.postgres is 5; expected a map of keys",
    ],
    ["the nearest key at the top", "loging: {}\n", "config.yaml:1:1: unknown key loging; did you mean logging?"],
    [
      "the known entries for a default that is none",
      "discovery: {default: consol, providers: {consul: {}, none: {}}}\n",
      'config.yaml:1:22: discovery.default is "consol"; did you mean consul?',
    ],
    [
      "which entries could be meant",
      "discovery: {providers: {consul: {}, none: {}}}\n",
      "config.yaml:1:1: discovery.default is missing; consul and none are both enabled; choose one",
    ],
    [
      "a dependency that is in the list twice",
      "dependencies: [{name: a}, {name: a}]\n",
      'config.yaml:1:34: dependencies[1].name is "a"; duplicate entry; keep one of them',
    ],
    [
      "what a dependency needs",
      "dependencies: [{required: true}]\n",
      "config.yaml:1:16: dependencies[0].name is missing; expected a name of letters, digits, dots, - and _",
    ],
    [
      "that a registry needs a type",
      "registry: {address: localhost:8500}\n",
      "config.yaml:1:11: registry.type is missing; expected a type of discovery, such as consul",
    ],
    [
      "the key of a short form as it was written",
      "registry: {type: consul, check_interval: 10}\n",
      'config.yaml:1:42: registry.check_interval is 10; add a unit: "30s"',
    ],
    [
      "what the port of metrics is",
      "metrics: {prometheus_port: abc}\n",
      'config.yaml:1:28: metrics.prometheus_port is "abc"; expected a number from 0 to 65535',
    ],
    [
      "that nothing reads the application's settings",
      "app: {a: 1}\n",
      "config.yaml:1:1: unknown key app; known keys: service, config, dependencies, security, rate_limit, load_shedding, idempotency, communication, logging, monitoring, discovery, database, cache, events, registry, tracing, metrics",
    ],
    [
      "the nearest short form",
      "registy: {type: consul}\n",
      "config.yaml:1:1: unknown key registy; did you mean registry?",
    ],
  ] as const) {
    test(mistake, async (t) => assert.equal(await messageFor(t, text), message));
  }

  test("which placeholder is not set, and what to do", async (t) => {
    assert.equal(
      await messageFor(t, printed, { variables: { CONSUL_TOKEN: "" } }),
      "config.yaml:69:12: DATABASE_URL is not set (database.providers.postgresql.url); set it or DATABASE_URL_FILE, or write ${DATABASE_URL:-…}",
    );
  });

  test("the nearest variable for a misspelt one", async (t) => {
    assert.equal(
      await messageFor(t, printed, { variables: { ...variables, TERCEL__SERVICE__PROT: "1" } }),
      "variable TERCEL__SERVICE__PROT: unknown key service.prot; did you mean TERCEL__SERVICE__PORT?",
    );
  });

  test("the key of a variable whose value is wrong", async (t) => {
    assert.equal(
      await messageFor(t, printed, {
        variables: { ...variables, TERCEL__DATABASE__PROVIDERS__POSTGRESQL__MAX_CONNECTIONS: "many" },
      }),
      'variable TERCEL__DATABASE__PROVIDERS__POSTGRESQL__MAX_CONNECTIONS: database.providers.postgresql.max_connections is "many"; expected a whole number from 1 to 10000',
    );
  });

  test("all mistakes at once, top to bottom", async (t) => {
    const text =
      "service: {port: abc, prot: 1}\nloging: {}\ndatabase:\n  providers:\n    postgres: {url: '${UNSET}'}\n";
    assert.equal(
      await messageFor(t, text, { set: ["service.drain=5"] }),
      [
        "the configuration has 5 problems:",
        'config.yaml:1:17: service.port is "abc"; expected a number from 0 to 65535',
        "config.yaml:1:22: unknown key service.prot; did you mean port?",
        "config.yaml:2:1: unknown key loging; did you mean logging?",
        "config.yaml:5:21: UNSET is not set (database.providers.postgres.url); set it or UNSET_FILE, or write ${UNSET:-…}",
        '--set service.drain: service.drain is 5; add a unit: "30s"',
      ].join("\n"),
    );
  });
});
