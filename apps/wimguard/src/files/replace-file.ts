import { dirname } from "node:path";
import type { DurableFiles } from "./durable-files.ts";

/**
 * Replaces a file by another content, all of it or nothing: a temporary file next to it, synced, renamed. One that a crash has left is
 * removed first.
 */
export async function replaceFile(files: DurableFiles, path: string, content: string): Promise<void> {
  const draftPath = `${path}.draft`;
  await files.unlink(draftPath);
  const draft = await files.create(draftPath);
  try {
    await draft.write(Buffer.from(content));
    await draft.sync();
  } finally {
    await draft.close();
  }
  await files.rename(draftPath, path);
  await files.syncFolder(dirname(path));
}
