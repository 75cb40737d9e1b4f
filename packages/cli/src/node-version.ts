/** The oldest that Tercel runs on: it strips types from TypeScript by itself. */
export const oldestNode = "22.18";

const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split(".").map(Number);

/** @param version as `process.version` has it: `v22.18.0` */
export function isNodeSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
