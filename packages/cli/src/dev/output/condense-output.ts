import { pathToFileURL } from "node:url";

/** Nothing longer helps a reader. */
const maxLines = 20;

/** What a program printed when it could not be loaded, without Node's frames, codes and version, and with paths from the folder on. */
export function condenseOutput(output: string, folder: string): string {
  const lines = output
    .replaceAll(`${pathToFileURL(folder).href}/`, "")
    .replaceAll(`${folder}/`, "")
    .split("\n")
    .filter((line) => !/^\s+at |^Node\.js v\d|^\(Use `node --trace|^ {2}code: 'ERR_|^\}$/.test(line))
    .map((line) => line.trimEnd());
  // One empty line parts as well as several.
  const parted = lines.filter((line, at) => line !== "" || (lines[at - 1] ?? "") !== "");
  return parted.slice(0, maxLines).join("\n").trim();
}
