import { relative } from "node:path";

/**
 * Returns the command that runs this program from a folder: npx, or in a checkout of Tercel the running sources with the Node installed
 * there.
 *
 * @param program path of the running program. Default: `process.argv[1]`
 */
export function ownCommand(folder: string, program = process.argv[1] ?? ""): string {
  const path = relative(folder, program);
  return path.startsWith("..") || !path.endsWith("main.ts") ? "npx tercel" : `npx node --conditions=source ${path}`;
}
