import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { collect } from "@tercel/test-support/async";
import { repositoryPrefix } from "../../src/engine/restic/repository/repository-location.ts";
import { Engine } from "../../src/gen/wimguard/v1/common_pb.ts";
import type { CleanupContext } from "../daemon/cleanup.ts";
import { startInProcess } from "../daemon/daemon-in-process.ts";
import { deriveQuickly } from "../restic/quick-key.ts";
import { password, restic, writeSecret } from "../restic/restic-tools.ts";
import { roomFor, type TreeProgram, treeSteps } from "./trees.ts";

const methods = ["AUTO", "OFF", "MAX"];

/** A daemon with a repository. */
export interface RepositorySite {
  /** Backs up a random tree, restores it, and compares it by the walker; then once more by restic alone. */
  check(seed: number): Promise<void>;
}

export async function createRepositorySite(
  context: CleanupContext,
  trees: Pick<TreeProgram, "build" | "walk"> = treeSteps,
): Promise<RepositorySite> {
  const daemon = await startInProcess(context);
  const { destinations, data } = daemon.folders;
  const place = join(destinations, "repository");
  const repository = repositoryPrefix + place;
  restic(repository, "init", "--repository-version=2");
  deriveQuickly(place, password);
  const destination = { name: "safe", url: repository, engine: Engine.RESTIC, secretRef: writeSecret(data) };
  await daemon.client.registry.createDestination({ destination });
  return {
    async check(seed) {
      const folder = mkdtempSync(join(roomFor(seed), "tercel-trees-"));
      const [source, target, opened] = ["source", "target", "opened"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      try {
        mkdirSync(source);
        await trees.build(seed, source, "any");
        const expected = await trees.walk(source);
        const compression = methods[seed % methods.length] ?? "AUTO";
        const { uuid, warnings } = await daemon.client.backupToEnd({ source, destination: "safe", compression });
        assert.equal(warnings, "");
        await collect(daemon.client.restore.createRestore({ snapshotUuid: uuid, target, verify: true }));
        assert.deepEqual(await trees.walk(target), expected, "restored by WimGuard");
        restic(repository, "restore", "latest", "--path", source, "--target", opened);
        assert.deepEqual(await trees.walk(join(opened, source)), expected, "restored without WimGuard");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
