import { join } from "node:path";
import { allCases, type CaseName, clientCompressionCases, isSoak, orcaCases } from "./cases.ts";
import type { Cell, Outcome, Side } from "./cell.ts";
import type { Command, Peer, RunSettings, Trust } from "./peer.ts";
import { runClient, startServer } from "./programs.ts";
import { count } from "./report.ts";

export interface MatrixOptions {
  readonly soakIterations: number;
}

/** The time limit, mostly for the start of a virtual machine on a busy machine. */
const caseTimeoutMs = 60_000;
/** As in the test descriptions. */
const soakMaxLatencyMs = 1000;

/** The load balancing policy with which the peers' clients read load reports. It exists only for the tests. */
const orcaServiceConfig = JSON.stringify({ loadBalancingConfig: [{ test_backend_metrics_load_balancer: {} }] });

interface Client {
  readonly command: Command;
  trust(caFile: string): readonly string[];
}

const ourClient: Client = { command: program("client.ts"), trust: (caFile) => [`--ca_file=${caFile}`] };
const ourServer: Command = program("server.ts");

/** Runs every case with one peer, in both directions, without and with TLS. */
export async function runMatrix(peer: Peer, settings: RunSettings, options: MatrixOptions): Promise<Cell[]> {
  const cells: Cell[] = [];
  // One after the other, because a case has two processes, as many as the cores of small machines.
  for (const tls of [false, true]) {
    for (const ours of ["client", "server"] as const) {
      const side = await runSide(peer, settings, options, ours, tls);
      // Printed at once, so that an interrupted run has shown its results.
      const { passed, failed } = count(side);
      console.log(`  our ${ours}, ${tls ? "TLS" : "cleartext"}: ${passed} passed, ${failed} failed`);
      cells.push(...side);
    }
  }
  return cells;
}

async function runSide(
  peer: Peer,
  settings: RunSettings,
  options: MatrixOptions,
  ours: Side,
  tls: boolean,
): Promise<Cell[]> {
  const weAreClient = ours === "client";
  const { certificates } = settings;
  const ourTrust = { caFile: certificates.caFile, serverName: certificates.serverName };
  const trust = weAreClient ? (peer.serverTrust ?? ourTrust) : ourTrust;
  const client: Client = weAreClient ? ourClient : { command: peer.client(settings), trust: peer.trustOptions };
  const lacks = weAreClient ? peer.serverLacks : peer.clientLacks;
  const server = await startServer(weAreClient ? peer.server(settings) : ourServer, [
    `--use_tls=${tls}`,
    ...(tls && !(weAreClient && peer.serverTrust !== undefined)
      ? [`--tls_cert_file=${certificates.certFile}`, `--tls_key_file=${certificates.keyFile}`]
      : []),
  ]);
  const cells: Cell[] = [];
  try {
    for (const caseName of allCases) {
      const reason = lacks[caseName];
      const outcome: Outcome =
        reason === undefined
          ? await runCase(
              client,
              server.port,
              tls ? trust : undefined,
              variant(peer, ours, caseName),
              caseName,
              options,
            )
          : { kind: "absent", reason };
      cells.push({ caseName, ours, tls, outcome });
    }
  } finally {
    await server.stop();
  }
  return cells;
}

async function runCase(
  client: Client,
  port: number,
  trust: Trust | undefined,
  runAs: string,
  caseName: CaseName,
  options: MatrixOptions,
): Promise<Outcome> {
  const args = ["--server_host=127.0.0.1", `--server_port=${port}`, `--test_case=${runAs}`];
  args.push(`--use_tls=${trust !== undefined}`);
  if (trust !== undefined) args.push(`--server_host_override=${trust.serverName}`, ...client.trust(trust.caFile));
  if (client !== ourClient && (orcaCases as readonly CaseName[]).includes(caseName)) {
    args.push(`--service_config_json=${orcaServiceConfig}`);
  }
  let timeoutMs = caseTimeoutMs;
  if (isSoak(caseName)) {
    const timeoutSeconds = 30 + Math.ceil(options.soakIterations / 2);
    timeoutMs += timeoutSeconds * 1000;
    args.push(`--soak_iterations=${options.soakIterations}`, `--soak_overall_timeout_seconds=${timeoutSeconds}`);
    args.push(`--soak_per_iteration_max_acceptable_latency_ms=${soakMaxLatencyMs}`);
  }
  const reason = await runClient(client.command, args, timeoutMs);
  return reason === undefined ? { kind: "passed" } : { kind: "failed", reason };
}

/** Returns the variant of the case for this server. */
function variant(peer: Peer, ours: Side, caseName: CaseName): string {
  const isProbing = (clientCompressionCases as readonly CaseName[]).includes(caseName);
  return ours === "client" && peer.hidesCompression && isProbing ? `${caseName}_noprobe` : caseName;
}

function program(file: string): Command {
  return { file: process.execPath, args: ["--conditions=source", join(import.meta.dirname, file)] };
}
