import { pathToFileURL } from "node:url";

/** Limit on the lines that are shown. */
const maxLines = 20;

/** Shortens the output of a program that failed to load: removes Node's frames, codes and version, and makes paths relative to the folder. */
export function condenseOutput(output: string, folder: string): string {
  const lines = output
    .replaceAll(`${pathToFileURL(folder).href}/`, "")
    .replaceAll(`${folder}/`, "")
    .split("\n")
    .filter((line) => !/^\s+at |^Node\.js v\d|^\(Use `node --trace|^ {2}code: 'ERR_|^\}$/.test(line))
    .map((line) => line.trimEnd());
  // Several empty lines become one.
  const parted = lines.filter((line, at) => line !== "" || (lines[at - 1] ?? "") !== "");
  return parted.slice(0, maxLines).join("\n").trim();
}
