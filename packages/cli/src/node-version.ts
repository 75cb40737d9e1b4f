/** The oldest version that Tercel supports: the first that strips types from TypeScript by default. */
export const oldestNode = "22.18";

const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split(".").map(Number);

/** Whether a Node version is supported. @param version in the form of `process.version`: `v22.18.0` */
export function isNodeSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
