import { type FSWatcher, watch } from "node:fs";
import { openWorkspace } from "../buf/workspace.ts";
import type { CommandContext } from "../frame/context.ts";
import { reportFailure, toFailure } from "../frame/report-failure.ts";
import { readGenConfig } from "./gen-config.ts";

/** An editor writes a file in several steps. */
const settleMs = 60;

/** Runs work now and after each change of a .proto file or of buf's configuration, until the command is stopped. */
export async function watchProtos(folder: string, context: CommandContext, work: () => Promise<void>): Promise<void> {
  let wake = (): void => {};
  const watchers: FSWatcher[] = [];
  const isRelevant = (name: string | null): boolean =>
    name === null || /\.proto$|(^|[\\/])buf(\.gen)?\.yaml$/.test(name);
  const follow = (path: string, recursive: boolean): void => {
    const watcher = watch(path, { recursive }, (_, name) => {
      if (isRelevant(name)) wake();
    });
    // A folder that goes away is noticed by the next compilation.
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
        // A mistake in a file is the next thing to be changed.
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
