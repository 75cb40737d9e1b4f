import { relative } from "node:path";

/**
 * How a person calls this program from a folder: by npx, or in a checkout of Tercel by the sources that were started, with the Node that is
 * installed there.
 *
 * @param program what was started. Default: `process.argv[1]`
 */
export function ownCommand(folder: string, program = process.argv[1] ?? ""): string {
  const path = relative(folder, program);
  return path.startsWith("..") || !path.endsWith("main.ts") ? "npx tercel" : `npx node --conditions=source ${path}`;
}
