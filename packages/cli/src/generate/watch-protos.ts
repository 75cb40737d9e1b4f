import { type FSWatcher, watch } from "node:fs";
import { openWorkspace } from "../buf/workspace.ts";
import type { CommandContext } from "../frame/context.ts";
import { reportFailure, toFailure } from "../frame/report-failure.ts";
import { readGenConfig } from "./gen-config.ts";

/** Quiet time before a run: editors write a file in several steps. */
const settleMs = 60;

/** Runs work now and after each change of a .proto file or of buf's configuration, until the command stops. */
export async function watchProtos(folder: string, context: CommandContext, work: () => Promise<void>): Promise<void> {
  let wake = (): void => {};
  const watchers: FSWatcher[] = [];
  const isRelevant = (name: string | null): boolean =>
    name === null || /\.proto$|(^|[\\/])buf(\.gen)?\.yaml$/.test(name);
  const follow = (path: string, recursive: boolean): void => {
    const watcher = watch(path, { recursive }, (_, name) => {
      if (isRelevant(name)) wake();
    });
    // The next compilation reports a removed folder.
    watcher.on("error", () => {});
    watchers.push(watcher);
  };
  try {
    follow(folder, false);
    for (const input of readGenConfig(folder).inputs) {
      for (const module of openWorkspace(input.folder).moduleFolders) follow(module, true);
    }
    while (!context.signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
        context.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      try {
        await work();
      } catch (error) {
        // An error in a file is printed, and the next change runs again.
        await reportFailure(context, toFailure(error, context.signal), false);
      }
      await changed;
      await new Promise((resolve) => setTimeout(resolve, settleMs));
    }
  } finally {
    for (const watcher of watchers) watcher.close();
  }
  context.signal.throwIfAborted();
}
