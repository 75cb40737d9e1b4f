/** The protos of the users, which are in two folders: those of examples/rest, and what they import. */
import { join } from "node:path";
import { ROOT_FOLDER } from "../paths.ts";

/** The start of a command line of buf that works on them. */
export function bufCommand(verb: "build" | "generate"): readonly [string, ...string[]] {
  const modules = ["examples/rest/proto", "packages/gateway/proto"].map((path) => ({ path }));
  const config = JSON.stringify({ version: "v2", modules });
  return [join(ROOT_FOLDER, "node_modules/.bin/buf"), verb, ROOT_FOLDER, "--config", config];
}
