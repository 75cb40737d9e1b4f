/** Tercel's interoperability client. Runs one case, with the options of the test descriptions, and exits with 0 if it passed. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compressionCases } from "./client/compression-cases.ts";
import { orcaCases } from "./client/orca-cases.ts";
import { plainCases } from "./client/plain-cases.ts";
import { type SoakOptions, soak } from "./client/soak.ts";
import { type InteropTarget, openTestChannel } from "./client/test-channel.ts";

const { values } = parseArgs({
  options: {
    server_host: { type: "string", default: "127.0.0.1" },
    server_host_override: { type: "string" },
    server_port: { type: "string", default: "8080" },
    test_case: { type: "string", default: "large_unary" },
    use_tls: { type: "string", default: "false" },
    ca_file: { type: "string", default: "" },
    soak_iterations: { type: "string", default: "10" },
    soak_max_failures: { type: "string", default: "0" },
    soak_per_iteration_max_acceptable_latency_ms: { type: "string", default: "1000" },
    soak_overall_timeout_seconds: { type: "string", default: "10" },
  },
});

const target: InteropTarget = {
  host: values.server_host,
  port: Number(values.server_port),
  hostOverride: values.server_host_override,
  ca: values.use_tls === "true" ? readFileSync(values.ca_file, "utf8") : undefined,
};
const soakOptions: SoakOptions = {
  iterations: Number(values.soak_iterations),
  maxFailures: Number(values.soak_max_failures),
  maxLatencyMs: Number(values.soak_per_iteration_max_acceptable_latency_ms),
  timeoutMs: Number(values.soak_overall_timeout_seconds) * 1000,
};

try {
  await runCase(values.test_case);
} catch (error) {
  console.error(error);
  process.exit(1);
}

async function runCase(name: string): Promise<void> {
  if (name === "rpc_soak" || name === "channel_soak") {
    console.log(await soak(target, soakOptions, name === "channel_soak"));
    return;
  }
  const plain = plainCases[name] ?? orcaCases[name];
  const compression = compressionCases[name];
  if (plain !== undefined) {
    const test = openTestChannel(target);
    await plain(test);
    await test.channel.close();
  } else if (compression !== undefined) {
    await compression(target);
  } else {
    throw new Error(`unknown test case "${name}"`);
  }
}
