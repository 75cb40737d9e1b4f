import { pathToFileURL } from "node:url";

/** Limit on the lines that are shown. */
const maxLines = 20;

/**
 * Shortens the output of a program that failed: removes Node's frames, codes and version, and makes paths relative to the folder.
 *
 * @param kept the lines of a long output that matter: the first where the program did not load, the last where it ran
 */
export function condenseOutput(output: string, folder: string, kept: "first" | "last" = "first"): string {
  const lines = output
    .replaceAll(`${pathToFileURL(folder).href}/`, "")
    .replaceAll(`${folder}/`, "")
    .split("\n")
    .filter((line) => !/^\s+at |^Node\.js v\d|^\(Use `node --trace|^ {2}code: 'ERR_|^\}$/.test(line))
    .map((line) => line.trimEnd());
  // Several empty lines become one.
  const parted = lines.filter((line, at) => line !== "" || (lines[at - 1] ?? "") !== "");
  const text = parted.join("\n").trim().split("\n");
  return (kept === "first" ? text.slice(0, maxLines) : text.slice(-maxLines)).join("\n").trim();
}
