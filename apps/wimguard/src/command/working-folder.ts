import { resolve } from "node:path";

/** Makes a path of the command line absolute. `npm run` changes the working folder and keeps the caller's in INIT_CWD. */
export function toAbsolute(path: string): string {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}
