/** SPIFFE-ID §2.3. */
const maxIdBytes = 2048;
/** SPIFFE-ID §2.1. */
const maxTrustDomainBytes = 255;

/** Returns why a text that starts like a SPIFFE id is invalid (SPIFFE-ID §2); undefined for a valid one. */
export function spiffeProblem(text: string): string | undefined {
  if (text.length > maxIdBytes) return `its SPIFFE id has more than ${maxIdBytes} bytes`;
  const parts = /^spiffe:\/\/([^/]*)(\/.*)?$/.exec(text);
  if (parts === null) return "its SPIFFE id does not start with spiffe://";
  const [, trustDomain = "", path = ""] = parts;
  // Capitals are rejected, not converted: a program that compares strings would see a different id.
  if (!/^[a-z0-9._-]+$/.test(trustDomain) || trustDomain.length > maxTrustDomainBytes) {
    return "its SPIFFE id has no valid trust domain";
  }
  const segments = path === "" ? [] : path.slice(1).split("/");
  const areValid = segments.every((segment) => /^[A-Za-z0-9._-]+$/.test(segment) && !/^\.\.?$/.test(segment));
  return areValid ? undefined : "its SPIFFE id has an invalid path";
}
