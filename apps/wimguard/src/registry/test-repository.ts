import { randomUUID } from "node:crypto";
import type { RepositoryAccess } from "../engine/engine.ts";
import { probeRepository } from "../engine/restic/repository/probe-repository.ts";
import { createTestRun, type TestStep } from "./test-destination.ts";

/** Stores, reads, lists and removes a snapshot in a repository, as a backup does. */
export async function testRepository(access: RepositoryAccess, signal: AbortSignal): Promise<TestStep[]> {
  const { steps, run } = createTestRun();
  const probe = probeRepository(access, randomUUID(), signal);
  if (await run("write", probe.write)) {
    if (await run("read", probe.read)) await run("list", probe.list);
    await run("remove", probe.remove);
  }
  return steps;
}
