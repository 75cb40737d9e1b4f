import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@tercel/test-support/servers";
import { makeCertificates } from "./certificates.ts";
import { type MatrixOptions, runMatrix } from "./matrix.ts";
import type { Peer, RunSettings } from "./peer.ts";
import { grpcCpp } from "./peers/cpp/peer.ts";
import { grpcGo } from "./peers/grpc-go/peer.ts";
import { grpcJs } from "./peers/grpc-js/peer.ts";
import { grpcJava } from "./peers/java/peer.ts";
import { grpcPython } from "./peers/python/peer.ts";
import { type Counts, count, formatTable } from "./report.ts";

const peers: readonly Peer[] = [grpcGo, grpcJs, grpcPython, grpcJava, grpcCpp];

export const peerNames: readonly string[] = peers.map((peer) => peer.name);

/**
 * gRPC's interoperability cases: Tercel's client with each peer's server, and each peer's client with Tercel's server, in cleartext and with
 * TLS. Cases that need a caching proxy or cloud credentials are omitted. If the machine lacks a peer's toolchain, the peer is skipped and named,
 * and the run does not pass.
 */
export async function runInterop(names: readonly string[], options: MatrixOptions): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-interop-"));
  const total: Counts = { passed: 0, failed: 0, absent: 0 };
  const skipped: string[] = [];
  try {
    const settings: RunSettings = { folder, certificates: makeCertificates(folder) };
    for (const peer of peers.filter(({ name }) => names.includes(name))) {
      const missing = peer.needs.filter((program) => findProgram(program) === undefined);
      if (missing.length > 0) {
        skipped.push(`${peer.name}: the machine has no ${missing.join(", ")}`);
        continue;
      }
      add(total, await runPeer(peer, settings, options));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const reason of skipped) console.log(`skipped ${reason}`);
  const { passed, failed, absent } = total;
  console.log(
    `interop: ${passed} passed, ${failed} failed, ${absent} not in the peer, ${skipped.length} peers skipped`,
  );
  return failed === 0 && passed > 0 && skipped.length === 0;
}

async function runPeer(peer: Peer, settings: RunSettings, options: MatrixOptions): Promise<Counts> {
  try {
    peer.prepare();
    peer.prepareRun?.(settings);
    const startedAtMs = performance.now();
    const cells = await runMatrix(peer, settings, options);
    console.log(formatTable(peer.name, cells));
    console.log(`${Math.round((performance.now() - startedAtMs) / 1000)} s\n`);
    return count(cells);
  } catch (error) {
    console.error(`with ${peer.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return { passed: 0, failed: 1, absent: 0 };
  }
}

function add(total: Counts, counts: Counts): void {
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.absent += counts.absent;
}
