// Runs in a network of its own, where the printed ports are free: a Consul, a PostgreSQL, the service, and a client that finds it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createServiceChannels } from "@tercel/discovery";
import { createConsulRegistry } from "@tercel/discovery/consul";
import { createPostgresServer, createServerProcess, findProgram } from "@tercel/test-support/servers";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { holdsPassing, pause, readCheck } from "./consul-checks.ts";

const consul = createServerProcess(() => ({
  program: findProgram("consul") ?? "consul",
  args: ["agent", "-dev", "-bind=127.0.0.1", "-client=127.0.0.1", "-log-level=info"],
  readyTexts: ["Synced node info"],
}));
const postgres = await createPostgresServer();
await Promise.all([consul.start(), postgres.start()]);

const service = spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "service.ts")], {
  cwd: join(import.meta.dirname, "../config/printed"),
  env: {
    ...process.env,
    CONSUL_TOKEN: "",
    DATABASE_URL: `postgres://postgres@127.0.0.1:${postgres.port}/postgres`,
  },
  stdio: ["ignore", "inherit", "inherit"],
});
try {
  const registry = createConsulRegistry();
  const channels = createServiceChannels({ registry, channel: { defaultTimeoutMs: 10_000 } });
  // Until the agent has checked by itself and found the service ready: on a busy machine an earlier check finds it not ready yet.
  let last = "check never came";
  while (!last.includes("200 OK") && service.exitCode === null) {
    await pause();
    const check = await readCheck("user-service");
    if (check !== undefined) last = `check ${check.Status}: ${check.Output.slice(0, 60)}`;
  }
  console.log(last);
  console.log(await holdsPassing("user-service"));
  const { text } = await channels.client(EchoService, "user-service", "version=v1").unary({ text: "found" });
  console.log(`answer ${text}`);
  const metrics = await (await fetch("http://127.0.0.1:9090/metrics")).text();
  console.log(`metrics ${/^grpc_server_requests_total\{.*method="Unary",status="OK"\} \d+$/m.exec(metrics)?.[0]}`);
  await channels.close();
  await registry.close();
} finally {
  service.kill("SIGTERM");
  if (service.exitCode === null) await once(service, "exit");
  console.log(`exit ${service.exitCode}`);
  await Promise.all([consul.dispose(), postgres.dispose()]);
}
