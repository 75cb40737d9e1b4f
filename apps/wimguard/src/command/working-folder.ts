import { resolve } from "node:path";

/** Makes a path of the command line absolute. `npm run` changes the working folder and keeps the caller's in INIT_CWD. */
export function toAbsolute(path: string): string {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}

/** Makes the path of a destination absolute; leaves the URL of a restic repository unchanged. */
export function toLocation(text: string): string {
  const [, prefix = "", place = text] = /^(restic:(?:local:)?)(.*)$/s.exec(text) ?? [];
  const isUrl = prefix !== "" && /^[a-z0-9]+:/.test(place);
  return isUrl ? text : prefix + toAbsolute(place);
}
