import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { openWorkspace } from "../../buf/workspace.ts";
import type { CommandContext } from "../../frame/context.ts";
import { reportFailure, toFailure } from "../../frame/report-failure.ts";
import { readGenConfig } from "../../generate/gen-config.ts";
import { generate } from "../../generate/generate.ts";
import { watchProtos } from "../../generate/watch-protos.ts";
import { filesIn, newest } from "./file-times.ts";

/** Returns the folders with the services' .proto files: for each service the nearest one with a buf configuration, up to the root. */
export function protoFolders(services: readonly string[], root: string): readonly string[] {
  const found = services.map((folder) => {
    for (let at = folder; ; at = dirname(at)) {
      if (["buf.gen.yaml", "buf.yaml"].some((file) => existsSync(join(at, file)))) return at;
      if (at === root || dirname(at) === at) return undefined;
    }
  });
  return [...new Set(found.filter((folder) => folder !== undefined))];
}

/**
 * Generates code that is older than its .proto files, and again after each change until the context's signal is aborted. Resolves when the
 * first generation is done; errors are reported and do not stop the watch.
 */
export async function followProtos(
  folders: readonly string[],
  isWatched: boolean,
  context: CommandContext,
): Promise<void> {
  await Promise.all(folders.map((folder) => (isWatched ? follow(folder, context) : generateFirst(folder, context))));
}

function follow(folder: string, context: CommandContext): Promise<void> {
  const first = Promise.withResolvers<void>();
  let isFirst = true;
  const work = async (): Promise<void> => {
    if (!isFirst) return generate(folder, {}, context);
    isFirst = false;
    await generateFirst(folder, context);
    first.resolve();
  };
  watchProtos(folder, context, work)
    .catch((error) => report(error, context))
    .finally(first.resolve);
  return first.promise;
}

async function generateFirst(folder: string, context: CommandContext): Promise<void> {
  try {
    if (isStale(folder)) await generate(folder, {}, context);
  } catch (error) {
    await report(error, context);
  }
}

async function report(error: unknown, context: CommandContext): Promise<void> {
  if (!context.signal.aborted) await reportFailure(context, toFailure(error, context.signal), false);
}

/** Whether a .proto file is newer than all generated files; generating then compares the contents. */
function isStale(folder: string): boolean {
  const config = readGenConfig(folder);
  const generated = newest(config.plugins.flatMap(({ outFolder }) => filesIn(outFolder, "**/*")));
  const protos = config.inputs.flatMap((input) =>
    openWorkspace(input.folder).moduleFolders.flatMap((module) => filesIn(module, "**/*.proto")),
  );
  return protos.length > 0 && newest(protos) > generated;
}
