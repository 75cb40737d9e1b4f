/** Limit of a DNS label: names of services are used in discovery and Kubernetes. */
export const maxNameLength = 63;

/** Describes what is wrong with a name that is not a valid package and folder name; undefined for a valid one. */
export function describeInvalidName(name: string): string | undefined {
  const isName = name.split("-").every((word) => /^[a-z][a-z0-9]*$/.test(word));
  if (isName && name.length <= maxNameLength) return undefined;
  return `invalid name ${JSON.stringify(name)}: expected lower-case words with dashes, at most ${maxNameLength} characters`;
}
