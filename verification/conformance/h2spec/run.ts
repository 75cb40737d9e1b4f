import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSelfSigned } from "@tercel/test-support/certificates";
import { answeredEarly } from "./answered-early.ts";
import { findTool } from "./find-tool.ts";
import { type H2specResult, runTool } from "./run-tool.ts";
import { startTarget, type TargetProgram } from "./start-target.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** With --strict, in version 2.6.0. */
const cases = 147;
/**
 * The version that `go install …@latest` finds. The go.mod of later versions lacks the required "/v2", so Go ignores
 * their tags. The newest one must be built from its source.
 */
const casesOfVersion221 = 146;
const missingInVersion221 =
  "this h2spec is version 2.2.1, which lacks one case of 2.6.0 (hpack 2.3.3, a literal with an invalid index); " +
  "packages/http2/src/hpack/decoder.test.ts has it";

/** A server that h2spec is run against. */
interface Target extends TargetProgram {
  readonly name: string;
  /** Arguments of h2spec. */
  readonly arguments_?: readonly string[];
  /** Cases that may fail, by id, with the reason. */
  readonly differences?: ReadonlyMap<string, string>;
}

/**
 * summerwind/h2spec: the cases of RFC 7540 and RFC 7541, with --strict. All of them must pass against a server on the engine that reads each
 * request to its end and responds with 200, in cleartext and with TLS. They also run against two gRPC servers, `examples/hello` and the
 * shop's user-service, which refuse h2spec's requests as soon as they see that these are not gRPC.
 */
export async function runH2spec(): Promise<boolean> {
  const h2spec = findTool("h2spec");
  if (h2spec === undefined) return false;
  const folder = mkdtempSync(join(tmpdir(), "tercel-h2spec-"));
  const summaries: string[] = [];
  let passed = true;
  try {
    for (const target of targetsIn(folder)) {
      console.log(`## ${target.name}`);
      const result = await runAgainst(h2spec, target);
      passed = accepts(result, target.differences ?? new Map()) && passed;
      summaries.push(`${target.name}: ${result.total - result.failed.length} of ${result.total}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  console.log(summaries.join("\n"));
  return passed;
}

function targetsIn(folder: string): Target[] {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const made = createSelfSigned();
  writeFileSync(key, made.key);
  writeFileSync(cert, made.cert);
  const engine = { program: join(root, "verification/conformance/h2spec/server.ts"), ready: /^(\d+)$/ };
  // On free ports, and without rate limits, which h2spec would exceed.
  const shop = join(root, "apps/shop/src/user-service");
  const set = [
    "service.port=0",
    "communication.providers.http.enabled=false",
    "monitoring.providers.prometheus.enabled=false",
    "rate_limit.enabled=false",
    "discovery.providers.embedded.enabled=false",
    "events.providers.embedded.enabled=false",
    "events.providers.memory.max_events=1000",
    "dependencies.order-service.target=127.0.0.1:1",
    "dependencies.order-service.required=false",
  ];
  return [
    { name: "the engine's server, cleartext", ...engine },
    { name: "the engine's server, TLS", ...engine, args: ["--tls", key, cert], arguments_: ["--tls", "--insecure"] },
    {
      name: "examples/hello, cleartext",
      program: join(root, "examples/hello/server.ts"),
      ready: /^listening on .*:(\d+)$/,
      env: { PORT: "0" },
      differences: answeredEarly,
    },
    {
      name: "the shop's user-service, cleartext",
      program: join(shop, "main.ts"),
      args: ["--config", join(shop, "config.yaml"), ...set.flatMap((one) => ["--set", one])],
      env: { SHOP_DATA: join(folder, "shop") },
      ready: /"message":"ready".*"address":"[^"]*:(\d+)"/,
      differences: answeredEarly,
    },
  ];
}

async function runAgainst(h2spec: string, target: Target): Promise<H2specResult> {
  const server = await startTarget(target);
  try {
    const options = ["--strict", "--timeout", "2", ...(target.arguments_ ?? [])];
    return await runTool(h2spec, ["--host", "127.0.0.1", "--port", server.port, ...options]);
  } finally {
    await server.end();
  }
}

function accepts({ total, failed }: H2specResult, differences: ReadonlyMap<string, string>): boolean {
  if (total === casesOfVersion221) console.log(missingInVersion221);
  for (const id of failed) console.log(`${id}: ${differences.get(id) ?? "not expected to fail"}`);
  return (total === cases || total === casesOfVersion221) && failed.every((id) => differences.has(id));
}
