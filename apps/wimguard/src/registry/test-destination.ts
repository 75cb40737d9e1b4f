import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DurableFiles } from "../files/durable-files.ts";

/** One step of a test, which says what went wrong. */
export interface TestStep {
  readonly name: "write" | "read" | "list" | "remove";
  readonly ok: boolean;
  readonly tookMs: number;
  readonly message: string;
}

/** Runs the steps of a test and takes their time. A step says what is wrong by its result, or by what it throws. */
export function createTestRun() {
  const steps: TestStep[] = [];
  const run = async (step: TestStep["name"], work: () => Promise<string | undefined>): Promise<boolean> => {
    const startedMs = performance.now();
    const problem = await work().catch((error: Error) => error.message);
    const tookMs = performance.now() - startedMs;
    steps.push({ name: step, ok: problem === undefined, tookMs, message: problem ?? "" });
    return problem === undefined;
  };
  return { steps, run };
}

const probeBytes: Buffer = Buffer.alloc(64 * 1024, "wimguard probe\n");

/** Writes, reads, lists and removes a file in a folder, as a backup does. The first step that fails is the last one, except for the removal. */
export async function testDestination(files: DurableFiles, folder: string): Promise<TestStep[]> {
  const name = `.wimguard-${randomUUID()}.probe`;
  const path = join(folder, name);
  const { steps, run } = createTestRun();
  const isWritten = await run("write", async () => {
    const file = await files.create(path);
    try {
      await file.write(probeBytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.syncFolder(folder);
    return undefined;
  });
  if (isWritten) {
    const isRead = await run("read", async () =>
      (await readFile(path)).equals(probeBytes) ? undefined : "what was read is not what was written",
    );
    if (isRead) {
      await run("list", async () =>
        (await readdir(folder)).includes(name) ? undefined : "the folder does not list what was written",
      );
    }
  }
  // A write that failed in the middle has left something too.
  await run("remove", async () => {
    const wasThere = await files.unlink(path);
    return wasThere || !isWritten ? undefined : "what was written is not there any more";
  });
  return isWritten ? steps : steps.filter(({ name: step, ok }) => step !== "remove" || !ok);
}
