// Runs in a network and with an /etc of its own: a Consul, user-service by its printed file, the service that it requires, and a client.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDiscoveryResolver } from "@tercel/discovery";
import { createConsulRegistry } from "@tercel/discovery/consul";
import { createChannel, createClient } from "@tercel/grpc";
import { createAuthority } from "@tercel/test-support/certificates";
import { createServerProcess, findProgram } from "@tercel/test-support/servers";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { holdsPassing, pause, readCheck } from "./consul-checks.ts";

const key = "k".repeat(32);
const authority = createAuthority();
const { cert, key: privateKey } = authority.issue({ names: ["DNS:user-service"] });
mkdirSync("/etc/certs");
writeFileSync("/etc/certs/service.crt", cert);
writeFileSync("/etc/certs/service.key", privateKey);

const consul = createServerProcess(() => ({
  program: findProgram("consul") ?? "consul",
  args: ["agent", "-dev", "-bind=127.0.0.1", "-client=127.0.0.1", "-log-level=info"],
  readyTexts: ["Synced node info"],
}));
await consul.start();

/** The other service has no file: it runs where none is found. */
function start(role: string, cwd: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "mesh-service.ts"), ...args], {
    cwd,
    env: { ...process.env, ROLE: role, SERVICE_AUTH_KEY: key },
    stdio: ["ignore", "inherit", "inherit"],
  });
}

/**
 * The outcome of a service's check once Consul has this of it. An earlier one may be another: on a busy machine the first check may find that
 * the service does not respond in time.
 */
async function checkOf(name: string, status: string, output: string): Promise<string> {
  for (;;) {
    const check = await readCheck(name);
    if (check?.Status === status && check.Output.includes(output)) return `${status}: ${check.Output.split("\n")[0]}`;
    await pause();
  }
}

const printed = join(import.meta.dirname, "../config/printed");
const started = [start("users", printed, ["--config", "config/user-service.yaml"])];
try {
  console.log(`alone ${await checkOf("user-service", "critical", "NOT_SERVING")}`);
  const set = [
    "service.name=order-service",
    "service.version=v1.2.0",
    "service.port=0",
    `security.service_auth_key=${key}`,
    "discovery.providers.consul.address=localhost:8500",
  ];
  started.push(
    start(
      "orders",
      "/",
      set.flatMap((one) => ["--set", one]),
    ),
  );
  console.log(`together ${await checkOf("user-service", "passing", "success")}`);
  console.log(await holdsPassing("user-service"));
  const registry = createConsulRegistry();
  const channel = createChannel("discovery:///user-service", {
    resolvers: [createDiscoveryResolver(registry)],
    tls: { ca: authority.cert },
    defaultTimeoutMs: 20_000,
  });
  const headers = { "service-auth-key": key };
  console.log(`answer ${(await createClient(EchoService, channel).unary({ text: "found" }, { headers })).text}`);
  await channel.close();
  await registry.close();
} finally {
  for (const one of started.toReversed()) {
    one.kill("SIGTERM");
    if (one.exitCode === null) await once(one, "exit");
    console.log(`exit ${one.exitCode}`);
  }
  await consul.dispose();
  authority.dispose();
}
