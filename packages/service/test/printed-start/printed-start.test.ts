// The printed files, byte for byte, with a real Consul and PostgreSQL: they start, Consul finds them passing, a client finds them.
// Long: Consul has to find two services healthy for three intervals of their own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withoutOpenssl } from "@tercel/test-support/certificates";
import { startCommand } from "@tercel/test-support/programs";
import { findProgram, withoutPostgres } from "@tercel/test-support/servers";

/** A network of its own, where every port is free. */
const inNetwork = ["-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"] as const;

function reasonToSkip(): string | false {
  if (findProgram("consul") === undefined) return "Consul is not installed; .ci/run builds it";
  if (withoutPostgres !== false) return withoutPostgres;
  const isPermitted = spawnSync("unshare", [...inNetwork, "true"]).status === 0;
  return !isPermitted && "unshare may not make a network of its own here; it needs root";
}

test("the printed config.yaml starts as it is, is passing in Consul for three intervals, and is found by a client", {
  skip: reasonToSkip(),
}, async (t) => {
  const inside = join(import.meta.dirname, "inside.ts");
  const run = startCommand(t, "unshare", [...inNetwork, process.execPath, "--conditions=source", inside]);
  const lines = await run.rest();
  const said = lines.filter((line) => !line.startsWith("{"));
  const logged = lines
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const [check = "", held, answer, metrics = "", exit] = said;
  assert.match(check, /^check passing: HTTP GET http:\/\/127\.0\.0\.1:8080\/health: 200 OK/, lines.join("\n"));
  assert.equal(held, "held passing for three intervals");
  assert.equal(answer, "answer found!");
  assert.match(metrics, /^metrics grpc_server_requests_total\{.*status="OK"\} 1$/);
  assert.equal(exit, "exit 0");
  assert.deepEqual(
    logged.filter(({ message }) => message === "ready").map(({ service, address }) => [service, address]),
    [["user-service", "127.0.0.1:9090"]],
  );
});

test("the printed user-service.yaml starts as it is, over TLS, and is passing as soon as what it requires is there", {
  skip: reasonToSkip() || withoutOpenssl,
}, async (t) => {
  const layers = mkdtempSync(join(tmpdir(), "tercel-etc-"));
  t.after(() => rmSync(layers, { recursive: true }));
  for (const folder of ["upper", "work"]) mkdirSync(join(layers, folder));
  // An /etc of its own, where the printed certificates can be.
  const mount = `mount -t overlay overlay -o lowerdir=/etc,upperdir=${layers}/upper,workdir=${layers}/work /etc`;
  const script = `ip link set lo up && ${mount} && exec "$@"`;
  const inside = join(import.meta.dirname, "inside-mesh.ts");
  const args = ["-n", "-m", "sh", "-c", script, "sh", process.execPath, "--conditions=source", inside];
  const lines = await startCommand(t, "unshare", args).rest();
  const said = lines.filter((line) => !line.startsWith("{"));
  assert.deepEqual(
    said,
    [
      "alone critical: gRPC 127.0.0.1:50051 serving status: NOT_SERVING",
      "together passing: gRPC check 127.0.0.1:50051: success",
      "held passing for three intervals",
      "answer found, ordered",
      "exit 0",
      "exit 0",
    ],
    lines.join("\n"),
  );
});
