import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { serviceNames } from "./development-secret.ts";
import { folderOf, serviceCommand } from "./shop-process.ts";

// The variables in docs/guides/production-service.md.

let folder: string;
let variables: Record<string, string>;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-shop-production-"));
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  if (withoutOpenssl !== false) return;
  const { key, cert } = createSelfSigned();
  variables = {
    TERCEL_ENV: "production",
    POSTGRES_URL: "postgres://shop:secret@db:5432",
    REDIS_URL: "redis://redis:6379",
    NATS_URL: "nats://nats:4222",
    CONSUL_ADDRESS: "127.0.0.1:8500",
    OTLP_ENDPOINT: "http://collector:4318",
    TLS_ENABLED: "true",
    TLS_CA_FILE: file("ca.pem", cert),
    TLS_CERT_FILE: file("cert.pem", cert),
    TLS_KEY_FILE: file("key.pem", key),
    SERVICE_SECRET: "x".repeat(32),
    SERVICE_KEY: "k".repeat(64),
    SERVICE_KEYS_FILE: file("keys", `user-service ${"k".repeat(64)}\n`),
    TOKEN_ISSUER: "https://login.example",
    TOKEN_KEYS_URL: "https://login.example/keys",
  };
});
after(() => rmSync(folder, { recursive: true }));

function checkConfig(name: (typeof serviceNames)[number], env: Record<string, string>) {
  const [program = "", ...args] = serviceCommand(name, ["--check-config"]);
  const { PATH = "" } = process.env;
  return spawnSync(program, args, { cwd: folderOf(name), env: { PATH, ...env }, encoding: "utf8" });
}

for (const name of serviceNames) {
  test(`${name} accepts the production configuration, and names every missing variable`, {
    timeout: 60_000,
    skip: withoutOpenssl,
  }, () => {
    const { stdout, stderr, status } = checkConfig(name, variables);
    assert.deepEqual([stdout, status], ["the configuration is valid (environment production)\n", 0], stderr);
    const { POSTGRES_URL: _url, TOKEN_ISSUER: _issuer, ...rest } = variables;
    const missing = checkConfig(name, rest);
    assert.equal(missing.status, 1);
    assert.match(
      missing.stderr,
      /^ *config\.yaml:\d+:\d+: POSTGRES_URL is not set \(database\.providers\.postgres\.url\)/m,
    );
    assert.match(missing.stderr, /config\/production\.yaml:\d+:\d+: TOKEN_ISSUER is not set \(security\.jwt\.issuer\)/);
  });
}
